/** What a diagnosis is made from, and what it says. */
import type { Estimate } from './estimate.ts';
import type { ExaminedProcess } from './examination.ts';
import type { Stage } from './life.ts';
import type { CancelSignal, ScriptState, VerdictKind } from './script.ts';

/** Classes of findings, the most telling one first. */
export const findingKeys = [
  'finished',
  'unkillable',
  'cancel-ignored',
  'cancelling',
  'output-held-open',
  'agent-given-up',
  'waits-for-foreign-lock',
  'blocks-others',
  'waits-for-mutex',
  'mutex-paused',
  'runner-gone',
  'runner-stopped',
  'runner-silent',
  'other-user',
  'stopped',
  'kernel-wait',
  'at-gate',
  'cpu-busy',
  'waits-for-input',
  'waits-for-pipe',
  'waits-for-network',
  'waits-for-file',
  'waits-for-lock',
  'never-ran',
  'waits-for-timer',
  'waits-for-child',
  'silent',
  'not-measured',
  'nothing-unusual',
] as const;
export type FindingKey = (typeof findingKeys)[number];

export interface Finding {
  readonly key: FindingKey;
  /** One sentence with its numbers. */
  readonly text: string;
  /** What was measured, one fact each. Never empty. */
  readonly evidence: readonly string[];
  /** The processes that it is about. */
  readonly pids: readonly number[];
  /** What may be done; null when nothing has to be. */
  readonly advice: string | null;
}

export interface DiagnosisFacts {
  readonly now: number;
  readonly state: ScriptState;
  readonly stage: Stage;
  readonly verdict: { readonly kind: VerdictKind; readonly at: number } | null;
  readonly signal: CancelSignal;
  readonly startedAt: number | null;
  readonly createdAt: number;
  readonly waiting: {
    readonly mutex: string;
    readonly pausedBy: string | null;
    readonly position: number;
    readonly of: number;
    readonly estimate: Estimate | null;
    readonly holder: {
      readonly name: string;
      readonly ticket: string;
      readonly pid: number | null;
      readonly heldMs: number;
    } | null;
  } | null;
  readonly output: {
    readonly bytes: number;
    readonly lastAt: number | null;
    readonly lastLine: string | null;
    readonly silentAfterMs: number;
  };
  readonly runner: {
    readonly pid: number;
    readonly alive: boolean;
    readonly stopped: boolean;
    readonly heartbeatAgeMs: number | null;
  } | null;
  /** Between the two looks at the processes. */
  readonly windowMs: number;
  /** Living processes of the tree, root first. */
  readonly processes: readonly ExaminedProcess[];
  /** False where the platform cannot tell what a process waits for. */
  readonly examined: boolean;
}
