/** What is measured of a script's processes when somebody asks why it does not go on: facts only, no verdict. */

export type ExaminedState = 'running' | 'sleeping' | 'kernel' | 'stopped' | 'zombie' | 'unknown';

/** A process at the other end of a pipe. */
export interface PipeEnd {
  readonly pid: number;
  readonly name: string;
}

/** What a thread waits for, as far as its system call and its descriptors tell. */
export type Awaited =
  /** `descriptor` null: the pipe's other end has not been opened yet (open(2) of a named pipe). */
  | {
      readonly kind: 'pipe';
      readonly direction: 'read' | 'write';
      readonly descriptor: number | null;
      readonly others: readonly PipeEnd[];
    }
  | { readonly kind: 'terminal'; readonly descriptor: number; readonly path: string }
  /** `peer`: `10.1.2.3:443`; null for what is no connected TCP socket. */
  | { readonly kind: 'socket'; readonly descriptor: number; readonly peer: string | null }
  | { readonly kind: 'file'; readonly descriptor: number; readonly path: string }
  /** A child process; which of them is in the table. */
  | { readonly kind: 'child' }
  | { readonly kind: 'timer' }
  /** A lock between threads or processes: futex(2), flock(2). */
  | { readonly kind: 'lock' };

export interface ExaminedThread {
  readonly id: number;
  readonly state: ExaminedState;
  /** Kernel function or wait reason: `hrtimer_nanosleep`, `Executive`; null when unknown or not waiting. */
  readonly waitsIn: string | null;
  /** System call: `read`; null when it runs in user mode or may not be asked. */
  readonly call: string | null;
  readonly awaits: Awaited | null;
}

export interface Examination {
  /** Signals that reach the process without effect: `SIGTERM`; null when unknown. */
  readonly ignoredSignals: readonly string[] | null;
  readonly caughtSignals: readonly string[] | null;
  readonly blockedSignals: readonly string[] | null;
  /** An end was asked for and has not happened yet. */
  readonly killPending: boolean;
  readonly threadCount: number;
  /** At most 64; the main thread first. */
  readonly threads: readonly ExaminedThread[];
}

/** One process of the tree between two looks at it. */
export interface ExaminedProcess extends Examination {
  readonly pid: number;
  readonly parentPid: number;
  readonly name: string;
  readonly isRoot: boolean;
  readonly state: ExaminedState;
  readonly user: string | null;
  /** True when the host may not signal it. */
  readonly foreign: boolean;
  /** True while it waits at Unjam's gate: the command has not begun. */
  readonly atGate: boolean;
  /** CPU time since its start; null when not readable. */
  readonly cpuMs: number | null;
  /** CPU time between the two looks. */
  readonly cpuDeltaMs: number | null;
}

/** Of a process that cannot be examined. */
export const unexamined: Examination = {
  ignoredSignals: null,
  caughtSignals: null,
  blockedSignals: null,
  killPending: false,
  threadCount: 0,
  threads: [],
};

/** As a diagnosis shows it; times in whole ms. */
export const shownProcess = (p: ExaminedProcess) => ({
  pid: p.pid,
  parentPid: p.parentPid,
  name: p.name,
  state: p.state,
  user: p.user,
  cpuMs: rounded(p.cpuMs),
  cpuDeltaMs: rounded(p.cpuDeltaMs),
  threads: p.threads.map(({ id, state, waitsIn, call }) => ({ id, state, waitsIn, call })),
  threadCount: p.threadCount,
});

const rounded = (n: number | null): number | null => (n === null ? null : Math.round(n));
