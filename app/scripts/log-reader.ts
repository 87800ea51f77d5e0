/** Answers `logs.read`: keeps the indexes of the logs that are being looked at, and waits for news when asked to. */
import type { LogPage, Parsed } from '../contract/methods.ts';
import { LogIndex, readLog } from '../logs/index.ts';
import type { ScriptRecord } from './record.ts';

const keptIndexes = 32;
const pollMs = 50;

export class LogReader {
  readonly #indexes = new Map<string, LogIndex>();

  async read(record: ScriptRecord, query: Parsed<'logs.read'>): Promise<LogPage> {
    const deadline = performance.now() + (query.waitMs ?? 0);
    for (;;) {
      record.tree ??= record.isFinal ? record.directory.readTree() : null;
      const over = record.tree !== null; // written last: from then on nobody adds to the log or its index
      const page = readLog(record.directory, this.#index(record), query, over);
      const complete = over && page.next >= page.size;
      if (page.entries.length > 0 || complete || performance.now() >= deadline) return { ...page, complete };
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  #index(record: ScriptRecord): LogIndex {
    const key = record.spec.runId;
    const index = this.#indexes.get(key) ?? new LogIndex(record.directory.indexPath);
    this.#indexes.delete(key);
    this.#indexes.set(key, index);
    if (this.#indexes.size > keptIndexes) this.#indexes.delete(this.#indexes.keys().next().value ?? '');
    return index;
  }
}
