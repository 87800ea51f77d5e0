/** Points in time, local, always unambiguous: the offset is part of every full time. */
const pad = (n: number, width = 2): string => String(n).padStart(width, '0');
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}

export const nowIso = (): string => new Date().toISOString();

/** "03:12:41" */
export function clockTime(iso: string): string {
  const d = new Date(iso);
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

/** "03:12:41.208" */
export function clockTimeMs(iso: string): string {
  return `${clockTime(iso)}.${pad(new Date(iso).getMilliseconds(), 3)}`;
}

/** "20 Nov 03:12:41" */
export function dayTime(iso: string): string {
  const d = new Date(iso);
  return `${d.getDate()} ${months[d.getMonth()] ?? ''} ${clockTime(iso)}`;
}

/** "20 Nov 2026, 03:12:41.208 (+01:00)" */
export function fullTime(iso: string): string {
  const d = new Date(iso);
  return `${d.getDate()} ${months[d.getMonth()] ?? ''} ${d.getFullYear()}, ${clockTimeMs(iso)} (${offset(d)})`;
}
