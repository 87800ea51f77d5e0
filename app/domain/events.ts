/**
 * `events.ndjson`: what happened to a script, one line each, appended by its runner and by the host.
 * Lines with a `text` are shown in the script's log as lines of Unjam.
 */
import type { ProcessIdentity } from './identity.ts';
import type { Actor, CancelSignal, ExitRecord, LimitKind, TreeScope, VerdictRecord } from './script.ts';

export const survivorReasons = ['kernel', 'access', 'protected', 'stopped', 'pending', 'other'] as const;
/** Why a process survived a kill, as far as it was measured. */
export type SurvivorReason = (typeof survivorReasons)[number];

export interface Survivor {
  readonly process: ProcessIdentity;
  readonly reason: SurvivorReason;
  /** What was measured, in words: `state D, waits in __refrigerator, SIGKILL pending`. */
  readonly detail: string;
}

export const noteSubjects = ['evidence', 'process-ended', 'taken'] as const;
export type NoteSubject = (typeof noteSubjects)[number];

export type EventBody =
  | { readonly type: 'queued'; readonly mutex: string }
  | { readonly type: 'waiting' }
  /** It was told that the holder of its mutex looks stuck. */
  | { readonly type: 'holder-stuck'; readonly holder: string }
  | { readonly type: 'granted'; readonly mutex: string; readonly fence: number; readonly waitedMs: number }
  | { readonly type: 'started'; readonly pid: number }
  /** Written before a signal is sent: a runner that dies in between leaves the reason. */
  | {
      readonly type: 'intent';
      readonly verb: 'cancel' | 'kill' | 'timeout';
      readonly actor: Actor;
      /** When the grace period will probably end; absent for a kill, and before 0.2. */
      readonly until?: number;
      readonly timeout?: LimitKind;
      readonly escalate?: boolean;
    }
  | {
      readonly type: 'cancel';
      readonly requestId: string;
      readonly actor: Actor;
      readonly signal: CancelSignal;
      readonly until: number;
      readonly escalate: boolean;
      readonly evidence: readonly string[];
    }
  | { readonly type: 'cancel-ignored'; readonly left: readonly ProcessIdentity[]; readonly of: number }
  | { readonly type: 'timeout'; readonly timeout: LimitKind; readonly until: number }
  | {
      readonly type: 'kill';
      readonly requestId: string | null;
      readonly actor: Actor;
      readonly count: number;
      readonly evidence: readonly string[];
    }
  | { readonly type: 'kill-progress'; readonly ended: number; readonly of: number }
  | {
      readonly type: 'unkillable';
      readonly survivors: readonly Survivor[];
      readonly ended: number;
      readonly of: number;
    }
  /** `withdrawn`: its signal had nobody left to reach, so the script has ended by itself. */
  | { readonly type: 'refused'; readonly requestId: string; readonly reason: string; readonly withdrawn?: true }
  | { readonly type: 'exited'; readonly exit: Pick<ExitRecord, 'code' | 'signal' | 'endedAt'> }
  | {
      readonly type: 'abandoned';
      readonly actor: Actor;
      readonly reason: string | null;
      readonly evidence: readonly string[];
    }
  | { readonly type: 'orphan-ended' }
  | { readonly type: 'final'; readonly verdict: VerdictRecord }
  | {
      readonly type: 'note';
      /** What a person did that changes nothing of the script's life. */
      readonly about?: NoteSubject;
      readonly actor?: Actor;
      /** With `taken`: until when it is said, wall-clock ms; null = the person has given it back. */
      readonly until?: number | null;
      /** The last process of the script is gone; how it went. */
      readonly gone?: { readonly how: 'self' | 'cancel' | 'kill'; readonly total: number; readonly afterMs: number };
      /** The clean-up command begins; how the script went. */
      readonly cleaning?: { readonly how: 'self' | 'cancel' | 'kill'; readonly scope: TreeScope };
      /** The clean-up command has ended. */
      readonly cleaned?: true;
      /** Nothing more happens to the script. */
      readonly over?: true;
    };

export type ScriptEvent = EventBody & {
  /** Wall-clock ms. */
  readonly at: number;
  readonly by: 'runner' | 'host';
  /** `W205`; stable, see docs/log-lines.md. */
  readonly code?: string;
  readonly text?: string;
};

/** What an operator or a clock asks a runner to do: `requests/<id>.json`. */
export type RunnerRequest =
  | {
      readonly verb: 'cancel';
      readonly id: string;
      readonly at: number;
      readonly actor: Actor;
      readonly reason: string | null;
      readonly signal: CancelSignal | null;
      readonly graceMs: number | null;
      readonly escalate: boolean;
      /** Of the Force Kill that it may become; absent from an older host: the usual one. */
      readonly settleMs?: number;
      /** What was known when the operator decided. */
      readonly evidence: readonly string[];
    }
  | {
      readonly verb: 'kill';
      readonly id: string;
      readonly at: number;
      readonly actor: Actor;
      readonly reason: string | null;
      readonly settleMs?: number;
      readonly evidence: readonly string[];
    };
