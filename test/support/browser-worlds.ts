/** What a world of the browser's host is made of: scripts, and how many of them. */
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

import { overview } from '../../app/domain/overview.ts';
import type { Values } from '../../app/settings/layers.ts';

export const minute = 60_000;
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
  you: { user: 'CONTOSO\\kim', role: 'owner', refused: {} },
  startedAt: ago(600 * minute),
  stateDirectory: 'C:\\ProgramData\\Unjam',
  capabilities: [],
  killDisabled: false,
  outdated: null,
  warnings: [],
};

export class World {
  readonly scripts = new Map<string, ScriptDetail>();
  mutexes: MutexView[] = [];
  history: HistoryEntry[] = [];
  readonly logs = new Map<string, LogEntry[]>();
  /** What the person has set, and what the administrator has. */
  settings: Values = {};
  policy: Values = {};
  /** What the host says of itself, where it is not as usual. */
  host: Partial<HostInfo> = {};
  /** Only for what the real one cannot say, as an engine that is offline. */
  overview: Overview | null = null;

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
    const scripts = [...this.scripts.values()].map(listView);
    return {
      at: new Date().toISOString(),
      machine: 'WEB-EU-07',
      overview: this.overview ?? this.#overview(scripts),
      scripts,
      mutexes: this.mutexes,
    };
  }

  #overview(scripts: readonly ScriptView[]): Overview {
    const rows = scripts.map((view) => ({
      ...view,
      key: view.condition.key,
      next: view.condition.next,
      severity: view.condition.severity,
      attempted: this.scripts.get(view.ticket)?.attempts.length ?? 0,
      startedAt: view.startedAt === null ? null : Date.parse(view.startedAt),
      queuedAt: view.state === 'queued' ? Date.parse(view.createdAt) : null,
    }));
    const paused = this.mutexes.filter((mutex) => mutex.paused).map((mutex) => mutex.name);
    return overview(rows, paused, Date.now());
  }
}

/** The list gets less than the detail, as from the real host. */
export function listView(detail: ScriptDetail): ScriptView {
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

export const possible = (text: string) => ({ possible: true, text });
export const impossible = (text: string) => ({ possible: false, text });

export const verbTexts = {
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
    taken: null,
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

export function processOf(
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
    startTime: `t${pid}`,
    cpuMs: 1_230,
    state: 'sleeping',
    user: null,
    survivor: null,
    ...more,
  };
}

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
