/** One script in full, read again when it changes and every few seconds while it lives. */
import type { ConsoleClient, ScriptDetail, ScriptView } from '../contract.ts';
import { detailed } from '../scripts/listed.ts';
import { isLiving } from '../scripts/order.ts';
import { Samples } from './process-samples.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';

/** Moving through the list with a held arrow key must not ask for every row. */
const settleMs = 120;
/** Processor time and the process tree change without a new version. */
const againMs = 2_000;

export class LiveDetail {
  current = $state.raw<ScriptDetail | null>(null);
  failure = $state.raw<CallError | null>(null);
  samples = $state.raw(new Samples());

  readonly #client: ConsoleClient;
  readonly #isObserved: (ticket: string) => boolean;
  #ticket: string | null = null;
  #lastRead = 0;
  #changedWhileReading = false;
  #reading: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: ConsoleClient, isObserved: (ticket: string) => boolean) {
    this.#client = client;
    this.#isObserved = isObserved;
  }

  open(ticket: string | null): void {
    if (ticket === this.#ticket) return;
    this.#ticket = ticket;
    this.#reading?.abort();
    this.#reading = null;
    this.failure = null;
    const sinceLast = performance.now() - this.#lastRead;
    this.#plan(sinceLast > settleMs ? 0 : settleMs);
  }

  /** A snapshot came: is what is shown still true? */
  accept(view: ScriptView | null): void {
    if (view === null || view.ticket !== this.#ticket) return;
    const known = this.current?.ticket === view.ticket ? this.current : null;
    if (known === null) return;
    const changed =
      known.version !== view.version || known.condition.key !== view.condition.key || known.blocks !== view.blocks;
    if (changed) this.#plan(0);
    else if (isLiving(view) && performance.now() - this.#lastRead > againMs) this.#plan(0);
  }

  refresh(): void {
    this.#plan(0);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#reading?.abort();
  }

  #plan(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#ticket === null) return;
    if (this.#reading !== null) {
      this.#changedWhileReading = true;
      return;
    }
    this.#timer = setTimeout(() => void this.#read(), afterMs);
  }

  async #read(): Promise<void> {
    const ticket = this.#ticket;
    if (ticket === null) return;
    const reading = new AbortController();
    this.#reading = reading;
    this.#changedWhileReading = false;
    this.#lastRead = performance.now();
    try {
      const detail = this.#isObserved(ticket)
        ? detailed(await this.#client.call('observed.get', { id: ticket }, reading.signal))
        : await this.#client.call('scripts.get', { ticket }, reading.signal);
      if (reading.signal.aborted) return;
      this.current = detail;
      this.samples = this.samples.with(detail, performance.now());
      this.failure = null;
    } catch (error) {
      if (reading.signal.aborted) return;
      this.failure = toCallError(error);
    }
    this.#reading = null;
    if (this.#changedWhileReading) this.#plan(settleMs);
  }
}
