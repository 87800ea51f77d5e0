/** Log files made by a test, and what a reader who takes all of them in at once would say about their lines. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Decode, LogReader, LogIndex, LogIndexer } from '../../app/logs/index.ts';
import type { Parsed } from '../../app/contract/methods.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';

export type TestStream = 'stdout' | 'stderr' | 'unjam';

export interface PlainLine {
  readonly number: number;
  readonly stream: TestStream;
  readonly text: string;
}

export class LogFiles implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'unjam-log-'));
  readonly directory = new RunDirectory(join(this.#folder, 'run'));
  readonly indexer: LogIndexer;
  reader: LogReader;

  readonly #decode: Decode;

  constructor(decode: Decode = String) {
    this.#decode = decode;
    this.directory.create();
    this.indexer = new LogIndexer(this.directory, () => undefined);
    this.reader = this.newReader();
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  newReader(): LogReader {
    return new LogReader(this.directory, new LogIndex(this.directory.indexPath), this.#decode);
  }

  write(stream: TestStream, bytes: Buffer | string): this {
    if (stream === 'unjam') this.directory.append('runner', { type: 'note' }, { code: 'I000', text: String(bytes) });
    else appendFileSync(stream === 'stdout' ? this.directory.stdoutPath : this.directory.stderrPath, bytes);
    return this;
  }

  hidden(): this {
    this.directory.append('runner', { type: 'waiting' });
    return this;
  }

  look(whole = false): this {
    this.indexer.look(whole);
    return this;
  }

  lines(query: Omit<Parsed<'logs.lines'>, 'ticket'>, settled = false) {
    return this.reader.lines({ ticket: 't', ...query }, settled);
  }

  search(query: Omit<Parsed<'logs.search'>, 'ticket'>, settled = false) {
    return this.reader.search({ ticket: 't', ...query }, settled);
  }

  line(line: number, from?: number) {
    return this.reader.line({ ticket: 't', line, ...(from === undefined ? {} : { from }) }, false);
  }

  /** Naive on purpose: whole files, one array of lines. */
  reference(): PlainLine[] {
    const file = (path: string): Buffer => {
      try {
        return readFileSync(path);
      } catch {
        return Buffer.alloc(0);
      }
    };
    const bytes = [
      file(this.directory.stdoutPath),
      file(this.directory.stderrPath),
      file(this.directory.eventsPath),
    ] as const;
    const runs: { from: number; bytes: Buffer }[] = [];
    let before = [0, 0, 0];
    for (const row of file(this.directory.indexPath).toString().split('\n').filter(Boolean)) {
      const sizes = row.split(' ').slice(1).map(Number);
      for (const k of [0, 1, 2] as const) {
        const part = bytes[k].subarray(before[k], sizes[k]);
        if (part.length === 0) continue;
        const last = runs.at(-1);
        if (last?.from === k) last.bytes = Buffer.concat([last.bytes, part]);
        else runs.push({ from: k, bytes: part });
      }
      before = sizes;
    }
    const lines: PlainLine[] = [];
    for (const run of runs) {
      for (let at = 0; at < run.bytes.length;) {
        const feed = run.bytes.indexOf(10, at);
        const end = feed < 0 ? run.bytes.length : feed;
        const text = run.bytes.toString('utf8', at, end);
        at = end + 1;
        const event = run.from === 2 ? (JSON.parse(text) as { text?: string }) : null;
        if (event !== null && event.text === undefined) continue;
        lines.push({
          number: lines.length + 1,
          stream: (['stdout', 'stderr', 'unjam'] as const)[run.from as 0 | 1 | 2],
          text: event?.text ?? text.replace(/\r$/, ''),
        });
      }
    }
    return lines;
  }
}
