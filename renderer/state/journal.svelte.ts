/** The journal's entries for the history view: read when the view opens and when something has changed. */
import type { ConsoleClient, HistoryEntry } from '../contract.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';
import { toSet } from '../words/maps.ts';

export const ranges = [
  { key: 'day', label: 'Last 24 hours', ms: 86_400_000 },
  { key: 'week', label: 'Last 7 days', ms: 7 * 86_400_000 },
  { key: 'all', label: 'Everything', ms: null },
] as const;
export type RangeKey = (typeof ranges)[number]['key'];

const limit = 2_000;

export class Journal {
  entries = $state.raw<readonly HistoryEntry[] | null>(null);
  failure = $state.raw<CallError | null>(null);
  range = $state<RangeKey>('day');
  kind = $state('');
  person = $state('');
  text = $state('');
  selected = $state<number | null>(null);

  readonly kinds: readonly string[] = $derived([...toSet((this.entries ?? []).map((entry) => entry.kind))].sort());
  readonly people: readonly string[] = $derived([...toSet((this.entries ?? []).map((entry) => entry.who))].sort());
  readonly shown: readonly HistoryEntry[] = $derived((this.entries ?? []).filter((entry) => this.#matches(entry)));
  readonly detail: HistoryEntry | null = $derived(this.shown.find((entry) => entry.id === this.selected) ?? null);

  readonly #client: ConsoleClient;
  #isOpen = false;
  #reading = false;
  #readAt = 0;

  constructor(client: ConsoleClient) {
    this.#client = client;
  }

  open(isOpen: boolean): void {
    if (isOpen && !this.#isOpen) void this.read();
    this.#isOpen = isOpen;
  }

  /** A snapshot came. Rows are keyed by id and newest first, so that reading again moves no decision under a finger. */
  accept(): void {
    if (this.#isOpen && performance.now() - this.#readAt > 2_000) void this.read();
  }

  setRange(range: RangeKey): void {
    this.range = range;
    void this.read();
  }

  async read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    this.#readAt = performance.now();
    const ms = ranges.find((range) => range.key === this.range)?.ms ?? null;
    try {
      this.entries = await this.#client.call('history.list', { limit, ...(ms === null ? {} : { sinceMs: ms }) });
      this.failure = null;
    } catch (error) {
      this.failure = toCallError(error);
    } finally {
      this.#reading = false;
    }
  }

  #matches(entry: HistoryEntry): boolean {
    if (this.kind !== '' && entry.kind !== this.kind) return false;
    if (this.person !== '' && entry.who !== this.person) return false;
    const wanted = this.text.trim().toLowerCase();
    if (wanted === '') return true;
    return [entry.name, entry.ticket, entry.mutex, entry.who, entry.text, entry.code].some(
      (field) => field?.toLowerCase().includes(wanted) === true,
    );
  }
}
