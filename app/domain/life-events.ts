/** What can happen to a script that has a process, and what then is to be done: the columns and the cells of `life-table.ts`. */
import type { EventBody, RunnerRequest, Survivor } from './events.ts';
import type { ProcessIdentity } from './identity.ts';
import type { How } from './life.ts';
import type * as lines from './lines.ts';
import type { CancelSignal, LimitKind } from './script.ts';

export type CancelRequest = Extract<RunnerRequest, { verb: 'cancel' }>;
export type KillRequest = Extract<RunnerRequest, { verb: 'kill' }>;
export interface TimeLimit {
  readonly timeout: LimitKind;
  readonly limitMs: number;
}

/** The signal that was sent and what the system answered. */
export type Delivery =
  | { readonly kind: 'sent'; readonly what: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'undeliverable'; readonly what: string; readonly message: string };

/** What can happen to a script that has a process. `left` = its living processes, as just seen. */
export type LifeEvent =
  | { readonly type: 'cancel'; readonly request: CancelRequest; readonly graceMs: number; readonly signal: CancelSignal; readonly left: Seen } // prettier-ignore
  | { readonly type: 'limit'; readonly limit: TimeLimit; readonly graceMs: number; readonly signal: CancelSignal; readonly left: Seen } // prettier-ignore
  | { readonly type: 'delivered'; readonly delivery: Delivery; readonly of: Signalling; readonly left: Seen }
  | { readonly type: 'kill'; readonly request: KillRequest; readonly left: Seen }
  | { readonly type: 'root-exited'; readonly code: number | null; readonly signal: string | null; readonly endedAt: number; readonly known: boolean } // prettier-ignore
  | { readonly type: 'tree'; readonly left: Seen; readonly afterMs: number }
  | { readonly type: 'grace-over'; readonly left: Seen; readonly graceMs: number }
  | { readonly type: 'settle-over'; readonly survivors: readonly Survivor[]; readonly afterMs: number; readonly of: number } // prettier-ignore
  | { readonly type: 'abandoned' }
  | { readonly type: 'cleaned'; readonly left: Seen }
  | { readonly type: 'concluded' };
export type LifeEventType = LifeEvent['type'];

export const lifeEventTypes = [
  'cancel',
  'kill',
  'limit',
  'delivered',
  'grace-over',
  'settle-over',
  'root-exited',
  'tree',
  'abandoned',
  'cleaned',
  'concluded',
] as const satisfies readonly LifeEventType[];

/** Living processes and how many were seen since the end was begun; `proven`: none is left, by the system's word. */
export interface Seen {
  readonly members: readonly ProcessIdentity[];
  readonly of: number;
  readonly proven: boolean;
}

/** Why a signal was sent. */
export type Signalling =
  | ({ readonly why: 'cancel'; readonly request: CancelRequest } & Sending)
  | ({ readonly why: 'limit'; readonly limit: TimeLimit } & Sending);
interface Sending {
  readonly signal: CancelSignal;
  readonly graceMs: number;
  /** How many processes lived before the signal. */
  readonly total: number;
}

/** What a line says beside its event; measured when it is written. */
export interface About {
  readonly at: number;
  readonly root: ProcessIdentity;
  readonly mutex: lines.MutexFacts | null;
  readonly elevated: boolean;
}
type LineOf = (about: About) => lines.Line;

export type Effect =
  /** Appends a fact and its line to the script's events; the life follows it. */
  | { readonly do: 'record'; readonly fact: EventBody; readonly line?: LineOf }
  /** A fact that is on disk already, or that nobody else needs. */
  | { readonly do: 'recall'; readonly fact: EventBody }
  | { readonly do: 'interrupt'; readonly of: Signalling }
  /** Ends the whole tree, each process by its identity, again after a while. */
  | { readonly do: 'end' }
  | { readonly do: 'clean-up'; readonly how: How }
  /** Writes the verdict, releases the mutex, writes the last line. */
  | { readonly do: 'conclude'; readonly how: How };
