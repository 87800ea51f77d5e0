/** Times and durations as people read them, and as they type them. */

/** `12 s`, `4 min`, `5 min 58 s`, `9 h 04 min`, `3 d 2 h`: coarse for lists. Negative counts as 0. */
export function shortDuration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return hours(s);
}

/** As shortDuration, but the largest unit alone: `9 h`, `3 d`. For labels that have no room for more. */
export function roughDuration(ms: number): string {
  return shortDuration(ms).split(' ').slice(0, 2).join(' ');
}

/** As shortDuration, with seconds below one hour: `47 min 12 s`. */
export function longDuration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
  return hours(s);
}

/** As longDuration, with tenths below ten seconds: `0.4 s`. */
export function fineDuration(ms: number): string {
  return ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : longDuration(ms);
}

function hours(s: number): string {
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** `03:12:50` in the machine's own zone; every log line carries it. */
export function clockTime(at: number): string {
  const d = new Date(at);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads `500ms`, `10s`, `30m`, `1h`, `1h30m`, `1d`, a .NET TimeSpan (`hh:mm:ss`, `d.hh:mm:ss`) or a bare number of seconds.
 * Returns milliseconds, or null when the text is none of these.
 */
export function parseDuration(text: string): number | null {
  const t = text.trim().toLowerCase();
  if (t === '') return null;
  if (/^\d+(\.\d+)?$/.test(t)) return Math.round(Number(t) * 1000);
  const span = /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?$/.exec(t);
  if (span) {
    const [, d, h, m, s, f] = span;
    if (Number(h) > 23 || Number(m) > 59 || Number(s) > 59) return null;
    return (
      Number(d ?? 0) * 86_400_000 +
      Number(h) * 3_600_000 +
      Number(m) * 60_000 +
      Number(s) * 1000 +
      Math.round(Number(`0.${f ?? 0}`) * 1000)
    );
  }
  if (!/^(\d+(\.\d+)?(ms|min|s|m|h|d))+$/.test(t)) return null;
  let total = 0;
  for (const [, n, unit] of t.matchAll(/(\d+(?:\.\d+)?)(ms|min|s|m|h|d)/g))
    total += Number(n) * (units[unit ?? ''] ?? 0);
  return Math.round(total);
}
