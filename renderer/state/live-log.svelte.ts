/**
 * The log of one script as the host numbers it: the last lines at once, then whatever comes, and any other part when it
 * is looked at. Only lines near those on screen are kept, in a plain map beside a revision number.
 */
import type { ConsoleClient, Output } from '../contract.ts';
import { parseLines, type LineRange } from '../log/line-link.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';

export type LogLines = Output<'logs.lines'>;
export type LogLine = LogLines['lines'][number];
type Stream = LogLine['stream'];

export interface LogPattern {
  readonly text: string;
  readonly regex: boolean;
  readonly ignoreCase: boolean;
}

/** What is shown of the log; null = everything. */
export interface LogFilter {
  readonly stream: Stream | null;
  readonly matching: LogPattern | null;
}

const everything: LogFilter = { stream: null, matching: null };
const tailLines = 100;
const pageLines = 200;
const keptLines = 6_000;
const waitMs = 20_000;
/** Selections that follow each other faster than this ask for no log in between. */
const settleMs = 150;
const retryMs = 2_000;
/** Faster news than this cannot be read. */
const newsMs = 120;

export class LiveLog {
  revision = $state(0);
  ticket = $state.raw<string | null>(null);
  phase = $state.raw<'reading' | 'live' | 'complete'>('reading');
  failure = $state.raw<CallError | null>(null);
  filter = $state.raw<LogFilter>(everything);
  /** Lines that the filter lets through. */
  total = $state(0);
  /** Are all of them counted, and is every place known? */
  isCounted = $state(false);
  counts = $state.raw<LogLines['counts']>({ stdout: 0, stderr: 0, unjam: 0 });
  size = $state(0);
  /** The last lines that the filter lets through. */
  tail = $state.raw<readonly LogLine[]>([]);
  /** Lines that a link points at, until they are shown. */
  linked = $state.raw<LineRange | null>(null);

  readonly #client: ConsoleClient;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- what changes in it is told by the revision
  readonly #lines = new Map<number, LogLine>();
  #stop: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Places that are on screen, in their order. */
  #wanted: readonly number[] = [];
  #isFetching = false;
  #openedAt = -Infinity;

  constructor(client: ConsoleClient) {
    this.#client = client;
    const follow = (): void => {
      this.linked = parseLines(location.hash) ?? this.linked;
    };
    follow();
    addEventListener('hashchange', follow);
  }

  /** The line at a place, from 0; undefined while it is not loaded. Read together with `revision`. */
  at(place: number): LogLine | undefined {
    return this.isCounted ? this.#lines.get(place) : this.tail[place];
  }

  open(ticket: string | null): void {
    if (ticket === this.ticket) return;
    this.ticket = ticket;
    this.filter = everything;
    const now = performance.now();
    const isWalking = now - this.#openedAt < settleMs;
    this.#openedAt = now;
    this.#restart(isWalking ? settleMs : 0);
  }

  show(filter: LogFilter): void {
    if (filter.stream === this.filter.stream && filter.matching === this.filter.matching) return;
    this.filter = filter;
    this.#restart(0);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop?.abort();
    this.#stop = null;
  }

  /** Loads what is missing of these places, in their order, and of what is near them. */
  want(places: readonly number[]): void {
    this.#wanted = places;
    if (!this.#isFetching) void this.#fetch();
  }

  /** Lines by their place, straight from the host. */
  async read(from: number, count: number, signal?: AbortSignal): Promise<LogLines> {
    return await this.#client.call('logs.lines', { ...this.#query(this.filter), from, count }, signal);
  }

  /** The place of a line by its number, or of the next one that the filter lets through. */
  async placeOf(line: number): Promise<number> {
    let low = 0;
    let high = this.total;
    if (this.filter.stream === null && this.filter.matching === null) return Math.min(high - 1, line - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.at(middle) ?? (await this.read(middle, 1)).lines[0];
      if ((found?.number ?? Infinity) < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The whole text of a line that is shown cut. */
  async whole(line: number, signal?: AbortSignal): Promise<string> {
    let text = '';
    for (let from: number | null = 0; from !== null;) {
      const part: Output<'logs.line'> = await this.#client.call(
        'logs.line',
        { ticket: this.ticket ?? '', line, from },
        signal,
      );
      text += part.text;
      from = part.next;
    }
    return text;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let isFirst = true;
    while (!signal.aborted) {
      const query = { ...this.#query(this.filter), count: tailLines };
      try {
        const page = await this.#client.call(
          'logs.lines',
          this.isCounted ? { ...query, after: this.size, waitMs } : isFirst ? query : { ...query, waitMs },
          signal,
        );
        if (signal.aborted) return;
        isFirst = false;
        this.failure = null;
        this.#accept(page);
        if (page.complete) {
          this.phase = 'complete';
          return;
        }
        this.phase = 'live';
        if (this.isCounted) await pause(newsMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(await this.#mayRetry(error, signal))) return;
      }
    }
  }

  /** Says what has failed; false when it will not work later either. */
  async #mayRetry(error: unknown, signal: AbortSignal): Promise<boolean> {
    this.failure = toCallError(error);
    if (this.failure.code === 'unknown-ticket' || this.failure.code === 'bad-input') return false;
    await pause(retryMs, signal);
    return true;
  }

  #accept(page: LogLines): void {
    if (page.total < this.total) this.#lines.clear();
    const last = this.#lines.get(this.total - 1);
    if (last?.finished === false) this.#lines.delete(this.total - 1);
    this.counts = page.counts;
    this.size = page.size;
    this.tail = page.lines;
    this.isCounted = page.from !== null && page.counted;
    this.total = this.isCounted ? page.total : page.lines.length;
    this.#keep(page);
    this.revision += 1;
    // The last line was unfinished, and more have come since than a page has: it must be read anew.
    if (!this.#isFetching) void this.#fetch();
  }

  #keep(page: LogLines): void {
    const { from } = page;
    if (from === null) return;
    for (const [k, line] of page.lines.entries()) this.#lines.set(from + k, line);
    if (this.#lines.size <= keptLines) return;
    const first = this.#wanted[0] ?? from;
    const last = this.#wanted.at(-1) ?? from;
    for (const place of this.#lines.keys())
      if (place < first - keptLines / 4 || place > last + keptLines / 4) this.#lines.delete(place);
  }

  async #fetch(): Promise<void> {
    this.#isFetching = true;
    const signal = this.#stop?.signal;
    while (signal?.aborted === false) {
      const from = this.#missing();
      if (from === null) break;
      try {
        const page = await this.read(from, pageLines, signal);
        if (page.from === null || page.lines.length === 0) break;
        if (signal.aborted) break;
        this.failure = null;
        this.#keep(page);
        this.revision += 1;
      } catch (error) {
        if (signal.aborted || !(await this.#mayRetry(error, signal))) break;
      }
    }
    this.#isFetching = false;
    // What is wanted by now is of another log, or of another part of this one.
    if (signal?.aborted === true && this.#stop !== null) void this.#fetch();
  }

  /** Where the next page begins that is needed: at a line on screen, and as far before it as nothing is loaded. */
  #missing(): number | null {
    if (!this.isCounted) return null;
    const missing = this.#wanted.find((place) => place < this.total && !this.#lines.has(place));
    if (missing === undefined) return null;
    let from = missing;
    while (from > 0 && missing - from < pageLines / 4 && !this.#lines.has(from - 1)) from -= 1;
    return from;
  }

  #query({ stream, matching }: LogFilter) {
    return {
      ticket: this.ticket ?? '',
      ...(stream === null ? {} : { streams: [stream] }),
      ...(matching === null ? {} : { matching }),
    };
  }

  #restart(afterMs: number): void {
    this.close();
    this.#lines.clear();
    this.#wanted = [];
    this.phase = 'reading';
    this.failure = null;
    this.total = 0;
    this.isCounted = false;
    this.tail = [];
    this.revision += 1;
    if (this.ticket === null) return;
    const stop = new AbortController();
    this.#stop = stop;
    const run = (): void => void this.#run(stop.signal);
    if (afterMs > 0) this.#timer = setTimeout(run, afterMs);
    // Later than whoever called: an effect would take what is read for its own dependencies.
    else queueMicrotask(run);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
