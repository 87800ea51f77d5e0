/** Folds a script's events into where it stands: pure, so that host, tests and recovery agree. */
import type { ScriptEvent, Survivor } from './events.ts';
import type { Actor, TimeoutKind, VerdictKind } from './script.ts';

export type Stage =
  | { readonly kind: 'queued' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'cancelling'; readonly since: number; readonly until: number }
  | { readonly kind: 'cancel-ignored'; readonly since: number; readonly left: number; readonly of: number }
  | { readonly kind: 'killing'; readonly since: number; readonly ended: number; readonly of: number }
  | {
      readonly kind: 'unkillable';
      readonly since: number;
      readonly survivors: readonly Survivor[];
      readonly of: number;
    };

/** One thing that was tried, for the time line of actions. */
export interface Attempt {
  readonly at: number;
  readonly what: 'cancel' | 'kill' | 'abandon' | 'timeout';
  readonly actor: Actor | null;
  readonly code: string | null;
  readonly text: string | null;
}

/** An end that was begun: once its signal may have been sent, no exit status makes the script a success. */
export interface BegunEnd {
  readonly kind: Extract<VerdictKind, 'cancelled' | 'killed' | 'timed-out'>;
  /** Null while only the intent is known. */
  readonly timeout: TimeoutKind | null;
  readonly actor: Actor;
}

export interface Progress {
  readonly stage: Stage;
  readonly attempts: readonly Attempt[];
  readonly timeout: TimeoutKind | null;
  readonly begun: BegunEnd | null;
  readonly rootExited: boolean;
  readonly orphanEndedAt: number | null;
  /** Requests that the runner has answered. */
  readonly answered: readonly string[];
  /** Tickets of holders that it was told look stuck. */
  readonly toldStuck: readonly string[];
}

export const noProgress: Progress = {
  stage: { kind: 'starting' },
  attempts: [],
  timeout: null,
  begun: null,
  rootExited: false,
  orphanEndedAt: null,
  answered: [],
  toldStuck: [],
};

export function advance(p: Progress, e: ScriptEvent): Progress {
  switch (e.type) {
    case 'queued':
      return { ...p, stage: { kind: 'queued' } };
    case 'granted':
      return { ...p, stage: { kind: 'starting' } };
    case 'started':
      return { ...p, stage: { kind: 'running' } };
    case 'cancel':
      return {
        ...tried(p, e, 'cancel', e.actor),
        stage: p.stage.kind === 'queued' ? p.stage : { kind: 'cancelling', since: e.at, until: e.until },
        answered: [...p.answered, e.requestId],
      };
    case 'timeout':
      return {
        ...tried(p, e, 'timeout', null),
        timeout: e.timeout,
        begun: p.begun?.kind === 'timed-out' ? { ...p.begun, timeout: e.timeout } : p.begun,
        stage: { kind: 'cancelling', since: e.at, until: e.until },
      };
    case 'cancel-ignored':
      return { ...p, stage: { kind: 'cancel-ignored', since: e.at, left: e.left.length, of: e.of } };
    case 'kill':
      return {
        ...tried(p, e, 'kill', e.actor),
        stage: p.stage.kind === 'queued' ? p.stage : { kind: 'killing', since: e.at, ended: 0, of: e.count },
        answered: e.requestId === null ? p.answered : [...p.answered, e.requestId],
      };
    case 'kill-progress':
      return p.stage.kind === 'killing' ? { ...p, stage: { ...p.stage, ended: e.ended, of: e.of } } : p;
    case 'unkillable':
      return { ...p, stage: { kind: 'unkillable', since: e.at, survivors: e.survivors, of: e.of } };
    case 'refused':
      return { ...p, answered: [...p.answered, e.requestId] };
    case 'exited':
      return { ...p, rootExited: true };
    case 'abandoned':
      return tried(p, e, 'abandon', e.actor);
    case 'orphan-ended':
      return { ...p, orphanEndedAt: e.at };
    case 'intent':
      return { ...p, begun: begin(p.begun, e.verb, e.actor) };
    case 'holder-stuck':
      return { ...p, toldStuck: [...p.toldStuck, e.holder] };
    case 'waiting':
    case 'first-output':
    case 'final':
    case 'note':
      return p;
  }
}

/** The first forced reason holds, except that an operator's Force Kill after a Cancel is a kill. */
function begin(begun: BegunEnd | null, verb: 'cancel' | 'kill' | 'timeout', actor: Actor): BegunEnd {
  if (verb === 'cancel') return begun ?? { kind: 'cancelled', timeout: null, actor };
  const byUnjam = actor.via === 'unjam';
  if (verb === 'timeout' || (byUnjam && begun === null)) return begun ?? { kind: 'timed-out', timeout: null, actor };
  return begun !== null && (byUnjam || begun.kind === 'timed-out') ? begun : { kind: 'killed', timeout: null, actor };
}

function tried(p: Progress, e: ScriptEvent, what: Attempt['what'], actor: Actor | null): Progress {
  return {
    ...p,
    attempts: [...p.attempts, { at: e.at, what, actor, code: e.code ?? null, text: e.text ?? null }],
  };
}
