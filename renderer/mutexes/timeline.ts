/** Who waited for a mutex and who held it, as spans on one time line: from the journal what is over, from the snapshot what is now. Pure. */
import type { HistoryEntry, MutexView } from '../contract.ts';

export type SpanKind = 'waits' | 'holds' | 'orphan';

export interface Span {
  readonly kind: SpanKind;
  /** ms since 1970. */
  readonly from: number;
  /** Null while it lasts. */
  readonly to: number | null;
}

export interface Lane {
  readonly ticket: string;
  readonly name: string;
  readonly level: 'full' | 'none' | null;
  readonly spans: readonly Span[];
}

type Open = { kind: SpanKind; from: number };
interface Draft {
  name: string;
  level: Lane['level'];
  spans: Span[];
  open: Open | null;
}

const waits = new Set(['queued', 'waiting']);
const holds = new Set(['granted', 'started']);
const ends = new Set(['final', 'orphan-ended']);

/** Lanes in the order in which the scripts came; only what reaches into the time after `since`. */
export function lanesOf(mutex: MutexView, entries: readonly HistoryEntry[], since: number): readonly Lane[] {
  const drafts = new Map<string, Draft>();
  const draft = (ticket: string, name: string): Draft => {
    const known = drafts.get(ticket) ?? { name, level: null, spans: [], open: null };
    drafts.set(ticket, known);
    return known;
  };
  const key = mutex.name.toLowerCase();
  const own = entries.filter((entry) => entry.ticket !== null && entry.mutex?.toLowerCase() === key);
  for (const entry of own.toSorted((a, b) => a.id - b.id))
    tell(draft(entry.ticket ?? '', entry.name ?? ''), entry.kind, Date.parse(entry.at));

  const current = new Set<string>();
  const now = (ticket: string, name: string, kind: SpanKind, from: string, level: Lane['level']): void => {
    const lane = draft(ticket, name);
    current.add(ticket);
    lane.level = level ?? lane.level;
    turn(lane, kind, Date.parse(from));
  };
  for (const one of mutex.holders) now(one.ticket, one.name, 'holds', one.since, one.level);
  for (const one of mutex.waiters) now(one.ticket, one.name, 'waits', one.since, one.level);
  for (const one of mutex.orphans) now(one.ticket, one.name, 'orphan', one.since, null);

  return [...drafts]
    .map(([ticket, lane]): Lane => ({
      ticket,
      name: lane.name,
      level: lane.level,
      spans: closed(lane, current.has(ticket)),
    }))
    .filter((lane) => lane.spans.some((span) => span.to === null || span.to > since))
    .sort((a, b) => (a.spans[0]?.from ?? 0) - (b.spans[0]?.from ?? 0));
}

/** What the journal says and the snapshot does not confirm has no end that is known: it is left out. */
function closed(lane: Draft, isCurrent: boolean): Span[] {
  return lane.open === null || !isCurrent ? lane.spans : [...lane.spans, { ...lane.open, to: null }];
}

function tell(lane: Draft, kind: string, at: number): void {
  if (waits.has(kind)) {
    if (lane.open === null) lane.open = { kind: 'waits', from: at };
  } else if (holds.has(kind)) turn(lane, 'holds', at);
  else if (kind === 'abandoned') turn(lane, 'orphan', at);
  // The verdict of an abandoned script comes at once; its orphan lasts.
  else if (ends.has(kind) && !(kind === 'final' && lane.open?.kind === 'orphan')) end(lane, at);
}

function turn(lane: Draft, kind: SpanKind, at: number): void {
  if (lane.open?.kind === kind) return;
  end(lane, at);
  lane.open = { kind, from: at };
}

function end(lane: Draft, at: number): void {
  if (lane.open !== null && at > lane.open.from) lane.spans.push({ ...lane.open, to: at });
  lane.open = null;
}
