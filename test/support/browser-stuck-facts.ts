/** Mutexes, journal and log of the stuck world. */
import type { HistoryEntry, LogEntry, MutexView } from '../../app/contract/methods.ts';
import { ago, minute } from './browser-worlds.ts';

export function mutexes(): MutexView[] {
  return [
    {
      name: 'RunningScript',
      paused: false,
      pausedBy: null,
      tainted: false,
      holders: [
        {
          ticket: '9f2c-41aa',
          name: 'Deploy web-eu / step 4',
          pid: 7312,
          level: 'full',
          since: ago(52 * minute),
          fence: 118,
          stuck: true,
        },
      ],
      waiters: [
        {
          ticket: 'a1',
          name: 'Deploy api-eu / step 1',
          level: 'full',
          since: ago(46 * minute),
          position: 1,
          why: 'Full isolation: starts when the holder has released the mutex.',
        },
        {
          ticket: 'a2',
          name: 'Deploy web-us / step 1',
          level: 'none',
          since: ago(31 * minute),
          position: 2,
          why: 'Shared: could run beside other shared scripts, but waits behind no. 1, which is exclusive.',
        },
        {
          ticket: 'a3',
          name: 'DB migrate',
          level: 'full',
          since: ago(12 * minute),
          position: 3,
          why: 'Full isolation: waits for everyone before it.',
        },
      ],
      orphans: [],
    },
    {
      name: 'HealthCheck',
      paused: false,
      pausedBy: null,
      tainted: false,
      holders: [
        {
          ticket: 'health',
          name: 'Health check',
          pid: 9044,
          level: 'none',
          since: ago(12_000),
          fence: 4,
          stuck: false,
        },
      ],
      waiters: [],
      orphans: [],
    },
    {
      name: 'Backup',
      paused: true,
      pausedBy: 'CONTOSO\\kim',
      tainted: true,
      holders: [],
      waiters: [],
      orphans: [{ ticket: 'orphan-1', name: 'Backup sql-02', pid: 5120, since: ago(60 * minute), by: 'CONTOSO\\kim' }],
    },
  ];
}

export function history(): HistoryEntry[] {
  const entry = (
    id: number,
    at: string,
    kind: string,
    text: string,
    code: string | null,
    data: HistoryEntry['data'] = null,
  ): HistoryEntry => ({
    id,
    at,
    ticket: 'orphan-1',
    name: 'Backup sql-02',
    mutex: 'Backup',
    who: kind === 'orphan-ended' ? 'Unjam' : 'CONTOSO\\kim',
    via: 'window',
    kind,
    code,
    text,
    data,
  });
  return [
    entry(
      4,
      ago(59 * minute),
      'abandon',
      'ABANDONED by CONTOSO\\kim (window), reason "INC-4471". Unjam released mutex "Backup". NOTHING WAS ENDED: PID 5120 was running.',
      'W221',
      {
        reason: 'INC-4471',
        evidence: ['No output for 48 min.', 'CPU 0.0 s in the last 60 s.'],
      },
    ),
    entry(
      3,
      ago(61 * minute),
      'kill',
      'Force Kill: 2 of 3 processes ended. PID 8444 (robocopy.exe) still exists after 5 s.',
      'W213',
    ),
    entry(
      2,
      ago(63 * minute),
      'cancel',
      'Cancel requested by CONTOSO\\kim (window). Sent Ctrl+Break to the process group of PID 5120.',
      'W201',
    ),
    entry(1, ago(120 * minute), 'started', 'Started by CONTOSO\\svc-deploy (api).', null),
  ];
}

export function deployLog(): LogEntry[] {
  const base = Date.now() - 52 * minute;
  const lines: Omit<LogEntry, 'seq' | 'next'>[] = [];
  for (let n = 1; n <= 120; n += 1)
    lines.push({
      stream: 'stdout',
      at: new Date(base + n * 1_500).toISOString(),
      code: null,
      text: `  New File   ${n * 37} k   bin\\module-${n}.dll`,
    });
  const last = base + 120 * 1_500;
  lines.push(
    {
      stream: 'stdout',
      at: new Date(last + 1_000).toISOString(),
      code: null,
      text: '\u001b[32mCopied\u001b[0m 120 files, \u001b[1;33m2 warnings\u001b[0m, \u001b[38;2;255;230;0mtrue colour\u001b[0m',
    },
    {
      stream: 'stderr',
      at: new Date(last + 2_000).toISOString(),
      code: null,
      text: 'robocopy : retry 3 of 10: sharing violation on bin\\app.dll',
    },
    { stream: 'stdout', at: new Date(last + 2_100).toISOString(), code: null, text: 'Waiting 30 seconds...' },
    {
      stream: 'unjam',
      at: new Date(last + 45 * minute).toISOString(),
      code: 'W102',
      text: 'The holder of "RunningScript" looks stuck: no output for 10 min, CPU 0.0 s in 60 s.',
    },
  );
  let seq = 0;
  return lines.map((line) => {
    const next = seq + Buffer.byteLength(line.text) + 1;
    const whole = { ...line, seq, next };
    seq = next;
    return whole;
  });
}
