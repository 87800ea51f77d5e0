/** The order of the list, and how far the list on screen is away from it. Pure. */
import type { ScriptView, Severity } from '../contract.ts';

const rank: Readonly<Record<Severity, number>> = { critical: 0, orphan: 1, warning: 2, info: 3, neutral: 4 };

export const isLiving = (s: ScriptView): boolean => s.state !== 'final' || s.orphan;

/** Living scripts first: by severity, by how many they block, by their place in the queue, by age; then the final ones, newest first. */
export function compareScripts(a: ScriptView, b: ScriptView): number {
  const living = Number(isLiving(b)) - Number(isLiving(a));
  if (living !== 0) return living;
  if (!isLiving(a))
    return compareText(b.endedAt ?? b.createdAt, a.endedAt ?? a.createdAt) || compareText(a.ticket, b.ticket);
  return (
    rank[a.condition.severity] - rank[b.condition.severity] ||
    b.blocks - a.blocks ||
    (a.queuePosition ?? 0) - (b.queuePosition ?? 0) ||
    compareText(a.createdAt, b.createdAt) ||
    compareText(a.ticket, b.ticket)
  );
}

export type Column = 'name' | 'host' | 'state' | 'blocks' | 'mutex' | 'pid' | 'output' | 'runtime';

/** What the person has chosen; null = what needs attention first. */
export interface Sorting {
  readonly column: Column;
  readonly isDescending: boolean;
}

const naturally = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** By one column; what has no value there comes last, and equal ones keep the usual order. */
export function compareBy({ column, isDescending }: Sorting): (a: ScriptView, b: ScriptView) => number {
  const sign = isDescending ? -1 : 1;
  return (a, b) => {
    const [left, right] = [valueOf(a, column), valueOf(b, column)];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || compareScripts(a, b);
    const order = typeof left === 'number' ? left - Number(right) : naturally.compare(left, String(right));
    return sign * order || compareScripts(a, b);
  };
}

function valueOf(s: ScriptView, column: Column): string | number | null {
  switch (column) {
    case 'name':
      return s.name;
    case 'host':
      return s.elsewhere?.host ?? '';
    case 'state':
      return s.condition.label;
    case 'blocks':
      return s.blocks;
    case 'mutex':
      return s.mutex;
    case 'pid':
      return s.pid;
    case 'output':
      // A longer silence is more: the earliest output has the highest value.
      return s.lastOutputAt === null ? null : -Date.parse(s.lastOutputAt);
    case 'runtime':
      return s.startedAt === null
        ? null
        : (s.endedAt === null ? Date.now() : Date.parse(s.endedAt)) - Date.parse(s.startedAt);
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many rows would come, go or move if `current` became `target`. */
export function countChanges(current: readonly string[], target: readonly string[]): number {
  const place = new Map(target.map((ticket, index) => [ticket, index]));
  const kept = current.flatMap((ticket) => place.get(ticket) ?? []);
  const gone = current.length - kept.length;
  const come = target.length - kept.length;
  return gone + come + kept.length - longestRise(kept);
}

/** Length of the longest rising subsequence: the rows that can stay where they are. */
function longestRise(places: readonly number[]): number {
  const tails: number[] = [];
  for (const place of places) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tails[middle] ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    tails[low] = place;
  }
  return tails.length;
}

/** Keeps every row where it is and appends what is new. */
export function appendNew(current: readonly string[], target: readonly string[]): readonly string[] {
  const known = new Set(current);
  const fresh = target.filter((ticket) => !known.has(ticket));
  return fresh.length === 0 ? current : [...current, ...fresh];
}
