/**
 * The one interface behind which Linux and Windows differ. Everything that starts, finds, signals, ends or
 * explains a process goes through it. Nothing here decides policy: when to signal and what to call it stands
 * in `app/runner` and `app/scripts`.
 */
import type { SurvivorReason } from '../domain/events.ts';
import type { Examination, ExaminedThread } from '../domain/examination.ts';
import type { Liveness, ProcessIdentity } from '../domain/identity.ts';
import type { Platform } from '../domain/platform.ts';
import type { ResourceLimits } from '../domain/resource-limits.ts';
import type { CancelSignal, TreeScope } from '../domain/script.ts';

export interface LaunchRequest {
  /** Absolute path of the executable. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The script's whole environment; UNJAM_RUN is in it already. */
  readonly environment: Readonly<Record<string, string>>;
  readonly runId: string;
  /** Linux; what it is started with when absent is that of the calling process. */
  readonly umask?: number;
  readonly niceness?: number;
  readonly limits?: ResourceLimits | null;
  /** Linux: a descriptor that becomes its standard input and is closed here; null or absent = it has none. */
  readonly stdin?: number | null;
  /** Opened for appending, created when missing. */
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** Called, perhaps often, when the disk has refused a part of the output, which is missing from the log then. */
  readonly onOutputLost?: () => void;
}

/** A command that keeps the caller's terminal: its standard streams and console, on POSIX its process group. */
export type AttachedLaunchRequest = Omit<LaunchRequest, 'stdoutPath' | 'stderrPath' | 'onOutputLost'>;

/** How a process ended, raw: `code` is null when a signal ended it (POSIX), unsigned 32 bit on Windows. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A script whose process exists but has not run its first instruction. */
export interface LaunchedScript {
  readonly scope: TreeScope;
  /** Opens the gate. Call once; afterwards `abort` does nothing. */
  release(): void;
  /** Ends the process behind the closed gate: the command never runs. */
  abort(): void;
  /** Resolves once with the raw exit status of the root process; never rejects. */
  readonly exited: Promise<ExitStatus>;
}

/** One process as seen in one pass over the process table. */
export interface ProcessSnapshot {
  readonly identity: ProcessIdentity;
  readonly parentPid: number;
  /** POSIX process group and session; null on Windows. */
  readonly group: number | null;
  readonly session: number | null;
  /** True with a controlling terminal; absent on Windows. */
  readonly terminal?: boolean;
  /** User + system CPU time since its start, ms; null when not readable. */
  readonly cpuMs: number | null;
  /** CPU time of its ended children that it has waited for, and of theirs, ms; null where the system does not count it. */
  readonly childrenCpuMs: number | null;
  readonly state: ProcessState;
}

/** What a tree has used since its start, ended processes included, as the system itself accounts for it. */
export interface TreeUsage {
  readonly cpuMs: number;
  /** Bytes read and written; null where the system does not count them for a tree. */
  readonly ioBytes: number | null;
  /** What is in the figures: two readings can be compared only when this is the same. */
  readonly basis: string;
}

/** `zombie` is dead: it only waits for its parent to look. `kernel`: an uninterruptible wait (Linux D, Windows Executive). */
export type ProcessState = 'running' | 'sleeping' | 'kernel' | 'stopped' | 'zombie' | 'unknown';

export interface TreeMember extends ProcessSnapshot {
  /** How it was recognised: the root itself, by ancestry, group or session, job, cgroup, or the UNJAM_RUN cookie. */
  readonly by: 'root' | 'ancestry' | 'group' | 'job' | 'cgroup' | 'cookie';
}

/** Facts about one process that are read only when somebody looks. */
export interface ProcessFacts {
  readonly commandLine: string;
  readonly user: string | null;
  /** Bytes read and written since its start; null when not readable. */
  readonly ioBytes: number | null;
  /** What it waits for, as measured: `hrtimer_nanosleep`, `Executive`; null when unknown or not waiting. */
  readonly waitsFor: string | null;
}

/** What one process has open and where its threads stand: read only for a bundle of evidence. */
export interface Inspection {
  /** At most 16. */
  readonly threads: readonly {
    readonly id: number;
    readonly name: string;
    readonly waitsIn: string | null;
    readonly call: string | null;
    /** Null when it may not be read. */
    readonly kernelStack: string | null;
  }[];
  readonly threadCount: number;
  readonly folder: string | null;
  readonly program: string | null;
  /** One line each: descriptor, file or socket with its ends, how it is open, locks. At most 200. */
  readonly files: readonly string[];
}

/** What a debugger printed; `problem` says why that is not all. */
export interface NativeStack {
  readonly tool: string;
  readonly text: string;
  readonly problem: string | null;
}

/** What happened when a signal was sent. `sent` is never `stopped`. */
export type SignalOutcome =
  | { readonly kind: 'sent'; readonly what: string }
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'undeliverable';
      readonly what: string;
      readonly errorCode: number | string;
      readonly message: string;
    };

export type EndOutcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'not-same' }
  | { readonly kind: 'denied'; readonly errorCode: number | string; readonly message: string }
  | { readonly kind: 'failed'; readonly errorCode: number | string; readonly message: string };

/** What keeps Unjam from doing its whole job here, and what to do about it. */
export interface Warning {
  readonly text: string;
  readonly next: string;
}

export interface ProcessControl {
  readonly platform: Platform;
  /** Identity of the calling process. */
  readonly self: ProcessIdentity;
  /** The user that the calling process runs as: `root`, `CONTOSO\\kim`. */
  readonly user: string;
  /** True with root or administrator rights. */
  readonly elevated: boolean;
  /** Default cancel signal of the platform. */
  readonly defaultSignal: CancelSignal;

  /** About this process on this machine, as it is now; empty when all is well. */
  warnings(): readonly Warning[];

  /** Identity of a living process; null when there is none (a zombie is none). */
  identify(pid: number): ProcessIdentity | null;
  /** Never throws. A zombie is dead, a stopped or frozen process is alive, a reused pid is dead. */
  /**
   * For those who ask every second: `alive` may rest on a look that is `trustedForMs` old while somebody has that pid.
   */
  liveness(identity: ProcessIdentity, trustedForMs?: number): Liveness;

  /**
   * Lets processes of other places (containers) that use this state directory see that this one lives, and learns there
   * which of them have gone. Absent where every process sees every other.
   */
  attend?(stateDirectory: string): void;

  /** Called once at the start of a runner: what must be set up before a script can be launched. */
  prepareRunner(): void;
  /** Prepares a launch while a runner waits for its order, as far as that can be without it. Never fails. Absent where it would gain nothing. */
  rehearse?(): Promise<void>;
  /** Begins what the launch of a script needs, while it still waits for its mutex. Absent where that is nothing. */
  prepareLaunch?(): void;
  /** Starts a script behind a closed gate. Throws an Error with `code` (ENOENT, EACCES …) when the system refuses. */
  launch(request: LaunchRequest): Promise<LaunchedScript>;
  /** As `launch`; when the caller dies before the gate is open, the command never runs. */
  launchAttached(request: AttachedLaunchRequest): Promise<LaunchedScript>;

  /**
   * Milliseconds since a moment of this boot, for time limits: nobody can set it, and it stands still while the machine
   * sleeps. `performance.now` and timers go on during sleep on Windows, so a timer that fires is no proof that its time
   * has passed here.
   */
  now(): number;

  /**
   * One pass over the process table; for people: empty when the system does not show it. With `trustedForMs` the last
   * one will do that is not older.
   */
  snapshot(trustedForMs?: number): readonly ProcessSnapshot[];
  /** The living members of a script's tree, root first, without zombies; [] when the tree is empty. */
  tree(scope: TreeScope, table?: readonly ProcessSnapshot[]): readonly TreeMember[];
  /**
   * Whether any process of the tree lives, as cheaply as the platform can say it (a living root or group, the job);
   * falls back to `tree`. `unknown` when nothing can be said.
   */
  treeLiveness(scope: TreeScope): Liveness;
  /** The system's own account of a tree (cgroup, job); null when it keeps none, absent where it cannot. */
  usage?(scope: TreeScope): TreeUsage | null;
  facts(identity: ProcessIdentity): ProcessFacts | null;
  /** The environment with which the process began; null when it may not be read or has gone. Absent where it cannot be had. */
  environmentOf?(identity: ProcessIdentity): Readonly<Record<string, string>> | null;
  /** Of `facts` the bytes alone, for those who look often. */
  ioBytes?(identity: ProcessIdentity): number | null;
  /**
   * What each thread of a process waits for, and which signals reach it: read only for a diagnosis. Null when the
   * process has gone or may not be asked; absent where the platform cannot tell.
   */
  examine?(identity: ProcessIdentity): Examination | null;
  /**
   * Of `examine` the main thread alone, and not who has the other end of its pipe open: cheap enough to be asked every
   * few seconds. Null and absent as `examine`.
   */
  mainThread?(identity: ProcessIdentity): ExaminedThread | null;
  /** Null when the process has gone; absent where the platform cannot tell. */
  inspect?(identity: ProcessIdentity): Inspection | null;
  /** The rows of the system's table of file locks that are about these processes; absent where there is none. */
  fileLocks?(pids: ReadonlySet<number>): readonly string[];
  /** Stops the process for a moment. Null when it has gone or no debugger is installed; absent where none is known. */
  nativeStack?(identity: ProcessIdentity, signal: AbortSignal): Promise<NativeStack | null>;
  /** True when the process has not become the script's command yet. Absent where it cannot be told. */
  atGate?(identity: ProcessIdentity): boolean;

  /**
   * Resolves when the logs hold all that the script had written before this call, also while others go on writing; or
   * when the disk has not taken it for two seconds. Absent where the script writes to its logs itself.
   */
  drained?(scope: TreeScope, files: Pick<LaunchRequest, 'stdoutPath' | 'stderrPath'>): Promise<void>;
  /** The logs were removed: what is written from now on goes into the files of that name. Absent where they stay open. */
  reopenOutput?(scope: TreeScope): void;
  /**
   * Text of what a script wrote and is not UTF-8: on Windows in the code page of its console (437, 850, 932 …), in which
   * cmd.exe and Windows PowerShell write; elsewhere with a mark for each byte that is not text.
   */
  decodeOutput(bytes: Buffer): string;
  /** Whether somebody has the script's output open; null where that cannot be told. */
  isOutputOpen?(scope: TreeScope): boolean | null;

  /** Sends the cancel signal to the whole tree, and wakes stopped processes so that they can act on it. */
  interrupt(scope: TreeScope, signal: CancelSignal): Promise<SignalOutcome>;
  /** Ends the whole tree at once where the platform can (job); true when it was tried. Verify afterwards. */
  endTree(scope: TreeScope): boolean;
  /** Ends one process after checking its identity. */
  end(identity: ProcessIdentity): EndOutcome;
  /** Why a process that was ended is still there. `outcome` is what `end` answered. */
  whyAlive(
    identity: ProcessIdentity,
    outcome: EndOutcome,
  ): { readonly reason: SurvivorReason; readonly detail: string };
  /**
   * Removes what runners that were killed have left in the system; those of `runners`, by pid, live. Absent where that
   * is nothing.
   */
  sweep?(runners: ReadonlySet<number>): void;
  /** Frees what `prepareRunner`, `launch` and others keep. */
  close(): void;
}
