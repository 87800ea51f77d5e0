/**
 * The log of one script, tail first: the last lines at once, then whatever comes, and earlier parts on demand. Lines are
 * kept in a plain array beside a revision number, because a reactive copy of a hundred thousand lines would be slow.
 */
import type { ConsoleClient, LogEntry } from '../contract.ts';
import { type Line, toLines } from '../log/lines.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';

const tailBytes = 131_072;
const pageBytes = 1_048_576;
const waitMs = 20_000;
const settleMs = 150;
const retryMs = 2_000;
/** More would make the scroll bar longer than browsers can reach at 300 % zoom. */
const maxLines = 200_000;

export class LiveLog {
  revision = $state(0);
  ticket = $state.raw<string | null>(null);
  phase = $state.raw<'reading' | 'live' | 'complete'>('reading');
  failure = $state.raw<CallError | null>(null);
  hasEarlier = $state(false);
  loadingEarlier = $state(false);
  /** Shows a part in the middle; what comes at the end is not added. */
  isDetached = $state(false);
  size = $state(0);

  readonly #client: ConsoleClient;
  #lines: Line[] = [];
  #next = 0;
  #stop: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: ConsoleClient) {
    this.#client = client;
  }

  /** Read together with `revision`. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Is the line at this position loaded? */
  holds(seq: number): boolean {
    const first = this.#lines[0];
    const last = this.#lines.at(-1);
    return first !== undefined && last !== undefined && seq >= first.seq && seq < last.next;
  }

  open(ticket: string | null): void {
    if (ticket === this.ticket) return;
    this.close();
    this.ticket = ticket;
    this.#reset();
    if (ticket === null) return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#timer = setTimeout(() => void this.#run(ticket, stop.signal), settleMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop?.abort();
    this.#stop = null;
  }

  /** Back to the tail, after the window has been moved away from it or the connection was lost. */
  reopen(): void {
    const ticket = this.ticket;
    this.ticket = null;
    this.open(ticket);
  }

  /** Reads the part before the first line on screen. Returns how many lines came. */
  async loadEarlier(): Promise<number> {
    const first = this.#lines[0];
    const last = this.#lines.at(-1);
    if (this.ticket === null || first === undefined || last === undefined || !this.hasEarlier || this.loadingEarlier)
      return 0;
    this.loadingEarlier = true;
    const signal = this.#stop?.signal;
    const ticket = this.ticket;
    try {
      // Sequence numbers per line, so that the step is about 4,000 lines whatever a number stands for.
      const perLine = Math.max(1, (last.next - first.seq) / this.#lines.length);
      const from = Math.max(0, Math.floor(first.seq - perLine * 4_000));
      const earlier = await this.#readRange(ticket, from, first.seq, signal);
      if (signal?.aborted === true) return 0;
      // The first line may have been cut in its middle; it comes again with the part before it.
      const whole = from === 0 ? earlier : earlier.slice(1);
      this.#lines = [...whole, ...this.#lines].slice(0, maxLines);
      this.hasEarlier = from > 0;
      this.revision += 1;
      return whole.length;
    } catch (error) {
      if (signal?.aborted !== true) this.failure = toCallError(error);
      return 0;
    } finally {
      this.loadingEarlier = false;
    }
  }

  /** Shows the part around one line that is not loaded. */
  async jumpTo(seq: number): Promise<void> {
    const { ticket } = this;
    const first = this.#lines[0];
    const last = this.#lines.at(-1);
    if (ticket === null || first === undefined || last === undefined) return;
    this.close();
    const stop = new AbortController();
    this.#stop = stop;
    const perLine = Math.max(1, (last.next - first.seq) / this.#lines.length);
    const from = Math.max(0, Math.floor(seq - perLine * 500));
    try {
      const page = await this.#client.call('logs.read', { ticket, from, maxBytes: pageBytes }, stop.signal);
      if (stop.signal.aborted) return;
      const { lines } = toLines(page.entries, undefined);
      this.#lines = from === 0 ? lines : lines.slice(1);
      this.#next = page.next;
      this.hasEarlier = from > 0;
      this.isDetached = true;
      this.revision += 1;
    } catch (error) {
      if (!stop.signal.aborted) this.failure = toCallError(error);
    }
  }

  /** Goes on from a part in the middle; at the end of the log it follows again. */
  async loadLater(): Promise<void> {
    const { ticket } = this;
    const stop = this.#stop;
    if (ticket === null || stop === null || !this.isDetached || this.loadingEarlier) return;
    this.loadingEarlier = true;
    try {
      const page = await this.#client.call('logs.read', { ticket, from: this.#next, maxBytes: pageBytes }, stop.signal);
      if (stop.signal.aborted) return;
      this.#append(page.entries);
      this.#next = page.next;
      if (page.next >= page.size) {
        this.isDetached = false;
        void this.#run(ticket, stop.signal, false);
      }
    } catch (error) {
      if (!stop.signal.aborted) this.failure = toCallError(error);
    } finally {
      this.loadingEarlier = false;
    }
  }

  async #readRange(ticket: string, from: number, until: number, signal: AbortSignal | undefined): Promise<Line[]> {
    const found: LogEntry[] = [];
    for (let at = from; at < until;) {
      const page = await this.#client.call('logs.read', { ticket, from: at, maxBytes: pageBytes }, signal);
      for (const entry of page.entries) found.push(entry);
      if (page.next <= at) break;
      at = page.next;
    }
    return toLines(found, undefined).lines.filter((line) => line.seq < until);
  }

  async #run(ticket: string, signal: AbortSignal, fromTail = true): Promise<void> {
    let isFirst = fromTail;
    while (!signal.aborted) {
      try {
        const page = await this.#client.call(
          'logs.read',
          isFirst ? { ticket, tailBytes } : { ticket, from: this.#next, maxBytes: pageBytes, waitMs },
          signal,
        );
        if (signal.aborted) return;
        if (isFirst) this.hasEarlier = page.size > tailBytes;
        isFirst = false;
        this.#append(page.entries);
        this.#next = page.next;
        this.size = page.size;
        this.failure = null;
        this.phase = page.complete ? 'complete' : 'live';
        if (page.complete) return;
      } catch (error) {
        if (signal.aborted) return;
        this.failure = toCallError(error);
        if (this.failure.code === 'unknown-ticket') return;
        await pause(retryMs, signal);
      }
    }
  }

  #append(entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    const { lines, continues } = toLines(entries, this.#lines.at(-1));
    if (continues) this.#lines.pop();
    for (const line of lines) this.#lines.push(line);
    if (this.#lines.length > maxLines) {
      this.#lines = this.#lines.slice(-maxLines);
      this.hasEarlier = true;
    }
    this.revision += 1;
  }

  #reset(): void {
    this.#lines = [];
    this.#next = 0;
    this.phase = 'reading';
    this.failure = null;
    this.hasEarlier = false;
    this.loadingEarlier = false;
    this.isDetached = false;
    this.size = 0;
    this.revision += 1;
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
