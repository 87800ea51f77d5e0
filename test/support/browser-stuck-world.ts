/** What an operator meets at night: a script that hangs, those that wait for it, and what happened before. */
import type { ScriptDetail } from '../../app/contract/methods.ts';
import { deployLog, history, mutexes } from './browser-stuck-facts.ts';
import { ago, impossible, minute, possible, processOf, script, World } from './browser-worlds.ts';

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
      label: `Blocked ${since / minute} min, ${position} of 3`,
      headline: `Cannot start: "RunningScript" has been held by a stuck script, "Deploy web-eu / step 4", for 52 min. ${position} of 3.`,
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
        headline: 'Stuck: no output for 47 min; 3 scripts are waiting behind it.',
        severity: 'critical',
        icon: 'triangle',
        next: 'cancel',
      },
      evidence: {
        for: [
          'No output for 47 min 12 s (limit 10 min).',
          'CPU 0.0 s and I/O 0 bytes in the last 60 s, all 3 processes together.',
          'Running for 52 min. The last 20 successful runs took 4 min (median), 6 min at most.',
          '3 scripts are waiting for "RunningScript".',
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
          'Abandoned at 02:14:10 by CONTOSO\\kim. PID 5120 is still running and may still change files. Unjam holds no mutex for it.',
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
  world.mutexes = mutexes();
  world.history = history();
  world.logs.set('9f2c-41aa', deployLog());
  return world;
}
