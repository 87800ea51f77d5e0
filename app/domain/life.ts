/**
 * Where one script stands. Only recorded facts (`events.ndjson`) change it, so the runner that writes them and a host
 * that reads them cannot disagree. Which fact follows from what happens is decided by `life-table.ts`.
 */
import type { EventBody, ScriptEvent, Survivor } from './events.ts';
import type { Actor, TimeoutKind, TreeScope, VerdictKind } from './script.ts';

/** How the last process of a script went: by itself, after the cancel signal, or after a kill. */
export type How = 'self' | 'cancel' | 'kill';

/** All times are wall-clock ms. */
export type Stage =
  | { readonly kind: 'queued' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  /** The cancel signal is being sent; on Windows that takes seconds. */
  | { readonly kind: 'signalling'; readonly since: number; readonly until: number }
  /** The cancel signal was sent; the script has until then to exit. */
  | { readonly kind: 'cancelling'; readonly since: number; readonly until: number }
  | { readonly kind: 'ignored'; readonly since: number; readonly left: number; readonly of: number }
  | {
      readonly kind: 'killing';
      readonly since: number;
      readonly ended: number;
      readonly of: number;
      /** The script's log says already that it takes long. */
      readonly told: boolean;
    }
  | {
      readonly kind: 'unkillable';
      readonly since: number;
      readonly survivors: readonly Survivor[];
      readonly of: number;
    }
  /** No process is left; the clean-up command may run, and the mutex is still held. */
  | { readonly kind: 'gone'; readonly since: number; readonly how: How }
  | { readonly kind: 'final'; readonly since: number };
export type StageKind = Stage['kind'];

/** One thing that was tried, for the timeline of actions. */
export interface Attempt {
  readonly at: number;
  readonly what: 'cancel' | 'kill' | 'abandon' | 'timeout';
  readonly actor: Actor | null;
  readonly code: string | null;
  readonly text: string | null;
}

/** Why a script is being ended: once its signal may have been sent, no exit status makes the script a success. */
export interface Cause {
  readonly kind: Extract<VerdictKind, 'cancelled' | 'killed' | 'timed-out'>;
  /** Null while only the intent is known. */
  readonly timeout: TimeoutKind | null;
  readonly actor: Actor;
}

export interface Life {
  readonly stage: Stage;
  readonly cause: Cause | null;
  /** Whether Force Kill follows when the grace period of the Cancel is over. */
  readonly escalate: boolean;
  /** When the first grace period was over or the first Force Kill was sent; repeating a verb does not move it. */
  readonly overdueSince: number | null;
  /** The root process has exited; `known` is false when nobody could read its exit status. */
  readonly root: { readonly at: number; readonly code: number | null; readonly signal: string | null; readonly known: boolean } | null; // prettier-ignore
  readonly abandoned: boolean;
  /** A host watches the script in place of its runner. */
  readonly runnerDied: boolean;
  /** The clean-up command's processes, from when it begins. */
  readonly cleanup: TreeScope | null;
  /** The clean-up command has run. */
  readonly cleaned: boolean;
  readonly attempts: readonly Attempt[];
  readonly orphanEndedAt: number | null;
  /** Ids of requests that were answered. */
  readonly answered: readonly string[];
  /** Tickets of holders that this script was told look stuck. */
  readonly toldStuck: readonly string[];
}

export const newLife: Life = {
  stage: { kind: 'starting' },
  cause: null,
  escalate: false,
  overdueSince: null,
  root: null,
  abandoned: false,
  runnerDied: false,
  cleanup: null,
  cleaned: false,
  attempts: [],
  orphanEndedAt: null,
  answered: [],
  toldStuck: [],
};

export type Fact = EventBody & Pick<ScriptEvent, 'at' | 'code' | 'text'>;

/** The life after a recorded fact. */
export function recall(life: Life, e: Fact): Life {
  const { stage } = life;
  switch (e.type) {
    case 'queued':
      return { ...life, stage: { kind: 'queued' } };
    case 'granted':
      return { ...life, stage: { kind: 'starting' } };
    case 'started':
      return { ...life, stage: { kind: 'running' } };
    case 'intent':
      return begin(life, e);
    case 'cancel':
      return answer(
        {
          ...tried(life, e, 'cancel', e.actor),
          escalate: life.escalate || e.escalate,
          ...(stage.kind === 'queued' ? {} : { stage: signalled(stage, e) }),
        },
        e.requestId,
      );
    case 'timeout':
      return {
        ...tried(life, e, 'timeout', null),
        escalate: true,
        cause: life.cause?.kind === 'timed-out' ? { ...life.cause, timeout: e.timeout } : life.cause,
        stage: signalled(stage, e),
      };
    case 'cancel-ignored':
      return {
        ...life,
        stage: { kind: 'ignored', since: e.at, left: e.left.length, of: e.of },
        escalate: false,
        overdueSince: life.overdueSince ?? e.at,
      };
    case 'kill':
      return answer(
        {
          ...tried(life, e, 'kill', e.actor),
          overdueSince: life.overdueSince ?? e.at,
          stage:
            stage.kind === 'queued' || stage.kind === 'killing'
              ? stage
              : { kind: 'killing', since: e.at, ended: 0, of: e.count, told: false },
        },
        e.requestId,
      );
    case 'kill-progress':
      return stage.kind === 'killing' ? { ...life, stage: { ...stage, ended: e.ended, of: e.of, told: true } } : life;
    case 'unkillable':
      return { ...life, stage: { kind: 'unkillable', since: e.at, survivors: e.survivors, of: e.of } };
    case 'refused':
      return answer(
        stage.kind === 'signalling' && e.withdrawn ? { ...life, ...withdrawn(life, e.at) } : life,
        e.requestId,
      );
    case 'exited':
      return {
        ...life,
        root: { at: e.exit.endedAt, code: e.exit.code, signal: e.exit.signal, known: true },
      };
    case 'abandoned':
      return { ...tried(life, e, 'abandon', e.actor), abandoned: true };
    case 'orphan-ended':
      return { ...life, orphanEndedAt: e.at, stage: { kind: 'final', since: e.at } };
    case 'final':
      return e.verdict.kind === 'abandoned'
        ? { ...life, abandoned: true }
        : { ...life, stage: { kind: 'final', since: e.at } };
    case 'holder-stuck':
      return { ...life, toldStuck: [...life.toldStuck, e.holder] };
    case 'note':
      return {
        ...life,
        ...(e.gone === undefined ? {} : { stage: { kind: 'gone', since: e.at, how: e.gone.how } }),
        ...(e.cleaning === undefined
          ? {}
          : { cleanup: e.cleaning.scope, stage: { kind: 'gone', since: e.at, how: e.cleaning.how } }),
        ...(e.cleaned === true ? { cleaned: true } : {}),
        ...(e.over === true ? { stage: { kind: 'final', since: e.at } } : {}),
        // Versions before 0.2 record it by its line alone.
        ...(e.code === 'W304' ? { runnerDied: true } : {}),
      };
    case 'waiting':
      return life;
    default:
      return life; // written by a later version
  }
}

/** The intent stands before the signal is sent: a runner that dies in between leaves the reason. */
function begin(life: Life, e: Extract<Fact, { type: 'intent' }>): Life {
  const cause = causeAfter(life.cause, e);
  if (e.verb === 'kill' || life.stage.kind === 'queued') return { ...life, cause };
  const signalling = e.until !== undefined && life.stage.kind !== 'cancelling';
  return {
    ...life,
    cause,
    escalate: life.escalate || e.escalate === true,
    ...(signalling ? { stage: { kind: 'signalling', since: e.at, until: e.until ?? e.at } } : {}),
  };
}

/** The first forced reason holds, except that an operator's Force Kill after a Cancel is a kill. */
function causeAfter(before: Cause | null, e: Extract<Fact, { type: 'intent' }>): Cause {
  const { verb, actor } = e;
  if (verb === 'cancel') return before ?? { kind: 'cancelled', timeout: null, actor };
  const byUnjam = actor.via === 'unjam';
  if (verb === 'timeout' || (byUnjam && before === null))
    return before ?? { kind: 'timed-out', timeout: e.timeout ?? null, actor };
  return before !== null && (byUnjam || before.kind === 'timed-out')
    ? before
    : { kind: 'killed', timeout: null, actor };
}

/** The deadline of the first signal stays. */
function signalled(stage: Stage, e: { readonly at: number; readonly until: number }): Stage {
  return stage.kind === 'cancelling' || stage.kind === 'ignored'
    ? stage
    : { kind: 'cancelling', since: e.at, until: e.until };
}

/** Nothing was there to be signalled: what was begun has not happened. */
function withdrawn(life: Life, at: number): Pick<Life, 'stage' | 'cause'> {
  const before = life.attempts.some((a) => a.what !== 'abandon');
  return before
    ? { stage: { kind: 'cancelling', since: at, until: at }, cause: life.cause }
    : { stage: { kind: 'running' }, cause: null };
}

const answer = (life: Life, requestId: string | null): Life =>
  requestId === null || requestId === '' ? life : { ...life, answered: [...life.answered, requestId] };

function tried(life: Life, e: Fact, what: Attempt['what'], actor: Actor | null): Life {
  return {
    ...life,
    attempts: [...life.attempts, { at: e.at, what, actor, code: e.code ?? null, text: e.text ?? null }],
  };
}
