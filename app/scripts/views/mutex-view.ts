/** A mutex as clients see it: holders, waiters with the reason why each waits, orphans. Pure. */
import type { MutexView } from '../../contract/methods.ts';
import { actorText } from '../../domain/lines.ts';
import { type Hold, jointHolder, keptOutBy, type MutexState, placeOf } from '../../domain/mutex.ts';

export const isoTime = (ms: number): string => new Date(ms).toISOString();

export function mutexView(
  state: MutexState,
  loops: readonly string[] | undefined,
  isStuck: (ticket: string) => boolean,
): MutexView {
  return {
    name: state.name,
    paused: state.paused !== null,
    pausedBy: state.paused === null ? null : actorText(state.paused.by),
    tainted: state.abandoned.length > 0,
    ...(loops === undefined ? {} : { deadlocks: [...loops] }),
    holders: state.holders.map((h) => ({
      ticket: h.ticket,
      name: h.name,
      pid: h.scope?.root.pid ?? null,
      level: h.level,
      since: isoTime(h.grantedAt),
      fence: h.fence,
      ...joined(state, h),
      ...(h.unsupervised ? { unsupervised: true } : {}),
      stuck: isStuck(h.ticket),
    })),
    waiters: state.queue.map((w, i) => ({
      ticket: w.ticket,
      name: w.name,
      level: w.level,
      since: isoTime(w.queuedAt),
      position: i + 1,
      ...(w.unsupervised ? { unsupervised: true } : {}),
      why: whyWaits(state, i),
    })),
    orphans: state.abandoned.map((a) => ({
      ticket: a.ticket,
      name: a.name,
      pid: a.scope?.root.pid ?? null,
      since: isoTime(a.abandonedAt),
      by: actorText(a.by),
    })),
  };
}

/** Whom a waiter waits for first: a holder, or the exclusive waiter ahead of it that the shared holders keep out. */
export function blocker(
  state: MutexState,
  id: string,
): { ticket: string; name: string; pid: number | null; since: number; queued?: true } | null {
  if (placeOf(state, id).kind !== 'waits') return null;
  const holder = keptOutBy(state, id) === null ? state.holders[0] : undefined;
  if (holder)
    return { ticket: holder.ticket, name: holder.name, pid: holder.scope?.root.pid ?? null, since: holder.grantedAt };
  const first = keptOutBy(state, id) ?? state.queue[0];
  return first && first.id !== id
    ? { ticket: first.ticket, name: first.name, pid: null, since: first.queuedAt, queued: true }
    : null;
}

/** Whose hold it joined, while that one is there. */
function joined(state: MutexState, hold: Hold): { under?: string } {
  const host = hold.under === undefined ? undefined : state.holders.find((h) => h.id === hold.under);
  return host ? { under: host.ticket } : {};
}

/** Who keeps the mutex held when this script's hold ends; null when nobody does. */
export function jointName(state: MutexState, id: string): string | null {
  const place = placeOf(state, id);
  return place.kind === 'holds' ? (jointHolder(state, place.hold)?.name ?? null) : null;
}

function whyWaits(state: MutexState, index: number): string {
  if (state.paused) return `The mutex is paused by ${actorText(state.paused.by)}.`;
  const waiter = state.queue[index];
  const ahead = waiter ? keptOutBy(state, waiter.id) : null;
  const holder = state.holders[0];
  if (ahead) return `Shared: could run beside the holders, but waits behind "${ahead.name}", which is exclusive.`;
  if (!holder) return 'Being granted now.';
  return index === 0 ? `Waiting for "${holder.name}".` : `Waiting for "${holder.name}" and ${index} ahead of it.`;
}
