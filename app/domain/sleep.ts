/**
 * Recognises that the machine (or this process) slept: a look that comes every second came minutes late. What a script
 * did not write meanwhile is no silence. Pure; times are wall-clock ms.
 */
export interface Sleep {
  readonly from: number;
  readonly to: number;
}

/** A look that is later than this counts as sleep; a busy machine delays one by seconds, not by a minute. */
const lateMs = 60_000;
/** Sleeps older than this matter to nobody. */
const keepMs = 14 * 86_400_000;

export interface Wakefulness {
  readonly lastLook: number;
  readonly sleeps: readonly Sleep[];
}

export function awakeAt(at: number): Wakefulness {
  return { lastLook: at, sleeps: [] };
}

export function look(w: Wakefulness, at: number): Wakefulness {
  const slept = at - w.lastLook > lateMs;
  if (!slept) return { ...w, lastLook: at };
  return { lastLook: at, sleeps: [...w.sleeps.filter((s) => at - s.to < keepMs), { from: w.lastLook, to: at }] };
}

/** How much of the time since `since` was slept, ms. */
export function asleepSince(w: Wakefulness, since: number): number {
  return w.sleeps.reduce((sum, s) => sum + Math.max(0, s.to - Math.max(s.from, since)), 0);
}
