/** What the journal says of one mutex in the last day, for its timeline: of all scripts, and not only of the newest entries. */
import type { ConsoleClient, HistoryEntry } from '../contract.ts';
import { toCallError } from '../transport/call-error.ts';

const dayMs = 86_400_000;
const limit = 10_000;
const againMs = 2_000;

export class MutexHistory {
  entries = $state.raw<readonly HistoryEntry[]>([]);
  /** Why the timeline has only what is now; empty when it is complete. */
  problem = $state('');

  readonly #client: ConsoleClient;
  #name: string | null = null;
  #readAt = -Infinity;
  #isReading = false;

  constructor(client: ConsoleClient) {
    this.#client = client;
  }

  /** Null = nobody looks. Called with every snapshot as well. */
  open(name: string | null): void {
    const isOther = name !== this.#name;
    this.#name = name;
    if (isOther) this.entries = [];
    if (name !== null && !this.#isReading && (isOther || performance.now() - this.#readAt > againMs)) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    const name = this.#name;
    this.#readAt = performance.now();
    try {
      const entries =
        name === null ? [] : await this.#client.call('history.list', { mutex: name, sinceMs: dayMs, limit });
      if (name === this.#name) {
        this.entries = entries;
        this.problem = entries.length < limit ? '' : 'Only the newest 10,000 events of the last day are drawn.';
      }
    } catch (error) {
      this.problem = toCallError(error).message;
    }
    this.#isReading = false;
    if (name !== this.#name) void this.#read();
  }
}
