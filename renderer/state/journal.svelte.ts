/** The journal's entries for the history view: all of the chosen time, read page by page and then kept current. */
import type { ConsoleClient, HistoryEntry } from '../contract.ts';
import { kindName } from '../words/history.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';
import { toSet } from '../words/maps.ts';

export const ranges = [
  { key: 'day', label: 'Last 24 hours', ms: 86_400_000 },
  { key: 'week', label: 'Last 7 days', ms: 7 * 86_400_000 },
  { key: 'all', label: 'Everything', ms: null },
] as const;
export type RangeKey = (typeof ranges)[number]['key'];

/** The first page is on screen at once; the rest follows in larger ones. */
const firstPage = 200;
const nextPage = 5_000;
export const shownRows = 50;
const againMs = 2_000;

export class Journal {
  /** Newest first; null until something has been read. */
  entries = $state.raw<readonly HistoryEntry[] | null>(null);
  failure = $state.raw<CallError | null>(null);
  /** Older entries are still being read: counts are not final. */
  isReading = $state(false);
  range = $state<RangeKey>('day');
  kind = $state('');
  person = $state('');
  text = $state('');
  selected = $state<number | null>(null);
  page = $state(0);

  readonly kinds: readonly string[] = $derived([...toSet((this.entries ?? []).map(kindName))].sort());
  readonly people: readonly string[] = $derived([...toSet((this.entries ?? []).map((entry) => entry.who))].sort());
  readonly shown: readonly HistoryEntry[] = $derived((this.entries ?? []).filter((entry) => this.#matches(entry)));
  readonly pages: number = $derived(Math.max(1, Math.ceil(this.shown.length / shownRows)));
  readonly rows: readonly HistoryEntry[] = $derived.by(() => {
    const from = Math.min(this.page, this.pages - 1) * shownRows;
    return this.shown.slice(from, from + shownRows);
  });
  readonly detail: HistoryEntry | null = $derived(this.shown.find((entry) => entry.id === this.selected) ?? null);

  readonly #client: ConsoleClient;
  #isOpen = false;
  #readAt = 0;
  #stop: AbortController | null = null;

  constructor(client: ConsoleClient) {
    this.#client = client;
  }

  open(isOpen: boolean): void {
    const wasOpen = this.#isOpen;
    this.#isOpen = isOpen;
    if (isOpen && !wasOpen) void this.read();
    if (!isOpen) this.#stop?.abort();
  }

  /** A snapshot came. Rows are keyed by id and newest first, so that reading again moves no decision under a finger. */
  accept(): void {
    if (this.#isOpen && !this.isReading && performance.now() - this.#readAt > againMs) void this.read();
  }

  setRange(range: RangeKey): void {
    this.range = range;
    this.page = 0;
    this.entries = null;
    void this.read();
  }

  /** Reads what is new; and everything of the range when nothing has been read yet. */
  async read(): Promise<void> {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.#readAt = performance.now();
    this.isReading = true;
    const ms = ranges.find((range) => range.key === this.range)?.ms ?? null;
    const since = ms === null ? {} : { sinceMs: ms };
    const known = this.entries ?? [];
    const newest = known[0]?.id ?? -1;
    try {
      let fresh: readonly HistoryEntry[] = [];
      for (let before: number | null = null; ;) {
        const limit: number = before === null ? firstPage : nextPage;
        const part: readonly HistoryEntry[] = await this.#client.call(
          'history.list',
          { ...since, limit, ...(before === null ? {} : { before }) },
          stop.signal,
        );
        if (stop.signal.aborted) return;
        fresh = [...fresh, ...part.filter((entry) => entry.id > newest)];
        this.entries = [...fresh, ...known];
        this.failure = null;
        const last = part.at(-1);
        if (last === undefined || part.length < limit || last.id <= newest) break;
        before = last.id;
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      this.failure = toCallError(error);
    }
    this.isReading = false;
  }

  #matches(entry: HistoryEntry): boolean {
    if (this.kind !== '' && kindName(entry) !== this.kind) return false;
    if (this.person !== '' && entry.who !== this.person) return false;
    const wanted = this.text.trim().toLowerCase();
    if (wanted === '') return true;
    return [entry.name, entry.ticket, entry.mutex, entry.who, entry.text, entry.code].some(
      (field) => field?.toLowerCase().includes(wanted) === true,
    );
  }
}
