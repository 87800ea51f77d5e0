/** Points in time in the zone of this machine, always unambiguous: the offset is part of every full time. */

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The same moment as a date whose UTC fields are those of the local zone. */
function inZone(iso: string): Date {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
}

function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}

/** "local (+01:00)" */
export const zoneName = (now: number): string => `local (${offset(new Date(now))})`;

export const nowIso = (): string => new Date().toISOString();

/** "03:12:41" */
export function clockTime(iso: string): string {
  const d = inZone(iso);
  return `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`;
}

/** "03:12" */
export const minuteTime = (iso: string): string => clockTime(iso).slice(0, 5);

/** "03:12:41.208" */
export function clockTimeMs(iso: string): string {
  return `${clockTime(iso)}.${pad(inZone(iso).getUTCMilliseconds(), 3)}`;
}

/** "20 Nov 03:12:41" */
export function dayTime(iso: string): string {
  const d = inZone(iso);
  return `${d.getUTCDate()} ${months[d.getUTCMonth()] ?? ''} ${clockTime(iso)}`;
}

/** "20 Nov 2026, 03:12:41.208 (+01:00)" */
export function fullTime(iso: string): string {
  const d = inZone(iso);
  return `${d.getUTCDate()} ${months[d.getUTCMonth()] ?? ''} ${d.getUTCFullYear()}, ${clockTimeMs(iso)} (${offset(new Date(iso))})`;
}
