/** Scripts and snapshots for the tests of main. Each is checked against the contract, so that they cannot drift from it. */
import type {
  MutexView,
  ObservedDetail,
  ObservedView,
  ScriptDetail,
  ScriptView,
  Snapshot,
} from '../../app/contract/methods.ts';
import * as observedSchemas from '../../app/contract/observed-schemas.ts';
import * as schemas from '../../app/contract/schemas.ts';

/** 20 November 2026, 03:14:00 UTC. */
export const now = Date.UTC(2026, 10, 20, 3, 14);
export const at = (ms: number) => new Date(ms).toISOString();
export const minutes = (n: number) => n * 60_000;

export function script(changes: Partial<ScriptView> = {}): ScriptView {
  const pid = changes.pid === undefined ? 7312 : changes.pid;
  return schemas.ScriptView.parse({
    ticket: 'web-eu-4',
    name: 'Deploy web-eu / step 4',
    version: 5,
    state: 'running',
    verdict: null,
    timeout: null,
    exitCode: null,
    signal: null,
    resultCode: 0,
    pid,
    process:
      pid === null
        ? null
        : { pid, startTime: `start-of-${pid}`, startedAt: at(now - minutes(54)), name: 'powershell.exe' },
    mutex: 'RunningScript',
    isolation: 'full',
    holdsMutex: true,
    blocks: 3,
    waitingFor: null,
    holder: null,
    queuePosition: null,
    queueLength: null,
    createdAt: at(now - minutes(54)),
    startedAt: at(now - minutes(54)),
    endedAt: null,
    lastOutputAt: at(now - minutes(47)),
    stuck: true,
    orphan: false,
    taken: null,
    condition: {
      key: 'stuck',
      label: 'Stuck: silent 47 min',
      headline: 'Stuck: no output for 47 min; 3 scripts are waiting behind it.',
      severity: 'critical',
      icon: 'triangle',
      next: 'cancel',
    },
    ...changes,
  });
}

export function detail(changes: Partial<ScriptDetail> = {}): ScriptDetail {
  const verb = { possible: true, text: 'possible' };
  return schemas.ScriptDetail.parse({
    ...script(),
    command: ['powershell.exe', '-File', 'deploy.ps1'],
    cwd: 'C:\\Deploy',
    actor: { user: 'CONTOSO\\agent', via: 'api' },
    fence: 12,
    runnerPid: 7300,
    runDirectory: 'C:\\ProgramData\\Unjam\\scripts\\web-eu-4',
    cancelSignal: 'ctrl-break',
    graceMs: 30_000,
    timeouts: { overallMs: null, noOutputMs: null, mutexMs: null },
    evidence: { for: ['No output for 47 min.'], against: [] },
    attempts: [{ at: at(now - 40_000), what: 'cancel', actor: 'CONTOSO\\kim', code: 'W201', text: null }],
    waiters: [
      {
        ticket: 'api-eu-1',
        name: 'Deploy api-eu / step 1',
        isolation: 'full',
        position: 1,
        since: at(now - minutes(46)),
      },
    ],
    processes: [process(7312, 'powershell.exe'), process(8120, 'conhost.exe'), process(8444, 'robocopy.exe')],
    verbs: { cancel: verb, kill: verb, abandon: verb },
    logBytes: 4096,
    ...changes,
  });
}

function process(pid: number, name: string): ScriptDetail['processes'][number] {
  return {
    pid,
    parentPid: 7300,
    depth: pid === 7312 ? 0 : 1,
    name,
    commandLine: name,
    startedAt: at(now - minutes(54)),
    startTime: `t${pid}`,
    cpuMs: 10,
    state: 'sleeping',
    user: null,
    survivor: null,
  };
}

export function mutex(
  name: string,
  holders: readonly ScriptView[],
  waitingSince = now - minutes(46),
  waiters = 3,
): MutexView {
  return schemas.MutexView.parse({
    name,
    paused: false,
    pausedBy: null,
    tainted: false,
    holders: holders.map((s) => ({
      ticket: s.ticket,
      name: s.name,
      pid: s.pid,
      level: 'full',
      since: s.createdAt,
      fence: 1,
      stuck: s.stuck,
    })),
    waiters: Array.from({ length: waiters }, (_, i) => ({
      ticket: `${name}-waiter-${i}`,
      name: `Waiter ${i}`,
      level: 'full',
      since: at(waitingSince),
      position: i + 1,
      why: 'held',
    })),
    orphans: [],
  });
}

const leftBehind: ObservedView = {
  id: 'o-4242-77',
  agent: { key: 'github', name: 'GitHub Actions runner', pid: null },
  name: 'octo/shop / deploy',
  pid: 4242,
  process: { pid: 4242, startTime: 't4242', startedAt: at(now - minutes(90)), name: 'bash' },
  user: 'runner',
  processes: 2,
  startedAt: at(now - minutes(90)),
  lastOutputAt: null,
  mutex: null,
  isolation: null,
  waiters: [],
  taken: null,
  ticket: null,
  stuck: true,
  leftBehind: true,
  condition: {
    key: 'left-behind',
    label: 'Left behind',
    headline: 'Left behind: nothing waits for it any more.',
    severity: 'critical',
    icon: 'ring',
    next: 'kill',
  },
};

export const observed = (changes: Partial<ObservedView> = {}): ObservedView =>
  observedSchemas.ObservedView.parse({ ...leftBehind, ...changes });

export const observedDetail = (changes: Partial<ObservedDetail> = {}): ObservedDetail =>
  observedSchemas.ObservedDetail.parse({
    ...leftBehind,
    carriers: [{ pid: 4200, name: 'Runner.Worker' }],
    tree: [4242, 4243].map((pid) => ({
      pid,
      parentPid: pid - 1,
      name: 'bash',
      startedAt: at(now - minutes(90)),
      cpuMs: 10,
      ioBytes: null,
      state: 'sleeping',
      waitsFor: null,
      survivor: null,
    })),
    log: null,
    attempts: [],
    signal: 'SIGTERM',
    verbs: {
      cancel: { possible: true, text: 'Runner.Worker is spared.' },
      kill: { possible: true, text: 'Runner.Worker is spared.' },
    },
    instead: 'The runner knows.',
    outputHolders: [],
    missing: null,
    ...changes,
  });

export function snapshot(
  scripts: readonly ScriptView[] = [],
  mutexes?: readonly MutexView[],
  changes: Partial<Snapshot['overview']> = {},
): Snapshot {
  return schemas.Snapshot.parse({
    sequence: 1,
    at: at(now),
    machine: 'WEB-01',
    overview: {
      sentence: 'One script is stuck.',
      detail: 'It blocks 3.',
      title: '1 stuck - Unjam',
      tooltip: 'Unjam: 1 STUCK, blocks 3 on "RunningScript" for 47 min. Double-click to open',
      severity: 'critical',
      tray: 'stuck',
      ticket: null,
      next: 'cancel',
      ...changes,
    },
    scripts,
    mutexes:
      mutexes ??
      [...new Set(scripts.flatMap((s) => s.mutex ?? []))].map((name) =>
        mutex(
          name,
          scripts.filter((s) => s.mutex === name && s.holdsMutex),
        ),
      ),
  });
}
