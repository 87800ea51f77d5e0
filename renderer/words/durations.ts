/** Durations as people say them: "47 min 12 s", "9 h 04 min", "3 d 2 h". */
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** To the second under one hour; for sentences that do not tick. */
export function exactly(ms: number): string {
  const t = Math.max(0, ms);
  if (t < minute) return `${Math.floor(t / second)} s`;
  if (t < hour) {
    const rest = Math.floor((t % minute) / second);
    return rest === 0 ? `${Math.floor(t / minute)} min` : `${Math.floor(t / minute)} min ${rest} s`;
  }
  return coarse(t);
}

/** For lists: changes every second under one minute, every 10 s under 10 minutes, then every minute. */
export function coarse(ms: number): string {
  const t = Math.max(0, ms);
  if (t < minute) return `${Math.floor(t / second)} s`;
  if (t < 10 * minute) {
    const rest = Math.floor((t % minute) / (10 * second)) * 10;
    return rest === 0 ? `${Math.floor(t / minute)} min` : `${Math.floor(t / minute)} min ${rest} s`;
  }
  if (t < hour) return `${Math.floor(t / minute)} min`;
  if (t < day) return `${Math.floor(t / hour)} h ${String(Math.floor((t % hour) / minute)).padStart(2, '0')} min`;
  return `${Math.floor(t / day)} d ${Math.floor((t % day) / hour)} h`;
}
