/** When a waiting script will probably start, from how long those ahead of it usually run. Pure. */
import { count } from './count.ts';
import { shortDuration } from './durations.ts';
import type { Hold, MutexState, Waiter } from './mutex.ts';

/** Fewer earlier runs say nothing about the next one. */
const runsMin = 3;

/** How long a script's earlier successes took, ms. */
export interface Usual {
  readonly medianMs: number;
  /** Eight of ten runs took between these two. */
  readonly lowMs: number;
  readonly highMs: number;
  readonly maxMs: number;
  readonly runs: number;
}

/** Wall-clock ms between which it will probably start; `from` may be over. */
export interface Estimate {
  readonly from: number;
  readonly to: number;
  /** Earlier runs that it rests on, of the script with the fewest. */
  readonly runs: number;
}

/** What earlier successes took; null when there was none. The tenths at both ends are left out as outliers. */
export function usualOf(durationsMs: readonly number[]): Usual | null {
  const times = [...durationsMs].sort((a, b) => a - b);
  const at = (share: number): number => times[Math.round(share * (times.length - 1))] ?? 0;
  return times.length === 0
    ? null
    : {
        medianMs: times[Math.floor(times.length / 2)] ?? 0,
        lowMs: at(0.1),
        highMs: at(0.9),
        maxMs: at(1),
        runs: times.length,
      };
}

/**
 * By id, for each waiter of the mutex of which something can be said: nothing while it is paused, when somebody ahead
 * has run fewer than three times before, or when a holder has already run longer than usual. `usual` gives null for a
 * holder that is stuck.
 */
export function estimates(
  mutex: Pick<MutexState, 'paused' | 'holders' | 'queue'>,
  usual: (script: Hold | Waiter) => Usual | null,
  now: number,
): ReadonlyMap<string, Estimate> {
  const found = new Map<string, Estimate>();
  if (mutex.paused !== null || mutex.holders.length === 0) return found;
  let runs = Infinity;
  let [from, to] = [0, 0];
  for (const holder of mutex.holders) {
    const times = usual(holder);
    if (times === null || times.runs < runsMin || now - holder.grantedAt > times.highMs) return found;
    from = Math.max(from, holder.grantedAt + times.lowMs);
    to = Math.max(to, holder.grantedAt + times.highMs);
    runs = Math.min(runs, times.runs);
  }
  /** Shared waiters in a row run beside each other: what the longest of them takes. */
  let beside = { lowMs: 0, highMs: 0 };
  for (const waiter of mutex.queue) {
    if (waiter.level === 'full') {
      from += beside.lowMs;
      to += beside.highMs;
      beside = { lowMs: 0, highMs: 0 };
    }
    found.set(waiter.id, { from, to, runs });
    const times = usual(waiter);
    if (times === null || times.runs < runsMin) return found;
    runs = Math.min(runs, times.runs);
    if (waiter.level === 'full') {
      from = Math.max(from, now) + times.lowMs;
      to += times.highMs;
    } else beside = { lowMs: Math.max(beside.lowMs, times.lowMs), highMs: Math.max(beside.highMs, times.highMs) };
  }
  return found;
}

/** `in 2 to 4 min`, `in about 2 min`, `within 4 min`, `any moment now`. */
export function estimateRange(estimate: Pick<Estimate, 'from' | 'to'>, now: number): string {
  const [from, to] = [shortDuration(estimate.from - now), shortDuration(estimate.to - now)];
  if (estimate.to - now < 1_000) return 'any moment now';
  if (estimate.from - now < 1_000) return `within ${to}`;
  if (from === to) return `in about ${to}`;
  const unit = /^\d+( s| min)$/.exec(to)?.[1];
  return `in ${unit !== undefined && from.endsWith(unit) ? from.slice(0, -unit.length) : from} to ${to}`;
}

export const estimateText = (estimate: Estimate, now: number): string =>
  `Usually starts ${estimateRange(estimate, now)}, from ${count(estimate.runs, 'earlier run')}.`;
