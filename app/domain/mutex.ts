/**
 * The rules of an isolation mutex as pure reducers over one immutable state: first in, first out,
 * full = exclusive, none = shared, a waiting exclusive blocks later shared ones. Every change that can
 * free the mutex grants the queue in the same step, so no wake-up can be lost between two steps. A script that asks for
 * it joins the hold of the script that started it, with the same fence; the mutex is free when the last of them is gone.
 */
import type { ProcessIdentity } from './identity.ts';
import type { Actor, IsolationLevel, TreeScope } from './script.ts';

interface Entry {
  /** The run id: one acquisition by one script. */
  readonly id: string;
  readonly ticket: string;
  readonly name: string;
  /** Which host of a fleet it belongs to; absent in the mutexes of one host. */
  readonly host?: string;
  readonly level: IsolationLevel;
  readonly runner: ProcessIdentity;
  readonly ancestors: readonly string[];
  /** When it joined the queue, wall-clock ms. */
  readonly queuedAt: number;
  /** Asks to run under the hold of a script that it was started from, instead of waiting for it. */
  readonly inherit?: true;
  /** Held by a wrapper (`unjam hold`): there is no script of that ticket, and nobody supervises the command. */
  readonly unsupervised?: true;
}

export type Waiter = Entry;

export interface Hold extends Entry {
  readonly fence: number;
  readonly grantedAt: number;
  /** Null until the `started` transition confirms the grant with the script's identity. */
  readonly scope: TreeScope | null;
  /**
   * Id of the hold that it joined, whose fence it carries; absent when it was granted from the queue. It is a hold of
   * its own: when the one that it joined ends, the mutex stays held until this one has ended too.
   */
  readonly under?: string;
  /** The files of the mutex had been removed while it was held: this was put back from the script's own record. */
  readonly restored?: true;
}

export interface AbandonedHold extends Hold {
  readonly abandonedAt: number;
  readonly by: Actor;
  readonly reason: string | null;
}

export interface MutexState {
  readonly schema: 1;
  readonly version: number;
  /** Made with the directory; a deleted and recreated mutex cannot reuse fences unnoticed. */
  readonly epoch: string;
  readonly name: string;
  /** The last fence that was given out. */
  readonly fence: number;
  readonly paused: { readonly by: Actor; readonly at: number } | null;
  readonly holders: readonly Hold[];
  readonly queue: readonly Waiter[];
  /** Orphans: their holds are released, their processes may live. While there are any the mutex is tainted. */
  readonly abandoned: readonly AbandonedHold[];
}

export function newMutex(name: string, epoch: string): MutexState {
  return { schema: 1, version: 0, epoch, name, fence: 0, paused: null, holders: [], queue: [], abandoned: [] };
}

export type Place =
  | { readonly kind: 'holds'; readonly hold: Hold }
  | { readonly kind: 'waits'; readonly position: number; readonly of: number; readonly waiter: Waiter }
  | { readonly kind: 'abandoned'; readonly hold: AbandonedHold }
  | { readonly kind: 'absent' };

export function placeOf(state: MutexState, id: string): Place {
  const hold = state.holders.find((h) => h.id === id);
  if (hold) return { kind: 'holds', hold };
  const index = state.queue.findIndex((w) => w.id === id);
  const waiter = state.queue[index];
  if (waiter) return { kind: 'waits', position: index + 1, of: state.queue.length, waiter };
  const left = state.abandoned.find((a) => a.id === id);
  return left ? { kind: 'abandoned', hold: left } : { kind: 'absent' };
}

/** Whether one of these runs holds the mutex with that fence, be it by joining the hold of another. */
export const holdsStill = (state: MutexState, runs: readonly string[], fence: number): boolean =>
  state.holders.some((h) => h.fence === fence && runs.includes(h.id));

/**
 * The hold of an ancestor that `waiter` would wait for while that ancestor waits for it; null when there is none. A
 * shared waiter behind an exclusive one waits for the shared holders too.
 */
export function deadlockWith(state: MutexState, waiter: Pick<Waiter, 'id' | 'ancestors' | 'level'>): Hold | null {
  if (placeOf(state, waiter.id).kind === 'holds') return null;
  const place = state.queue.findIndex((w) => w.id === waiter.id);
  const ahead = place === -1 ? state.queue : state.queue.slice(0, place);
  const exclusive = waiter.level === 'full' || ahead.some((w) => w.level === 'full');
  return state.holders.find((h) => waiter.ancestors.includes(h.id) && (h.level === 'full' || exclusive)) ?? null;
}

/**
 * Whom a shared waiter waits for that could run beside the holders: the exclusive one ahead of it in the queue. Null
 * when the holders themselves keep it out.
 */
export function keptOutBy(state: MutexState, id: string): Waiter | null {
  const place = placeOf(state, id);
  if (place.kind !== 'waits' || place.waiter.level !== 'none' || state.holders.some((h) => h.level === 'full'))
    return null;
  return state.queue.slice(0, place.position - 1).findLast((w) => w.level === 'full') ?? null;
}

/** Adds a waiter at the end of the queue, and grants it at once when it may run. The same id twice changes nothing. */
export function enqueue(state: MutexState, waiter: Waiter, at: number): MutexState {
  if (placeOf(state, waiter.id).kind !== 'absent') return state;
  return waiter.inherit ? join(state, waiter, at) : grant({ ...state, queue: [...state.queue, waiter] }, at);
}

/**
 * Joins the queue again after its files were removed, at the place that it had among those who have done so; the very
 * state when it is there already.
 */
export function rejoin(state: MutexState, waiter: Waiter, at: number): MutexState {
  if (placeOf(state, waiter.id).kind !== 'absent') return state;
  const queue = [...state.queue, waiter].sort((a, b) => a.queuedAt - b.queuedAt);
  return grant({ ...state, queue }, at);
}

/** The state to begin with when the files of a mutex are missing: who is known to hold it from elsewhere still does. */
export function restored(state: MutexState, holders: readonly Hold[]): MutexState {
  if (holders.length === 0) return state;
  const others = state.holders.filter(({ id }) => !holders.some((h) => h.id === id));
  return {
    ...state,
    fence: Math.max(state.fence, ...holders.map((h) => h.fence)),
    holders: [...others, ...holders.map((h) => ({ ...h, restored: true as const }))],
  };
}

/** Joins the innermost hold that may be inherited, with its fence; unchanged when there is none. */
function join(state: MutexState, waiter: Waiter, at: number): MutexState {
  const hold = inheritable(state, waiter);
  if (hold === null) return state;
  const joined: Hold = { ...waiter, fence: hold.fence, grantedAt: at, scope: null, under: hold.id };
  return { ...state, holders: [...state.holders, joined] };
}

/**
 * The hold that `waiter` may run under: of the innermost script that it was started from, started itself, and exclusive
 * unless shared isolation is enough. Null when no such hold is there.
 */
function inheritable(state: MutexState, waiter: Pick<Waiter, 'ancestors' | 'level'>): Hold | null {
  const may = (h: Hold): boolean => h.scope !== null && (h.level === 'full' || waiter.level === 'none');
  const holds = waiter.ancestors.map((id) => state.holders.find((h) => h.id === id && may(h)));
  return holds.findLast((h) => h !== undefined) ?? null;
}

/** Another hold with the fence of this one: the mutex stays held by it when this one ends. */
export function jointHolder(state: MutexState, hold: Pick<Hold, 'id' | 'fence'>): Hold | null {
  return state.holders.find((h) => h.fence === hold.fence && h.id !== hold.id) ?? null;
}

/** Takes a waiter out of the queue. */
export function leave(state: MutexState, id: string, at: number): MutexState {
  if (!state.queue.some((w) => w.id === id)) return state;
  return grant({ ...state, queue: state.queue.filter((w) => w.id !== id) }, at);
}

/** Confirms a grant with the script's identity; unchanged when the hold is gone or its fence is stale. */
export function confirm(state: MutexState, id: string, fence: number, scope: TreeScope): MutexState {
  if (!state.holders.some((h) => h.id === id && h.fence === fence)) return state;
  return { ...state, holders: state.holders.map((h) => (h.id === id ? { ...h, scope } : h)) };
}

/** Ends a hold; unchanged when the hold is gone or its fence is stale. */
export function release(state: MutexState, id: string, fence: number, at: number): MutexState {
  if (!state.holders.some((h) => h.id === id && h.fence === fence)) return state;
  return grant({ ...state, holders: state.holders.filter((h) => h.id !== id) }, at);
}

/** Moves a hold to the orphans and grants the queue, or pauses the mutex in the same step when `holdQueue`. */
export function abandon(
  state: MutexState,
  id: string,
  how: {
    readonly at: number;
    readonly by: Actor;
    readonly reason: string | null;
    readonly holdQueue: boolean;
    /** Who lives of its tree. */
    readonly left?: readonly ProcessIdentity[];
  },
): MutexState {
  const hold = state.holders.find((h) => h.id === id);
  if (!hold) return state;
  const scope = hold.scope && how.left?.length ? { ...hold.scope, known: how.left } : hold.scope;
  return grant(
    {
      ...state,
      paused: how.holdQueue ? { by: how.by, at: how.at } : state.paused,
      holders: state.holders.filter((h) => h.id !== id),
      abandoned: [...state.abandoned, { ...hold, scope, abandonedAt: how.at, by: how.by, reason: how.reason }],
    },
    how.at,
  );
}

/**
 * Removes every entry whose processes are all provably gone. `gone` gets the runner and, once confirmed, the
 * script's scope; it must answer true only for what it has observed.
 */
export function reap(
  state: MutexState,
  gone: (entry: Waiter | Hold | AbandonedHold) => boolean,
  at: number,
): MutexState {
  const holders = state.holders.filter((h) => !gone(h));
  const queue = state.queue.filter((w) => !gone(w));
  const abandoned = state.abandoned.filter((a) => !gone(a));
  if (
    holders.length === state.holders.length &&
    queue.length === state.queue.length &&
    abandoned.length === state.abandoned.length
  )
    return state;
  return grant({ ...state, holders, queue, abandoned }, at);
}

/** Forgets an orphan whose end was observed. */
export function orphanEnded(state: MutexState, id: string): MutexState {
  if (!state.abandoned.some((a) => a.id === id)) return state;
  return { ...state, abandoned: state.abandoned.filter((a) => a.id !== id) };
}

export function resume(state: MutexState, at: number): MutexState {
  return state.paused ? grant({ ...state, paused: null }, at) : state;
}

export function pause(state: MutexState, by: Actor, at: number): MutexState {
  return state.paused ? state : { ...state, paused: { by, at } };
}

/** True when the mutex holds nothing worth keeping but its fence. */
export function idle(state: MutexState): boolean {
  return !state.paused && state.holders.length + state.queue.length + state.abandoned.length === 0;
}

function grant(state: MutexState, at: number): MutexState {
  if (state.paused) return state;
  const holders = [...state.holders];
  let { fence } = state;
  let taken = 0;
  for (const waiter of state.queue) {
    const free = waiter.level === 'full' ? holders.length === 0 : holders.every((h) => h.level === 'none');
    if (!free) break;
    fence += 1;
    taken += 1;
    holders.push({ ...waiter, fence, grantedAt: at, scope: null });
  }
  return taken === 0 ? state : { ...state, fence, holders, queue: state.queue.slice(taken) };
}

/**
 * The state for the lists of one host: a script of another one has its host in its ticket and no process here. It is
 * for showing only, never to begin a change from.
 */
export function seenFrom(state: MutexState, host: string): MutexState {
  const isForeign = (e: Entry): boolean => e.host !== undefined && e.host !== host;
  const far = <E extends Entry>(e: E): E => (isForeign(e) ? { ...e, ticket: ticketOf(e) } : e);
  const farHold = <H extends Hold>(h: H): H => (isForeign(h) ? { ...far(h), scope: null } : h);
  return {
    ...state,
    holders: state.holders.map(farHold),
    queue: state.queue.map(far),
    abandoned: state.abandoned.map(farHold),
  };
}

/** `TICKET@HOST` in a fleet, where a ticket alone does not say which script is meant. */
export const ticketOf = ({ ticket, host }: Pick<Entry, 'ticket' | 'host'>): string =>
  host === undefined ? ticket : `${ticket}@${host}`;
