/** An observed script in the shape of a supervised one: lists, trays and questions show both side by side. Pure. */

/** As a list shows it. Times as ISO 8601. */
export interface ObservedRow<Of, Condition> {
  readonly id: string;
  readonly name: string;
  readonly pid: number | null;
  readonly process: Of | null;
  readonly mutex: string | null;
  readonly isolation: 'full' | 'none' | null;
  readonly waiters: readonly string[];
  readonly startedAt: string;
  readonly lastOutputAt: string | null;
  readonly stuck: boolean;
  readonly taken: { readonly by: string; readonly since: string; readonly until: string } | null;
  readonly condition: Condition;
}

interface Verb {
  readonly possible: boolean;
  readonly text: string;
}

export interface ObservedInFull<Of, Condition, Attempt, Signal, Survivor> extends ObservedRow<Of, Condition> {
  readonly user: string | null;
  readonly tree: readonly {
    readonly pid: number;
    readonly parentPid: number;
    readonly name: string;
    readonly startedAt: string;
    readonly cpuMs: number | null;
    readonly ioBytes: number | null;
    readonly state: string;
    readonly waitsFor: string | null;
    readonly survivor: Survivor | null;
  }[];
  readonly outputHolders: readonly { readonly pid: number; readonly name: string; readonly startedAt: string }[];
  readonly attempts: Attempt;
  readonly signal: Signal;
  readonly verbs: { readonly cancel: Verb; readonly kill: Verb };
  readonly instead: string;
}

const states = {
  cancelling: 'cancelling',
  killing: 'killing',
  unkillable: 'unkillable',
  ended: 'final',
  gone: 'final',
};

export function observedRow<Of, Condition extends { readonly key: string }>(o: ObservedRow<Of, Condition>) {
  const state = (states as Partial<Record<string, string>>)[o.condition.key] ?? 'running';
  return {
    ticket: o.id,
    name: o.name,
    // A decision is about the process that it was made on, not about a state of a lifecycle that Unjam does not have.
    version: o.pid ?? 0,
    state: state as 'running' | 'cancelling' | 'killing' | 'unkillable' | 'final',
    verdict: null,
    timeout: null,
    exitCode: null,
    signal: null,
    resultCode: 0,
    pid: o.pid,
    process: o.process,
    mutex: o.mutex,
    isolation: o.isolation,
    holdsMutex: false,
    blocks: o.waiters.length,
    waitingFor: null,
    holder: null,
    queuePosition: null,
    queueLength: null,
    createdAt: o.startedAt,
    startedAt: o.startedAt,
    endedAt: null,
    lastOutputAt: o.lastOutputAt,
    stuck: o.stuck,
    orphan: false,
    taken: o.taken,
    condition: o.condition,
  };
}

/** Command lines of strangers are known to nobody, so they are empty. */
export function observedInFull<Of, Condition extends { readonly key: string }, Attempt, Signal, Survivor>(
  o: ObservedInFull<Of, Condition, Attempt, Signal, Survivor>,
) {
  // Once the script has gone, who holds its output open is what Force Kill is about.
  const holders = o.outputHolders.map((h) => ({
    ...h,
    parentPid: 0,
    cpuMs: null,
    ioBytes: null,
    state: 'holds the output open',
    waitsFor: null,
    survivor: null,
  }));
  const depths = new Map<number, number>();
  return {
    ...observedRow(o),
    command: [],
    cwd: '',
    actor: { user: o.user ?? 'unknown', via: 'unjam' as const },
    fence: null,
    runnerPid: null,
    runDirectory: '',
    cancelSignal: o.signal,
    graceMs: 0,
    timeouts: { overallMs: null, noOutputMs: null, mutexMs: null },
    evidence: { for: [], against: [] },
    attempts: o.attempts,
    waiters: [],
    processes: [...o.tree, ...holders].map(({ waitsFor, ...process }) => {
      const above = depths.get(process.parentPid);
      const depth = above === undefined ? 0 : above + 1;
      depths.set(process.pid, depth);
      const state =
        process.state === 'kernel' ? `waits in kernel${waitsFor === null ? '' : ` (${waitsFor})`}` : process.state;
      return { ...process, state, depth, commandLine: '', startTime: '', user: null };
    }),
    verbs: { ...o.verbs, abandon: { possible: false, text: o.instead } },
    logBytes: 0,
  };
}
