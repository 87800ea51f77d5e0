/** What the time column shows. */
import { shortDuration } from '../../app/domain/durations.ts';
import { clockTimeMs } from '../words/times.ts';

export const timeColumns = ['local', 'utc', 'start', 'delta', 'off'] as const;
export type TimeColumn = (typeof timeColumns)[number];
export const timeColumnLabels: Readonly<Record<TimeColumn, string>> = {
  local: 'local',
  utc: 'UTC',
  start: 'since start',
  delta: 'between lines',
  off: 'off',
};

const pad = (n: number, width: number): string => String(n).padStart(width, '0');

/** "00:47:12.305"; hours go on counting. */
function elapsed(ms: number): string {
  const t = Math.abs(ms);
  const hours = Math.floor(t / 3_600_000);
  const text = `${pad(hours, 2)}:${pad(Math.floor(t / 60_000) % 60, 2)}:${pad(Math.floor(t / 1_000) % 60, 2)}.${pad(t % 1_000, 3)}`;
  return ms < 0 ? `-${text}` : text;
}

export function timeText(
  column: TimeColumn,
  at: string | null,
  sinceMs: number | null,
  startedAt: string | null,
): string {
  if (at === null || column === 'off') return '';
  if (column === 'utc') return at.slice(11, 23);
  if (column === 'start') return startedAt === null ? '' : elapsed(Date.parse(at) - Date.parse(startedAt));
  if (column === 'delta')
    return sinceMs === null ? '' : `+${sinceMs < 1000 ? `${sinceMs} ms` : shortDuration(sinceMs)}`;
  return clockTimeMs(at);
}
