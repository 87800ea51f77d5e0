/** Answers `logs.*`: keeps what is known of the logs that are being looked at, and waits for news when asked to. */
import type { LogHits, LogLines, LogPage, Output, Parsed } from '../contract/methods.ts';
import { LineReader, LogIndex, readLog } from '../logs/index.ts';
import type { ScriptRecord } from './record.ts';

const keptLogs = 32;
const pollMs = 50;
/** After nobody has looked at a log by lines for so long, its line index and its searches are dropped. */
const forgetMs = 60_000;

interface KnownLog {
  readonly index: LogIndex;
  lines: LineReader | null;
  forgetting: NodeJS.Timeout | undefined;
}

export class LogReader {
  readonly #logs = new Map<string, KnownLog>();

  async read(record: ScriptRecord, query: Parsed<'logs.read'>): Promise<LogPage> {
    const deadline = performance.now() + (query.waitMs ?? 0);
    for (;;) {
      const over = isOver(record);
      const page = readLog(record.directory, this.#known(record).index, query, over);
      const complete = over && page.next >= page.size;
      if (page.entries.length > 0 || complete || performance.now() >= deadline) return { ...page, complete };
      await pause();
    }
  }

  async lines(record: ScriptRecord, query: Parsed<'logs.lines'>): Promise<LogLines> {
    const { after } = query;
    const deadline = performance.now() + (query.waitMs ?? 0);
    while (after !== undefined && !isOver(record) && performance.now() < deadline) {
      if (this.#lines(record).size(false) > after) break;
      await pause();
    }
    return await this.#lines(record).lines(query, isOver(record));
  }

  async search(record: ScriptRecord, query: Parsed<'logs.search'>): Promise<LogHits> {
    return await this.#lines(record).search(query, isOver(record));
  }

  async line(record: ScriptRecord, query: Parsed<'logs.line'>): Promise<Output<'logs.line'>> {
    return await this.#lines(record).line(query, isOver(record));
  }

  #lines(record: ScriptRecord): LineReader {
    const known = this.#known(record);
    clearTimeout(known.forgetting);
    known.forgetting = setTimeout(() => (known.lines = null), forgetMs).unref();
    return (known.lines ??= new LineReader(record.directory, known.index));
  }

  #known(record: ScriptRecord): KnownLog {
    const key = record.spec.runId;
    const known = this.#logs.get(key) ?? {
      index: new LogIndex(record.directory.indexPath),
      lines: null,
      forgetting: undefined,
    };
    this.#logs.delete(key);
    this.#logs.set(key, known);
    if (this.#logs.size > keptLogs) this.#logs.delete(this.#logs.keys().next().value ?? '');
    return known;
  }
}

/** The tree is written last: from then on nobody adds to the log or its index. */
const isOver = (record: ScriptRecord): boolean => record.tree !== null;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pollMs));
