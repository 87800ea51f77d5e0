/** Answers `logs.*`: keeps what is known of the logs that are being looked at, and waits for news when asked to. */
import { type FSWatcher, watch } from 'node:fs';
import type { LogHits, LogLines, LogPage, Output, Parsed } from '../contract/methods.ts';
import { type Decode, LogIndex, LogReader } from '../logs/index.ts';
import type { ScriptRecord } from './record.ts';

const keptLogs = 32;
/** Where a watch tells of news this is only for what it has missed. */
const lookAgainMs = 50;
/** A few milliseconds pass between a verdict and tree.json; `unjam run` waits for them. */
const lastWordMs = 5;
/** After nobody has looked at a log for so long, its line index and its searches are dropped. */
const forgetMs = 60_000;

class KnownLog {
  readonly #path: string;
  readonly #index: LogIndex;
  readonly #directory: ScriptRecord['directory'];
  readonly #decode: Decode;
  #reader: LogReader | null = null;
  #watcher: FSWatcher | null = null;
  #forgetting: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(directory: ScriptRecord['directory'], decode: Decode) {
    this.#directory = directory;
    this.#decode = decode;
    this.#path = directory.indexPath;
    this.#index = new LogIndex(this.#path);
  }

  get reader(): LogReader {
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.close(), forgetMs).unref();
    return (this.#reader ??= new LogReader(this.#directory, this.#index, this.#decode));
  }

  /** Resolves when the index has grown, or after `ms`. */
  async news(ms: number): Promise<void> {
    this.#watch();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  close(): void {
    clearTimeout(this.#forgetting);
    this.#reader = null;
    this.#watcher?.close();
    this.#watcher = null;
  }

  #watch(): void {
    if (this.#watcher) return;
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => {
        for (const done of [...this.#waiting]) done();
      });
      this.#watcher.on('error', () => {
        this.#watcher?.close();
        this.#watcher = null;
      });
    } catch {
      // No index yet, or no watch to be had: it is looked at again.
    }
  }
}

export class LogReaders {
  readonly #logs = new Map<string, KnownLog>();
  readonly #decode: Decode;

  /** `decode`: see `ProcessControl.decodeOutput`. */
  constructor(decode: Decode) {
    this.#decode = decode;
  }

  async read(record: ScriptRecord, query: Parsed<'logs.read'>): Promise<LogPage> {
    const deadline = performance.now() + (query.waitMs ?? 0);
    for (;;) {
      const over = isOver(record);
      const log = this.#known(record);
      const page = log.reader.read(query, over);
      const complete = over && page.next >= page.size;
      if (page.entries.length > 0 || complete || performance.now() >= deadline) return { ...page, complete };
      await log.news(record.isFinal && !record.isOrphan ? lastWordMs : lookAgainMs);
    }
  }

  async lines(record: ScriptRecord, query: Parsed<'logs.lines'>): Promise<LogLines> {
    const { after } = query;
    const deadline = performance.now() + (query.waitMs ?? 0);
    while (after !== undefined && !isOver(record) && performance.now() < deadline) {
      const log = this.#known(record);
      if (log.reader.size(false) > after) break;
      await log.news(lookAgainMs);
    }
    return await this.#known(record).reader.lines(query, isOver(record));
  }

  async search(record: ScriptRecord, query: Parsed<'logs.search'>): Promise<LogHits> {
    return await this.#known(record).reader.search(query, isOver(record));
  }

  async line(record: ScriptRecord, query: Parsed<'logs.line'>): Promise<Output<'logs.line'>> {
    return await this.#known(record).reader.line(query, isOver(record));
  }

  close(): void {
    for (const log of this.#logs.values()) log.close();
    this.#logs.clear();
  }

  #known(record: ScriptRecord): KnownLog {
    const key = record.spec.runId;
    const known = this.#logs.get(key) ?? new KnownLog(record.directory, this.#decode);
    this.#logs.delete(key);
    this.#logs.set(key, known);
    if (this.#logs.size > keptLogs) {
      const [oldest] = this.#logs.keys();
      this.#logs.get(oldest ?? '')?.close();
      this.#logs.delete(oldest ?? '');
    }
    return known;
  }
}

/** The tree is written last: from then on nobody adds to the log or its index. No watch tells of it. */
const isOver = (record: ScriptRecord): boolean =>
  record.tree !== null || (record.isFinal && record.directory.readTree() !== null);
