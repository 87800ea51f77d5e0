/** The groups of a log, read again while it grows, and which of them the person has folded. */
import { SvelteSet } from 'svelte/reactivity';
import type { ConsoleClient } from '../contract.ts';
import { groupEndPattern, groupPattern, type LogGroup, pair } from './groups.ts';

/** As many as one answer lists; groups that come later cannot be folded. */
const most = 10_000;
const waitMs = 5_000;
/** Between two looks at a log that grows. */
const againMs = 1_000;

export class Folds {
  /** By the line that begins it. */
  groups = $state.raw(pair([], []));
  /** Stays while the log grows. */
  readonly #folded = new SvelteSet<number>();
  readonly folded: readonly LogGroup[] = $derived([...this.#folded].flatMap((start) => this.groups.get(start) ?? []));

  readonly #client: ConsoleClient;
  readonly #ticket: string;
  readonly #stop = new AbortController();
  #starts: readonly number[] = [];
  #ends: readonly number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;
  #isOld = false;

  constructor(client: ConsoleClient, ticket: string) {
    this.#client = client;
    this.#ticket = ticket;
  }

  /** The log has grown. */
  again(): void {
    this.#isOld = true;
    if (!this.#isReading) void this.#read();
  }

  isFolded(start: number): boolean {
    return this.#folded.has(start);
  }

  toggle(start: number): void {
    if (!this.#folded.delete(start)) this.#folded.add(start);
  }

  /** Opens all when one is folded. */
  toggleAll(): void {
    if (this.#folded.size > 0) this.#folded.clear();
    else for (const start of this.groups.keys()) this.#folded.add(start);
  }

  /** Opens what hides a line. */
  reveal(line: number): void {
    for (const { start, end } of this.folded) if (start < line && line <= (end ?? Infinity)) this.#folded.delete(start);
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    this.#isOld = false;
    try {
      const [starts, ends] = await Promise.all([
        this.#find(groupPattern, this.#starts),
        this.#find(groupEndPattern, this.#ends),
      ]);
      if (starts.length !== this.#starts.length || ends.length !== this.#ends.length) this.groups = pair(starts, ends);
      this.#starts = starts;
      this.#ends = ends;
    } catch {
      // The log says itself why it cannot be read; without its groups all of it is on screen.
    }
    if (this.#stop.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#isReading = false;
      if (this.#isOld) void this.#read();
    }, againMs);
  }

  /** A log only grows: what is known stays as it is. */
  async #find(text: string, known: readonly number[]): Promise<readonly number[]> {
    const { hits, exact } = await this.#client.call(
      'logs.search',
      {
        ticket: this.#ticket,
        text,
        regex: true,
        streams: ['stdout'],
        from: known.length,
        count: most - known.length,
        waitMs,
      },
      this.#stop.signal,
    );
    if (!exact) this.#isOld = true;
    return [...known, ...hits];
  }
}
