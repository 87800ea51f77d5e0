/** Counts the lines with a text in the whole log, exactly as it is written, through the host: exact, without a cap, also in what is not loaded. */
import type { ConsoleClient } from '../contract.ts';
import { toCallError } from '../transport/call-error.ts';
import type { Line } from './lines.ts';

const settleMs = 200;
const pageBytes = 4_194_304;
/** Hits that are kept to be walked through; more are counted. */
const keptHits = 100_000;

export class LogSearch {
  text = $state('');
  /** Sequence numbers of the lines with a hit, oldest first. */
  hits = $state.raw<readonly number[]>([]);
  total = $state(0);
  isSearching = $state(false);
  failure = $state('');
  /** Index of the hit that was walked to; -1 = none yet. */
  current = $state(-1);

  readonly #client: ConsoleClient;
  readonly #ticket: string;
  #searchedTo = 0;
  #stop: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: ConsoleClient, ticket: string) {
    this.#client = client;
    this.#ticket = ticket;
  }

  find(text: string): void {
    this.close();
    this.text = text;
    this.hits = [];
    this.total = 0;
    this.current = -1;
    this.failure = '';
    this.isSearching = text !== '';
    if (text === '') return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#timer = setTimeout(() => void this.#run(text, stop.signal), settleMs);
  }

  /** Lines that came after the search. */
  add(lines: readonly Line[]): void {
    if (this.text === '' || this.isSearching) return;
    const last = Math.max(this.#searchedTo - 1, this.hits.at(-1) ?? -1);
    const fresh = lines.filter((line) => line.seq > last && line.text.includes(this.text)).map((line) => line.seq);
    if (fresh.length === 0) return;
    this.hits = [...this.hits, ...fresh];
    this.total += fresh.length;
  }

  /** The next or previous hit, round the end; null when there is none. */
  walk(step: 1 | -1): number | null {
    if (this.hits.length === 0) return null;
    const from = this.current < 0 ? (step === 1 ? -1 : 0) : this.current;
    this.current = (from + step + this.hits.length) % this.hits.length;
    return this.hits[this.current] ?? null;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop?.abort();
  }

  async #run(text: string, signal: AbortSignal): Promise<void> {
    const hits: number[] = [];
    let total = 0;
    try {
      for (let from = 0; ;) {
        const page = await this.#client.call(
          'logs.read',
          { ticket: this.#ticket, from, search: text, maxBytes: pageBytes },
          signal,
        );
        if (signal.aborted) return;
        total += page.entries.length;
        for (const entry of page.entries) if (hits.length < keptHits) hits.push(entry.seq);
        this.hits = [...hits];
        this.total = total;
        this.#searchedTo = page.next;
        if (page.next <= from || page.next >= page.size || page.complete) break;
        from = page.next;
      }
    } catch (error) {
      if (signal.aborted) return;
      this.failure = toCallError(error).message;
    }
    this.isSearching = false;
  }
}
