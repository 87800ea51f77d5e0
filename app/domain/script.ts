/** A script: one supervised run of a command. The types that every layer shares; no behaviour. */
import type { ProcessIdentity } from './identity.ts';

export const scriptStates = [
  'queued',
  'starting',
  'running',
  'cancelling',
  'killing',
  'unkillable',
  'orphaned',
  'final',
] as const;
export type ScriptState = (typeof scriptStates)[number];

export const verdictKinds = [
  'exited',
  'cancelled',
  'killed',
  'timed-out',
  'abandoned',
  'failed-to-start',
  'never-started',
  'lost',
] as const;
export type VerdictKind = (typeof verdictKinds)[number];

/** Limits that end a script which runs. */
export const limitKinds = ['overall', 'first-output', 'no-output'] as const;
export type LimitKind = (typeof limitKinds)[number];

export const timeoutKinds = [...limitKinds, 'mutex', 'start'] as const;
export type TimeoutKind = (typeof timeoutKinds)[number];

/** full = exclusive, none = shared. */
export const isolationLevels = ['full', 'none'] as const;
export type IsolationLevel = (typeof isolationLevels)[number];

export interface Isolation {
  readonly level: IsolationLevel;
  /** The mutex's name as the caller wrote it; compared case-insensitively. */
  readonly mutex: string;
  /** How long the script may wait for the mutex, 10 ms to 1 day; null = for ever. */
  readonly timeoutMs: number | null;
  /** Run under the hold of the script that this one is started from; without such a hold it is not started. */
  readonly inherit?: true;
}

export const cancelSignals = ['ctrl-c', 'ctrl-break', 'SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGKILL'] as const;
export type CancelSignal = (typeof cancelSignals)[number];

/** After a Cancel, Force Kill or time limit; also after a failure of the script's own; after any end. */
export const cleanupTimes = ['cancel', 'failure', 'always'] as const;
export type CleanupTime = (typeof cleanupTimes)[number];

/** Who asked, and through which door. */
export interface Actor {
  readonly user: string;
  /** `fleet`: a person on another host, whom the engine of the fleet knows. */
  readonly via: 'cli' | 'api' | 'window' | 'browser' | 'fleet' | 'unjam';
}

/** Whether it was decided on a picture of the script that may be old by now. */
export const actsFromView = ({ via }: Actor): boolean => via === 'window' || via === 'browser' || via === 'fleet';

/** Who acts when no person asked: a limit, a setting, Unjam's own care. */
export const unjam: Actor = { user: 'unjam', via: 'unjam' };

/** `spec.json`: everything that was asked for. Values of environment variables are not in it: they may be secrets. */
export interface ScriptSpec {
  readonly schema: 1;
  readonly ticket: string;
  /** Random, new for every run; the script's environment carries it as UNJAM_RUN, so that its tree can be found again. */
  readonly runId: string;
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The command's file as found through PATH when the script was accepted. */
  readonly file: string;
  readonly cwd: string;
  readonly isolation: Isolation | null;
  readonly timeouts: {
    readonly overallMs: number | null;
    /** For a script that has written nothing at all; absent: none. */
    readonly firstOutputMs?: number;
    readonly noOutputMs: number | null;
  };
  readonly cancel: { readonly signal: CancelSignal; readonly graceMs: number };
  readonly environmentNames: readonly string[];
  /** Variables whose values Unjam writes nowhere and shows nowhere; absent: none. */
  readonly maskEnv?: readonly string[];
  /** The caller's TRACEPARENT; absent: none. */
  readonly traceparent?: string;
  readonly notify: readonly string[] | null;
  /** Runs when the script's processes are gone, in its folder and environment, for at most `timeoutMs`. */
  readonly cleanup: {
    readonly command: readonly [string, ...string[]];
    readonly timeoutMs: number;
    /** Absent: `cancel`. */
    readonly when?: CleanupTime;
  } | null;
  /** Run ids of the scripts that this one was started from, outermost first; a mutex that one of them holds is a deadlock. */
  readonly ancestors: readonly string[];
  /** The script is cancelled when this process, which asked for it, has gone; absent: it goes on. */
  readonly caller?: ProcessIdentity;
  /** The process that asked for it, as the system told; absent where it did not. */
  readonly startedBy?: ProcessIdentity;
  readonly actor: Actor;
  readonly createdAt: number;
}

/** The run id of a script's clean-up command: its processes are the script's, and can be told from what that had left. */
export const cleanupRunOf = (runId: string): string => `${runId}${ofCleanup}`;
const ofCleanup = '.cleanup';
/** Run ids under which a process with this one can be asked for: its own, and for a clean-up command the script's. */
export const runsOf = (runId: string): readonly string[] =>
  runId.endsWith(ofCleanup) ? [runId, runId.slice(0, -ofCleanup.length)] : [runId];

/** Run ids of the scripts that a process with this UNJAM_RUN runs in, outermost first. */
export function ancestorsOf(cookie: string | undefined): string[] {
  return cookie === undefined || cookie === 'none'
    ? []
    : cookie
        .split('/')
        .filter((id) => id !== '')
        .slice(-32);
}

/** What finds a script's processes again, also from another process and after its runner died. */
export interface TreeScope {
  readonly root: ProcessIdentity;
  /** Value of UNJAM_RUN in the environment of every process of the tree that did not drop it. */
  readonly runId: string;
  /** POSIX process group and session id; null on Windows. */
  readonly group: number | null;
  /** Windows job object name; it lives as long as the runner holds its handle. Null on POSIX. */
  readonly job: string | null;
  /** Full path of the runner's own cgroup (v2), in which the script was born; absent where none could be made. */
  readonly cgroup?: string;
  /** What carries the script's output into its logs, for as long as somebody has it open; absent where nothing does. */
  readonly drain?: ProcessIdentity;
  /** Members that were seen when this was written: they belong to it as long as they live. */
  readonly known?: readonly ProcessIdentity[];
}

/** `runner.json`: written once by the runner, before it is acknowledged. */
export interface RunnerRecord {
  readonly schema: 1;
  readonly protocol: number;
  readonly runner: ProcessIdentity;
  readonly claimedAt: number;
}

/** `started.json`: written once by the runner, before the script's first instruction. */
export interface StartedRecord {
  readonly schema: 1;
  readonly scope: TreeScope;
  readonly fence: number | null;
  readonly startedAt: number;
  /** How long the script waited for its mutex, ms, monotonic. */
  readonly waitedMs: number;
}

/** `exit.json`: what the operating system reported, raw. Written once by the runner, also after an abandon. */
export interface ExitRecord {
  readonly schema: 1;
  /** The raw exit code; null when a signal ended the process. Windows codes are unsigned 32 bit. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly endedAt: number;
  /** From start to end, ms, monotonic. */
  readonly durationMs: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** `verdict.json`: the final outcome. Created once, by whoever is first; it never changes. */
export interface VerdictRecord {
  readonly schema: 1;
  readonly kind: VerdictKind;
  readonly timeout: TimeoutKind | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly at: number;
  readonly durationMs: number | null;
  /** One sentence for people, when the kind alone does not say why. */
  readonly detail: string | null;
  readonly actor: Actor | null;
}

/** A kind and what is known beside it; the rest of a verdict is "not known". */
export type Outcome = Partial<VerdictRecord> & Pick<VerdictRecord, 'kind'>;

export function verdictOf(outcome: Outcome, at: number): VerdictRecord {
  return {
    schema: 1,
    timeout: null,
    exitCode: null,
    signal: null,
    at,
    durationMs: null,
    detail: null,
    actor: null,
    ...outcome,
  };
}

/** `abandoned.json`: who released the mutex of a living script, and what was left. */
export interface AbandonedRecord {
  readonly schema: 1;
  readonly actor: Actor;
  readonly reason: string | null;
  readonly at: number;
  readonly holdQueue: boolean;
  readonly mutex: string | null;
  readonly left: readonly ProcessIdentity[];
  /** Size of both logs at that moment. */
  readonly logBytes: number;
}

/** `tree.json`: when the tree was proven empty, or who was left when the runner went. Written once, last. */
export interface TreeRecord {
  readonly schema: 1;
  readonly emptyAt: number | null;
  readonly left: readonly ProcessIdentity[];
  /** Copies of spec.json and verdict.json; absent in what older versions wrote. */
  readonly spec?: ScriptSpec | null;
  readonly verdict?: VerdictRecord | null;
}

/** Codes for callers that know Tentacle's (ScriptExitCodes): synthetic, never mixed with the raw exit code. */
export const resultCodes = {
  running: 0,
  fatal: -41,
  couldNotBeInvoked: -42,
  cancelled: -43,
  mutexTimeout: -44,
  unknownTicket: -45,
  unknownResult: -46,
  neverStarted: -47,
  abandoned: -48,
} as const;

export function resultCode(verdict: Pick<VerdictRecord, 'kind' | 'timeout' | 'exitCode'> | null): number {
  if (verdict === null) return resultCodes.running;
  switch (verdict.kind) {
    case 'exited':
      return verdict.exitCode ?? resultCodes.fatal;
    case 'cancelled':
    case 'killed':
      return resultCodes.cancelled;
    case 'timed-out':
      return verdict.timeout === 'mutex' ? resultCodes.mutexTimeout : resultCodes.cancelled;
    case 'abandoned':
      return resultCodes.abandoned;
    case 'failed-to-start':
      return resultCodes.couldNotBeInvoked;
    case 'never-started':
      return resultCodes.neverStarted;
    case 'lost':
      return resultCodes.unknownResult;
  }
}
