/** Whoever reads a log page by page, live or afterwards, gets every byte once and in order. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../app/contract/methods.ts';
import { LogIndex, LogIndexer, LogReader } from '../../app/logs/index.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';

type Stream = 'stdout' | 'stderr' | 'unjam';
interface Chunk {
  readonly stream: Stream;
  readonly bytes: Buffer;
  /** Whether the runner looks after it, and a reader too. */
  readonly look: boolean;
}

const words = fc.constantFrom(
  'a',
  'error',
  '\n',
  '\n',
  '\n\n',
  '\r\n',
  'é',
  '€',
  '🚀',
  'x'.repeat(300),
  '\x1b[31m',
  ' ',
);
const text = fc.array(words, { maxLength: 12 }).map((w) => w.join(''));
/** Text whose characters may be split between two writes, as a script's buffer splits them. */
const chunk = fc.record({
  stream: fc.constantFrom<Stream>('stdout', 'stdout', 'stderr', 'unjam'),
  bytes: text.map((t) => Buffer.from(t)),
  look: fc.boolean(),
});
const splits = fc.array(fc.nat({ max: 8 }), { maxLength: 10 });

function split(chunks: readonly Chunk[], at: readonly number[]): Chunk[] {
  return chunks.flatMap((c, i) => {
    const cut = at[i] ?? 0;
    return c.stream === 'unjam' || cut === 0 || cut >= c.bytes.length
      ? [c]
      : [
          { ...c, bytes: c.bytes.subarray(0, cut) },
          { ...c, bytes: c.bytes.subarray(cut) },
        ];
  });
}

class Log {
  readonly folder = mkdtempSync(join(tmpdir(), 'unjam-log-'));
  readonly directory = new RunDirectory(join(this.folder, 'run'));
  readonly written = { stdout: [] as Buffer[], stderr: [] as Buffer[], unjam: [] as string[] };
  readonly #indexer: LogIndexer;
  readonly index: LogIndex;

  constructor() {
    this.directory.create();
    this.index = new LogIndex(this.directory.indexPath);
    this.#indexer = new LogIndexer(this.directory, () => undefined);
  }

  add(c: Chunk): void {
    if (c.stream === 'unjam') {
      this.directory.append('runner', { type: 'note' }, { code: 'I000', text: c.bytes.toString() });
      this.written.unjam.push(c.bytes.toString());
    } else {
      appendFileSync(c.stream === 'stdout' ? this.directory.stdoutPath : this.directory.stderrPath, c.bytes);
      this.written[c.stream].push(c.bytes);
    }
    if (c.look) this.#indexer.look();
  }

  settle(): void {
    this.#indexer.look(true);
  }

  page(query: Omit<Parameters<LogReader['read']>[0], 'ticket'>, settled = false, index = this.index) {
    return new LogReader(this.directory, index, String).read({ ticket: 't', ...query }, settled);
  }
}

/** Reads from `from` to the end in pages of these sizes, over and over. */
function pages(log: Log, sizes: readonly number[], query: { raw?: boolean; stream?: Stream }, from = 0): LogEntry[] {
  const all: LogEntry[] = [];
  for (let i = 0, seq = from; ; i += 1) {
    const page = log.page({ ...query, from: seq, maxBytes: sizes[i % sizes.length] ?? 1 });
    all.push(...page.entries);
    expect(page.next).toBeGreaterThanOrEqual(seq);
    if (page.next >= page.size) return all;
    expect(page.next).toBeGreaterThan(seq);
    seq = page.next;
  }
}

const bytesOf = (entries: readonly LogEntry[], stream: Stream): Buffer =>
  Buffer.concat(entries.filter((e) => e.stream === stream).map((e) => Buffer.from(e.base64 ?? '', 'base64')));
const textOf = (entries: readonly LogEntry[], stream: Stream): string =>
  entries
    .filter((e) => e.stream === stream)
    .map((e) => e.text)
    .join('');

function withLog(check: (log: Log) => void): void {
  const log = new Log();
  try {
    check(log);
  } finally {
    rmSync(log.folder, { recursive: true, force: true });
  }
}

const sizes = (min: number) =>
  fc.array(fc.oneof(fc.integer({ min, max: min + 40 }), fc.integer({ min, max: 5_000 })), {
    minLength: 1,
    maxLength: 4,
  });
const runs = { numRuns: 150 };

describe('reading a log page by page', () => {
  test('gives every byte once and in order, whatever the bytes, the writes and the pages', () => {
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 10 }),
        splits,
        sizes(1),
        fc.uint8Array({ maxLength: 40 }),
        (chunks, at, maxBytes, rubbish) => {
          withLog((log) => {
            for (const c of split(chunks, at)) log.add(c);
            log.add({ stream: 'stderr', bytes: Buffer.from(rubbish), look: true });
            log.settle();
            const entries = pages(log, maxBytes, { raw: true });
            for (const stream of ['stdout', 'stderr'] as const)
              expect(bytesOf(entries, stream)).toEqual(Buffer.concat(log.written[stream]));
            expect(entries.filter((e) => e.stream === 'unjam').map((e) => e.text)).toEqual(log.written.unjam);
          });
        },
      ),
      runs,
    );
  });

  test('breaks no character, wherever writes and pages of at least 4 bytes end', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 10 }), splits, sizes(4), (chunks, at, maxBytes) => {
        withLog((log) => {
          for (const c of split(chunks, at)) log.add(c);
          log.settle();
          const entries = pages(log, maxBytes, {});
          for (const stream of ['stdout', 'stderr'] as const)
            expect(textOf(entries, stream)).toBe(Buffer.concat(log.written[stream]).toString());
        });
      }),
      runs,
    );
  });

  test('while it is written gives the same as afterwards, and any entry’s end is a good place to go on', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 10 }), splits, fc.nat(), (chunks, at, choice) => {
        withLog((log) => {
          const live: LogEntry[] = [];
          let seq = 0;
          for (const c of split(chunks, at)) {
            log.add(c);
            if (!c.look) continue;
            const page = log.page({ raw: true, from: seq });
            live.push(...page.entries);
            seq = page.next;
          }
          log.settle();
          live.push(...log.page({ raw: true, from: seq }).entries);
          const whole = pages(log, [100_000], { raw: true });
          for (const stream of ['stdout', 'stderr'] as const)
            expect(bytesOf(live, stream)).toEqual(bytesOf(whole, stream));
          const places = (all: LogEntry[]) => all.filter((e) => e.stream === 'unjam').map((e) => [e.seq, e.text]);
          expect(places(live)).toEqual(places(whole));

          const k = whole.length === 0 ? 0 : choice % whole.length;
          const entry = whole[k];
          if (entry) expect(pages(log, [100_000], { raw: true }, entry.next)).toEqual(whole.slice(k + 1));
        });
      }),
      runs,
    );
  });

  test('of a script without an index gives every byte too, once its runner is gone', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
        withLog((log) => {
          for (const c of chunks) log.add(c);
          const { entries, next, size } = log.page({ raw: true }, true, new LogIndex(log.directory.indexPath));
          expect(next).toBe(size);
          for (const stream of ['stdout', 'stderr'] as const)
            expect(bytesOf(entries, stream)).toEqual(Buffer.concat(log.written[stream]));
        });
      }),
      { numRuns: 60 },
    );
  });

  test('shows every line of Unjam, also when many came between two looks', () => {
    withLog((log) => {
      for (let i = 0; i < 100; i += 1)
        log.add({ stream: 'unjam', bytes: Buffer.from(`${i} ${'x'.repeat(1_000)}`), look: false });
      log.settle();
      expect(pages(log, [1_000_000], {}).map((e) => e.text)).toEqual(log.written.unjam);
    });
  });

  test('of the tail gives the end of the whole', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 10 }), fc.integer({ min: 1, max: 500 }), (chunks, tailBytes) => {
        withLog((log) => {
          for (const c of chunks) log.add(c);
          log.settle();
          const page = log.page({ raw: true, tailBytes });
          expect(page.next).toBe(page.size);
          for (const stream of ['stdout', 'stderr'] as const) {
            const whole = Buffer.concat(log.written[stream]);
            const tail = bytesOf(page.entries, stream);
            expect(whole.subarray(whole.length - tail.length)).toEqual(tail);
          }
        });
      }),
      runs,
    );
  });

  test('of lines of hundreds of kilobytes loses and repeats no byte', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1_000, max: 100_000 }),
        (lengths, maxBytes) => {
          withLog((log) => {
            for (const [i, n] of lengths.entries()) {
              log.add({ stream: 'stdout', bytes: Buffer.alloc(n, 97 + (i % 26)), look: true });
              log.add({ stream: 'stdout', bytes: Buffer.from(i % 2 === 0 ? '\n' : ''), look: i % 3 === 0 });
            }
            log.settle();
            expect(
              bytesOf(pages(log, [maxBytes], { raw: true }), 'stdout').equals(Buffer.concat(log.written.stdout)),
            ).toBe(true);
          });
        },
      ),
      { numRuns: 25 },
    );
  });
});
