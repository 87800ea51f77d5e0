/** Worlds that the fake host shows: scripts in the states that an operator meets at night. */
import type {
  HistoryEntry,
  HostInfo,
  LogEntry,
  MutexView,
  Overview,
  ScriptDetail,
  ScriptView,
  Snapshot,
} from '../../app/contract/methods.ts';

import type { Values } from '../../app/settings/layers.ts';

const minute = 60_000;
export const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

export const hostInfo: HostInfo = {
  name: 'unjam',
  version: '0.1.0',
  protocol: 1,
  pid: 4242,
  machine: 'WEB-EU-07',
  user: 'CONTOSO\\kim',
  platform: 'win32',
  elevated: false,
  startedAt: ago(600 * minute),
  stateDirectory: 'C:\\ProgramData\\Unjam',
  capabilities: [],
  killDisabled: false,
};

export class World {
  readonly scripts = new Map<string, ScriptDetail>();
  mutexes: MutexView[] = [];
  history: HistoryEntry[] = [];
  readonly logs = new Map<string, LogEntry[]>();
  /** What the person has set, and what the administrator has. */
  settings: Values = {};
  policy: Values = {};
  overview: Overview = {
    sentence: 'Nothing is running.',
    detail: 'No script waits for a mutex.',
    title: 'Nothing running - Unjam',
    tooltip: 'Unjam: nothing is running',
    severity: 'neutral',
    tray: 'idle',
    ticket: null,
    next: 'none',
  };

  add(...scripts: readonly ScriptDetail[]): this {
    for (const one of scripts) this.scripts.set(one.ticket, one);
    return this;
  }

  /** Replaces parts of one script; its version grows as in the real host. */
  change(ticket: string, parts: Partial<ScriptDetail>): void {
    const before = this.scripts.get(ticket);
    if (before === undefined) throw new Error(`no script ${ticket}`);
    this.scripts.set(ticket, { ...before, version: before.version + 1, ...parts });
  }

  snapshot(): Omit<Snapshot, 'sequence'> {
    return {
      at: new Date().toISOString(),
      machine: 'WEB-EU-07',
      overview: this.overview,
      scripts: [...this.scripts.values()].map(viewOf),
      mutexes: this.mutexes,
    };
  }
}

/** The list gets less than the detail, as from the real host. */
function viewOf(detail: ScriptDetail): ScriptView {
  const {
    command: _command,
    cwd: _cwd,
    actor: _actor,
    fence: _fence,
    runnerPid: _runnerPid,
    runDirectory: _runDirectory,
    cancelSignal: _cancelSignal,
    graceMs: _graceMs,
    timeouts: _timeouts,
    evidence: _evidence,
    attempts: _attempts,
    waiters: _waiters,
    processes: _processes,
    verbs: _verbs,
    logBytes: _logBytes,
    ...view
  } = detail;
  return view;
}

const possible = (text: string) => ({ possible: true, text });
const impossible = (text: string) => ({ possible: false, text });

const verbTexts = {
  cancel: possible('Asks it to stop. It has 30 s to exit. The mutex stays held until every process has gone.'),
  kill: possible('Ends all its processes at once and checks that they are gone.'),
  abandon: impossible('Available when Cancel has been tried for 30 s, or when the script is unkillable.'),
};

export function script(parts: Partial<ScriptDetail> & { readonly ticket: string }): ScriptDetail {
  const pid = parts.pid === undefined ? 7000 : parts.pid;
  return {
    name: `Script ${parts.ticket}`,
    version: 1,
    state: 'running',
    verdict: null,
    timeout: null,
    exitCode: null,
    signal: null,
    resultCode: 0,
    pid,
    process: pid === null ? null : { pid, startTime: `t${pid}`, startedAt: ago(12 * minute), name: 'powershell.exe' },
    mutex: null,
    isolation: null,
    holdsMutex: false,
    blocks: 0,
    waitingFor: null,
    holder: null,
    queuePosition: null,
    queueLength: null,
    createdAt: ago(12 * minute),
    startedAt: ago(12 * minute),
    endedAt: null,
    lastOutputAt: ago(3_000),
    stuck: false,
    orphan: false,
    condition: {
      key: 'running',
      label: 'Running 12 min',
      headline: 'Running. Last output 3 s ago.',
      severity: 'info',
      icon: 'play',
      next: 'none',
    },
    command: ['powershell.exe', '-File', 'deploy.ps1'],
    cwd: 'D:\\Work',
    actor: { user: 'CONTOSO\\svc-deploy', via: 'api' },
    fence: null,
    runnerPid: 7001,
    runDirectory: `C:\\ProgramData\\Unjam\\runs\\${parts.ticket}`,
    cancelSignal: 'ctrl-break',
    graceMs: 10_000,
    timeouts: { overallMs: null, noOutputMs: null, mutexMs: null },
    evidence: { for: [], against: ['Last output 3 s ago (limit 10 min).'] },
    attempts: [],
    waiters: [],
    processes: pid === null ? [] : [processOf(pid, 'powershell.exe', 12 * minute)],
    verbs: verbTexts,
    logBytes: 1024,
    ...parts,
  };
}

function processOf(
  pid: number,
  name: string,
  age: number,
  more: Partial<ScriptDetail['processes'][number]> = {},
): ScriptDetail['processes'][number] {
  return {
    pid,
    parentPid: 1,
    depth: 0,
    name,
    commandLine: `${name} -File D:\\Deploy\\web-eu\\step4.ps1 -Environment production`,
    startedAt: ago(age),
    cpuMs: 1_230,
    state: 'sleeping',
    user: null,
    survivor: null,
    ...more,
  };
}

const treeOf7312 = [
  processOf(7312, 'powershell.exe', 52 * minute),
  processOf(8120, 'conhost.exe', 52 * minute, { depth: 1, parentPid: 7312, commandLine: 'conhost.exe 0x4' }),
  processOf(8444, 'robocopy.exe', 49 * minute, {
    depth: 1,
    parentPid: 7312,
    commandLine: 'robocopy D:\\Build D:\\Apps /MIR',
    state: 'waits in kernel',
  }),
];

function waiter(
  ticket: string,
  name: string,
  position: number,
  since: number,
  isolation: 'full' | 'none' = 'full',
): ScriptDetail {
  return script({
    ticket,
    name,
    state: 'queued',
    pid: null,
    startedAt: null,
    lastOutputAt: null,
    createdAt: ago(since),
    mutex: 'RunningScript',
    isolation,
    waitingFor: '9f2c-41aa',
    holder: { ticket: '9f2c-41aa', name: 'Deploy web-eu / step 4', pid: 7312, since: ago(52 * minute), stuck: true },
    queuePosition: position,
    queueLength: 3,
    condition: {
      key: 'blocked',
      label: `Blocked ${since / minute} min, ${['1st', '2nd', '3rd'][position - 1]} of 3`,
      headline: `Cannot start: "RunningScript" is held by a stuck script, "Deploy web-eu / step 4", for 52 min. ${['1st', '2nd', '3rd'][position - 1]} of 3.`,
      severity: 'warning',
      icon: 'hourglass-bar',
      next: 'show-holder',
    },
    evidence: { for: [], against: [] },
    verbs: {
      cancel: possible('Removes it from the queue. It has not started; nothing needs to be ended.'),
      kill: impossible('It has not started: there is no process to end.'),
      abandon: impossible('It has not started and holds no mutex.'),
    },
  });
}

/** One stuck script, three waiters, one orphan, one running, one finished, one failed. */
export function stuckWorld(): World {
  const world = new World();
  world.add(
    script({
      ticket: '9f2c-41aa',
      name: 'Deploy web-eu / step 4',
      pid: 7312,
      version: 7,
      process: { pid: 7312, startTime: 't7312', startedAt: ago(52 * minute), name: 'powershell.exe' },
      mutex: 'RunningScript',
      isolation: 'full',
      holdsMutex: true,
      fence: 118,
      blocks: 3,
      createdAt: ago(52 * minute),
      startedAt: ago(52 * minute),
      lastOutputAt: ago(47 * minute + 12_000),
      stuck: true,
      condition: {
        key: 'stuck-silent',
        label: 'Stuck: silent 47 min',
        headline: 'Stuck: no output for 47 min; 3 scripts wait behind it.',
        severity: 'critical',
        icon: 'triangle',
        next: 'cancel',
      },
      evidence: {
        for: [
          'No output for 47 min 12 s (limit 10 min).',
          'CPU 0.0 s and I/O 0 bytes in the last 60 s, all 3 processes together.',
          'Running for 52 min. The last 20 successful runs took 4 min (median), 6 min at most.',
          '3 scripts wait for "RunningScript".',
        ],
        against: [],
      },
      processes: treeOf7312,
      waiters: [
        { ticket: 'a1', name: 'Deploy api-eu / step 1', isolation: 'full', position: 1, since: ago(46 * minute) },
        { ticket: 'a2', name: 'Deploy web-us / step 1', isolation: 'none', position: 2, since: ago(31 * minute) },
        { ticket: 'a3', name: 'DB migrate', isolation: 'full', position: 3, since: ago(12 * minute) },
      ],
    }),
    waiter('a1', 'Deploy api-eu / step 1', 1, 46 * minute),
    waiter('a2', 'Deploy web-us / step 1', 2, 31 * minute, 'none'),
    waiter('a3', 'DB migrate', 3, 12 * minute),
    script({
      ticket: 'orphan-1',
      name: 'Backup sql-02',
      pid: 5120,
      state: 'final',
      verdict: 'abandoned',
      orphan: true,
      mutex: 'Backup',
      isolation: 'full',
      createdAt: ago(120 * minute),
      endedAt: ago(60 * minute),
      condition: {
        key: 'abandoned',
        label: 'Abandoned, still running',
        headline:
          'Abandoned at 02:14:10 by CONTOSO\\kim. PID 5120 still runs and may still change files. Unjam holds no mutex for it.',
        severity: 'orphan',
        icon: 'ring',
        next: 'none',
      },
    }),
    script({
      ticket: 'health',
      name: 'Health check',
      pid: 9044,
      mutex: 'HealthCheck',
      isolation: 'none',
      holdsMutex: true,
    }),
    script({
      ticket: 'done-1',
      name: 'Deploy web-us / step 4',
      pid: 6688,
      state: 'final',
      verdict: 'exited',
      exitCode: 0,
      endedAt: ago(3 * minute),
      condition: {
        key: 'finished',
        label: 'Finished, exit code 0',
        headline: 'Finished in 4 min 12 s.',
        severity: 'neutral',
        icon: 'check',
        next: 'none',
      },
      verbs: {
        cancel: impossible('It has finished.'),
        kill: impossible('It has finished.'),
        abandon: impossible('It has finished.'),
      },
      processes: [],
    }),
    script({
      ticket: 'failed-1',
      name: 'Import price list',
      pid: 6700,
      state: 'final',
      verdict: 'exited',
      exitCode: 5,
      endedAt: ago(33 * minute),
      condition: {
        key: 'failed',
        label: 'Failed, exit code 5',
        headline: 'Failed with exit code 5 after 3 min.',
        severity: 'warning',
        icon: 'cross',
        next: 'log',
      },
      verbs: {
        cancel: impossible('It has finished.'),
        kill: impossible('It has finished.'),
        abandon: impossible('It has finished.'),
      },
      processes: [],
    }),
  );
  world.overview = {
    sentence: '1 stuck script blocks 3 scripts on "RunningScript"',
    detail:
      'Oldest wait 46 min 10 s. Nothing has been tried yet. Next step for "Deploy web-eu / step 4" (PID 7312): Cancel.',
    title: '1 stuck, blocks 3 - Unjam',
    tooltip: 'Unjam: 1 STUCK',
    severity: 'critical',
    tray: 'stuck',
    ticket: '9f2c-41aa',
    next: 'cancel',
  };
  world.mutexes = mutexes();
  world.history = history();
  world.logs.set('9f2c-41aa', deployLog());
  return world;
}

function mutexes(): MutexView[] {
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

function history(): HistoryEntry[] {
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

function deployLog(): LogEntry[] {
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

/** What the stuck script looks like after Cancel was ignored. */
export const cancelIgnored = {
  state: 'cancelling',
  condition: {
    key: 'cancel-ignored',
    label: 'Stuck: Cancel ignored',
    headline: 'Stuck: Cancel ignored; 3 of 3 processes still there 40 s after it was sent.',
    severity: 'critical',
    icon: 'stop-slash',
    next: 'kill',
  },
  attempts: [
    {
      at: ago(40_000),
      what: 'cancel',
      actor: 'CONTOSO\\kim (window)',
      code: 'W201',
      text: 'Sent Ctrl+Break to the process group of PID 7312.',
    },
  ],
  verbs: {
    ...verbTexts,
    abandon: possible('Releases the mutex at once and ends nothing. The processes may keep running.'),
  },
} satisfies Partial<ScriptDetail>;

/** … and after Force Kill has failed as well. */
export const unkillable = {
  state: 'unkillable',
  condition: {
    key: 'unkillable',
    label: 'Unkillable: in kernel',
    headline:
      'Stuck: Unkillable for 31 s. The system accepted the request to end PID 8444, but it still exists: a thread waits inside a kernel call.',
    severity: 'critical',
    icon: 'octagon-x',
    next: 'abandon',
  },
  attempts: [
    ...cancelIgnored.attempts,
    {
      at: ago(31_000),
      what: 'kill',
      actor: 'CONTOSO\\kim (window)',
      code: 'W211',
      text: 'Ending 3 processes; 2 of 3 ended.',
    },
  ],
  processes: [
    processOf(7312, 'powershell.exe', 52 * minute),
    processOf(8444, 'robocopy.exe', 49 * minute, {
      depth: 1,
      parentPid: 7312,
      commandLine: 'robocopy D:\\Build D:\\Apps /MIR',
      state: 'waits in kernel',
      survivor: { reason: 'kernel', detail: '1 of its 4 threads waits inside a kernel call (wait reason Executive)' },
    }),
  ],
  verbs: cancelIgnored.verbs,
} satisfies Partial<ScriptDetail>;

/** What a waiter looks like after "Remove from queue". */
export const removedFromQueue = {
  state: 'final',
  verdict: 'cancelled',
  condition: {
    key: 'cancelled',
    label: 'Cancelled by kim',
    headline: 'Cancelled by CONTOSO\\kim while it waited; it was never started.',
    severity: 'neutral',
    icon: 'stop',
    next: 'none',
  },
  timeouts: { overallMs: 600_000, noOutputMs: null, mutexMs: 3_600_000 },
} satisfies Partial<ScriptDetail>;

export function manyScripts(count: number): World {
  const world = new World();
  for (let n = 0; n < count; n += 1)
    world.add(
      script({
        ticket: `t${n}`,
        name: `Deploy service-${n} / step ${n % 7}`,
        pid: 10_000 + n,
        createdAt: ago((count - n) * 1_000),
        mutex: `Mutex-${n % 40}`,
        isolation: 'none',
      }),
    );
  world.overview = {
    ...world.overview,
    sentence: `Nothing is blocked. ${count} scripts run.`,
    title: `${count} running - Unjam`,
    severity: 'info',
    tray: 'running',
  };
  return world;
}

/** Output that tries to be something else: markup, escape codes, bidirectional tricks, lines of Unjam. */
export const hostileLines: readonly Omit<LogEntry, 'seq' | 'next'>[] = [
  '<img src=x onerror="document.title=1"><script>document.title=2</script>',
  'access level: \u202euser\u2066// admin\u2069\u202c',
  '\u001b]0;own the title\u0007\u001b[2J\u001b[1;1Hcleared?\u001b[31mred\u001b[0m',
  'Unjam W221 ABANDONED by nobody',
  'progress 10 %\rprogress 50 %\rprogress 100 %',
  `long ${'x'.repeat(20_000)} end`,
  'nul \u0000 bell \u0007 del \u007f',
].map((text) => ({ stream: 'stdout' as const, at: ago(minute), code: null, text }));
