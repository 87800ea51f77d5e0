/** The last lines of an agent's own log of an observed script, read again and again where the agent keeps it. */
import type { ConsoleClient } from '../contract.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';

const againMs = 2_000;
const keptLines = 200;

/** What the dock shows of a line. */
export interface ForeignLine {
  readonly seq: number;
  readonly stream: 'stdout' | 'stderr' | 'unjam';
  readonly at: string | null;
  readonly code: string | null;
  readonly text: string;
}

export class ForeignLog {
  revision = $state(0);
  phase = $state.raw<'reading' | 'live'>('reading');
  failure = $state.raw<CallError | null>(null);
  tail = $state.raw<readonly ForeignLine[]>([]);
  /** Where it lies, and whether secrets are masked in it. */
  about = $state('');

  readonly #client: ConsoleClient;
  #id: string | null = null;
  #next: number | undefined;
  #reading: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: ConsoleClient) {
    this.#client = client;
  }

  open(id: string | null): void {
    if (id === this.#id) return;
    this.close();
    this.#id = id;
    this.#next = undefined;
    this.tail = [];
    this.about = '';
    this.failure = null;
    this.phase = 'reading';
    if (id !== null) void this.#read(id);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#reading?.abort();
  }

  async #read(id: string): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    try {
      const from = this.#next === undefined ? {} : { from: this.#next };
      const { lines, next, path, note } = await this.#client.call('observed.log', { id, ...from }, reading.signal);
      if (reading.signal.aborted) return;
      this.#next = next;
      this.about = `${path}: ${note}`;
      this.failure = null;
      this.#take(lines);
    } catch (error) {
      if (reading.signal.aborted) return;
      this.failure = toCallError(error);
    }
    this.phase = 'live';
    this.#timer = setTimeout(() => void this.#read(id), againMs);
  }

  #take(lines: readonly { readonly stream: string; readonly at: string | null; readonly text: string }[]): void {
    if (lines.length === 0) return;
    const last = (this.tail.at(-1)?.seq ?? -1) + 1;
    const more = lines.map(({ stream, at, text }, index): ForeignLine => {
      return { seq: last + index, stream: stream === 'stderr' ? 'stderr' : 'stdout', at, code: null, text };
    });
    this.tail = [...this.tail, ...more].slice(-keptLines);
    this.revision += 1;
  }
}
