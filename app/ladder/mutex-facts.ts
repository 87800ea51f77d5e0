/** Turns a mutex's state into the facts that log lines name. */
import { besideOrphan, type HolderFacts, inherited, type Line, type MutexFacts } from '../domain/lines.ts';
import type { Mutex } from '../locks/index.ts';
import { type Hold, jointHolder, type MutexState, placeOf, ticketOf } from '../domain/mutex.ts';

/** Seen by a script that holds the mutex, or has just released it: `next` is who runs now, or who is first in line. */
export function mutexFacts(state: MutexState, name: string, self: Pick<Hold, 'id' | 'fence'>): MutexFacts {
  const joint = jointHolder(state, self)?.name ?? null;
  const others = state.holders.filter((h) => h.id !== self.id);
  const stays = joint !== null || state.holders.some((h) => h.id === self.id);
  const next = stays ? state.queue[0] : (others.at(-1) ?? state.queue[0]);
  return { name, waiting: state.queue.length, next: next?.name ?? null, joint };
}

/** What was seen longer ago says nothing of who waits now, ms. */
const currentForMs = 10_000;

/**
 * Null when the script holds the mutex no more, for instance because it was abandoned; and when the mutex cannot be
 * read: a line then leaves it out, for no verb waits until a disk is mended.
 */
export function heldMutexFacts(mutex: Mutex, name: string, self: string): MutexFacts | null {
  let state;
  try {
    state = mutex.read();
  } catch {
    return null;
  }
  const place = placeOf(state, self);
  if (place.kind !== 'holds') return null;
  const facts = mutexFacts(state, name, place.hold);
  return mutex.staleMs > currentForMs ? { ...facts, waiting: null } : facts;
}

export function holderFacts(state: MutexState, now: number): HolderFacts[] {
  return state.holders.map((h) => ({
    name: h.name,
    ticket: ticketOf(h),
    pid: h.scope?.root.pid ?? null,
    level: h.level,
    heldMs: now - h.grantedAt,
  }));
}

/** Beside whom a script that was just granted the mutex runs all the same: under its hold, or abandoned before. */
export function notIsolated(state: MutexState, name: string, hold: Hold): Line[] {
  const host = hold.under === undefined ? undefined : state.holders.find((h) => h.id === hold.under);
  return [
    ...(host ? [inherited(name, hold.grantedAt, host)] : []),
    ...state.abandoned.map((orphan) =>
      besideOrphan(name, hold.grantedAt, {
        name: orphan.name,
        ticket: ticketOf(orphan),
        process: orphan.scope?.root ?? null,
      }),
    ),
  ];
}
