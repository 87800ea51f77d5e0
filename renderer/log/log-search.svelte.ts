/** What is sought in the whole log, and which hit is shown: the host counts, exactly and without a cap. */
import type { ConsoleClient, Output } from '../contract.ts';
import type { LogPattern } from '../state/live-log.svelte.ts';
import { toCallError } from '../transport/call-error.ts';

type Hits = Output<'logs.search'>;
type Stream = 'stdout' | 'stderr' | 'unjam';

const settleMs = 150;
/** The first answer tells what was found by then; later ones come when there is more. */
const firstMs = 60;
const waitMs = 1_000;

export class LogSearch {
  text = $state('');
  isRegex = $state(false);
  ignoresCase = $state(true);
  total = $state(0);
  isSearching = $state(false);
  failure = $state('');
  /** The hit that was walked to. */
  current = $state.raw<Hits['next']>(null);
  /** The pattern, once the host has searched with it; the same object as long as it is the same. */
  pattern = $state.raw<LogPattern | null>(null);

  readonly #client: ConsoleClient;
  readonly #ticket: string;
  #stream: Stream | null = null;
  #stop: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: ConsoleClient, ticket: string) {
    this.#client = client;
    this.#ticket = ticket;
  }

  find(text: string): void {
    this.text = text;
    this.#restart(settleMs);
  }

  toggle(what: 'regex' | 'case'): void {
    if (what === 'regex') this.isRegex = !this.isRegex;
    else this.ignoresCase = !this.ignoresCase;
    this.#restart(0);
  }

  within(stream: Stream | null): void {
    if (stream === this.#stream) return;
    this.#stream = stream;
    this.#restart(0);
  }

  /** The log has grown. */
  again(): void {
    if (this.text === '' || this.isSearching || this.failure !== '') return;
    this.#start(0, false);
  }

  /** The next or previous hit from this line on, round the end; null when there is none. */
  async walk(step: 1 | -1, line: number): Promise<Hits['next']> {
    if (this.text === '') return null;
    try {
      const hits = await this.#ask(Math.max(1, this.current?.line ?? line), waitMs);
      if (this.current === null && hits.here !== null) this.current = hits.here;
      else this.current = step === 1 ? hits.next : hits.previous;
      this.#accept(hits);
    } catch (error) {
      this.failure = toCallError(error).message;
    }
    return this.current;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop?.abort();
  }

  #restart(afterMs: number): void {
    this.total = 0;
    this.current = null;
    this.failure = '';
    this.pattern = null;
    this.#start(afterMs, true);
  }

  #start(afterMs: number, isNew: boolean): void {
    this.close();
    this.isSearching = isNew && this.text !== '';
    if (this.text === '') return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#timer = setTimeout(() => void this.#run(stop.signal), afterMs);
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      for (let wait = firstMs; ; wait = waitMs) {
        const hits = await this.#ask(1, wait, signal);
        if (signal.aborted) return;
        this.#accept(hits);
        if (hits.exact) break;
      }
      this.pattern ??= { text: this.text, regex: this.isRegex, ignoreCase: this.ignoresCase };
    } catch (error) {
      if (signal.aborted) return;
      this.failure = toCallError(error).message;
    }
    this.isSearching = false;
  }

  #ask(near: number, wait: number, signal?: AbortSignal): Promise<Hits> {
    return this.#client.call(
      'logs.search',
      {
        ticket: this.#ticket,
        text: this.text,
        regex: this.isRegex,
        ignoreCase: this.ignoresCase,
        near,
        waitMs: wait,
        ...(this.#stream === null ? {} : { streams: [this.#stream] }),
      },
      signal,
    );
  }

  #accept(hits: Hits): void {
    this.total = hits.total;
  }
}

/** What to mark on screen; null = nothing. The host has tried it on every line, so that it ends. */
export function marker(pattern: LogPattern | null): RegExp | null {
  if (pattern === null) return null;
  const { text, regex, ignoreCase } = pattern;
  return new RegExp(regex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), ignoreCase ? 'gi' : 'g');
}
