/** The line that an incident review needs: from when to when two scripts were not isolated from each other. Pure. */
import type { HistoryEntry } from '../contract.ts';

export interface Breach {
  readonly mutex: string;
  readonly from: string;
  /** Null while the orphan still runs, as far as the journal knows. */
  readonly to: string | null;
  /** Scripts that got the mutex in that time. */
  readonly beside: readonly string[];
}

const abandons = new Set(['abandon', 'abandoned']);

/** Null for an entry that broke no isolation. `entries` are in any order. */
export function breachOf(entry: HistoryEntry, entries: readonly HistoryEntry[]): Breach | null {
  if (!abandons.has(entry.kind) || entry.mutex === null) return null;
  const key = entry.mutex.toLowerCase();
  const later = entries.filter((other) => other.id > entry.id);
  const end = later
    .filter((other) => other.ticket === entry.ticket && other.kind === 'orphan-ended')
    .sort((a, b) => a.id - b.id)[0];
  const beside = later.filter(
    (other) =>
      other.kind === 'started' &&
      other.ticket !== entry.ticket &&
      other.mutex?.toLowerCase() === key &&
      (end === undefined || other.id < end.id),
  );
  return {
    mutex: entry.mutex,
    from: entry.at,
    to: end?.at ?? null,
    beside: beside.sort((a, b) => a.id - b.id).map((other) => other.name ?? other.ticket ?? ''),
  };
}
