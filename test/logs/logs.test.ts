/** The merged log: bytes as the script wrote them, in the order in which they were seen, with Unjam's lines between. */
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LogEntry, Parsed } from '../../app/contract/methods.ts';
import { LogIndex, LogIndexer, LogReader } from '../../app/logs/index.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { temporaryFolder } from '../support/fake-home.ts';

type Query = Omit<Parsed<'logs.read'>, 'ticket'>;

/** A script's log as a runner and a reader see it; the indexer looks when the test says so. */
class Log {
  readonly directory = new RunDirectory(join(temporaryFolder(), 'run'));
  readonly #index: LogIndex;
  readonly #indexer: LogIndexer;
  outputs = 0;

  constructor() {
    this.directory.create();
    this.#index = new LogIndex(this.directory.indexPath);
    this.#indexer = new LogIndexer(this.directory, () => (this.outputs += 1));
  }

  write(stream: 'stdout' | 'stderr', text: string | Buffer): this {
    appendFileSync(stream === 'stdout' ? this.directory.stdoutPath : this.directory.stderrPath, text);
    return this;
  }

  says(text: string): this {
    this.directory.append('runner', { type: 'note' }, { code: 'I000', text });
    return this;
  }

  look(whole = false): this {
    this.#indexer.look(whole);
    return this;
  }

  read(query: Query = {}, settled = false) {
    return new LogReader(this.directory, this.#index, String).read({ ticket: 't', ...query }, settled);
  }

  lines(query: Query = {}, settled = false): string[] {
    return this.read(query, settled).entries.map((e) => `${e.stream}: ${e.text}`);
  }
}

describe('the log of a script', () => {
  test('that has written nothing is empty', () => {
    expect(new Log().read()).toEqual({ entries: [], next: 0, size: 0 });
    expect(new Log().read({ from: 99, tailBytes: 5 }, true)).toEqual({ entries: [], next: 0, size: 0 });
  });

  test('merges stdout, stderr and Unjam’s lines in the order in which they came', () => {
    const log = new Log();
    log.says('Waiting').look().write('stdout', 'one\n').look().write('stderr', 'oh\n').look();
    log.write('stdout', 'two\nthree\n').look().says('Cancel requested').look().write('stderr', 'bye\n').look();
    expect(log.lines()).toEqual([
      'unjam: Waiting',
      'stdout: one\n',
      'stderr: oh\n',
      'stdout: two\nthree\n',
      'unjam: Cancel requested',
      'stderr: bye\n',
    ]);
  });

  test('has a time for what was seen, and a code for what Unjam says', () => {
    const log = new Log().write('stdout', 'one\n').says('Cancel requested').look();
    const [out, unjam] = log.read().entries;
    expect(Number.isNaN(Date.parse(out?.at ?? ''))).toBe(false);
    expect([out?.code, unjam?.code]).toEqual([null, 'I000']);
  });

  test('does not show events that are not for people', () => {
    const log = new Log();
    log.directory.append('runner', { type: 'started', pid: 7 });
    log.says('Cancel requested').look();
    expect(log.lines()).toEqual(['unjam: Cancel requested']);
  });

  test('shows whole lines while it grows, and the rest when nobody writes any more', () => {
    const log = new Log().write('stdout', 'one\ntw').look();
    expect(log.lines()).toEqual(['stdout: one\n']);
    log.write('stdout', 'o\nthr').look();
    expect(log.lines()).toEqual(['stdout: one\n', 'stdout: two\n']);
    expect(log.lines({}, true)).toEqual(['stdout: one\n', 'stdout: two\n', 'stdout: thr']);
    expect(log.look(true).lines()).toEqual(['stdout: one\n', 'stdout: two\n', 'stdout: thr']);
  });

  test('is whole without an index, when its runner died before it wrote one', () => {
    const log = new Log().write('stdout', 'out\n').write('stderr', 'err').says('Lost');
    expect(log.lines()).toEqual([]);
    expect(log.lines({}, true)).toEqual(['stdout: out\n', 'stderr: err', 'unjam: Lost']);
  });

  test('goes on where the index of a dead runner ends', () => {
    const log = new Log().write('stderr', 'seen\n').look().write('stdout', 'unseen\n');
    expect(log.lines({}, true)).toEqual(['stderr: seen\n', 'stdout: unseen\n']);
  });

  test('survives rubbish in the index', () => {
    const log = new Log().write('stdout', 'one\n').look();
    appendFileSync(log.directory.indexPath, 'rubbish\n\n1 2\n1 2 3 4 5\n-1 9 9 9\n1e3 1e9 0 0\n0x9 9 9 9\n');
    log.write('stdout', 'two\n').look();
    expect(log.lines()).toEqual(['stdout: one\n', 'stdout: two\n']);
  });

  test('survives events of a version that is not understood', () => {
    const log = new Log().says('before').look();
    appendFileSync(log.directory.eventsPath, '{"text":"no time","code":"I1"}\n{"at":"today","text":"x"}\n[]\nnull\n');
    log.says('after').look();
    expect(log.lines()).toEqual(['unjam: before', 'unjam: after']);
  });

  test('shows the newest state of a line that overwrites itself, as soon as that state has ended', () => {
    const log = new Log().write('stdout', '\rCopying 1').look().write('stdout', '\rCopying 2').look();
    expect(
      log
        .read()
        .entries.map((e) => e.text)
        .join(''),
    ).toBe('\rCopying 1\r');
    expect(
      log
        .look(true)
        .read()
        .entries.map((e) => e.text)
        .join(''),
    ).toBe('\rCopying 1\rCopying 2');
  });

  test('that somebody truncated goes on with what is there, and never back', () => {
    const log = new Log().write('stdout', 'one\ntwo\n').look();
    const { next } = log.read();
    writeFileSync(log.directory.stdoutPath, '');
    log.look().write('stderr', 'err\n').look();
    const page = log.read({ from: next });
    expect(page.entries.map((e) => e.text)).toEqual(['err\n']);
    expect(page.next).toBe(page.size);
    expect(() => log.read()).not.toThrow();
  });
});

describe('a reader', () => {
  test('of one stream sees only that one, and goes on behind the others', () => {
    const log = new Log().write('stdout', 'a\n').look().write('stderr', 'b\n').look().says('c').look();
    expect(log.lines({ stream: 'stdout' })).toEqual(['stdout: a\n']);
    expect(log.lines({ stream: 'stderr' })).toEqual(['stderr: b\n']);
    expect(log.lines({ stream: 'unjam' })).toEqual(['unjam: c']);
    expect(log.read({ stream: 'stdout' }).next).toBe(log.read().size);
  });

  test('of the tail gets whole lines from about there', () => {
    const log = new Log();
    for (let i = 0; i < 100; i += 1) log.write('stdout', `line ${String(i).padStart(3, '0')}\n`);
    const { entries, next, size } = log.look().read({ tailBytes: 25 });
    expect(entries.map((e) => e.text).join('')).toBe('line 098\nline 099\n');
    expect(next).toBe(size);
    expect(log.read({ tailBytes: 4_000_000 }).entries).toEqual(log.read().entries);
  });

  test('of the tail that begins in Unjam’s lines gets them whole', () => {
    const log = new Log().write('stdout', 'out\n').look().says('first').says('second').look();
    expect(log.lines({ tailBytes: 20 })).toEqual([]);
    expect(log.lines({ tailBytes: 120 }).at(-1)).toBe('unjam: second');
  });

  test('who wants the bytes gets them as they were, whatever they are', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0xc3, 0x28, 0xe2, 0x82, 0x0a, 0x1b, 0x5b, 0x33, 0x31, 0x6d]);
    const log = new Log().write('stdout', bytes).look(true);
    const { entries } = log.read({ raw: true });
    expect(Buffer.concat(entries.map((e) => Buffer.from(e.base64 ?? '', 'base64')))).toEqual(bytes);
    expect(entries.every((e) => e.text === '')).toBe(true);
  });

  test('who reads on after the end gets nothing, and what is new later', () => {
    const log = new Log().write('stdout', 'one\n').look();
    const { next } = log.read();
    expect(log.read({ from: next })).toEqual({ entries: [], next, size: next });
    log.write('stdout', 'two\n').look();
    expect(log.lines({ from: next })).toEqual(['stdout: two\n']);
  });

  test('of a page that ends within a line goes on in it', () => {
    const log = new Log().write('stdout', `${'x'.repeat(1_000)}\n`).look();
    const first = log.read({ maxBytes: 300 });
    expect(first.next).toBe(300);
    expect(log.read({ from: first.next }).entries[0]?.text).toHaveLength(701);
  });
});

describe('the index', () => {
  test('tells when the script has written, and not when only Unjam has', () => {
    const log = new Log().write('stdout', 'a').look();
    expect(log.outputs).toBe(1);
    log.says('note').look();
    expect(log.outputs).toBe(1);
    log.write('stderr', 'b').look();
    expect(log.outputs).toBe(2);
  });

  test('does not grow while nothing is written', () => {
    const log = new Log().write('stdout', 'a\n').look();
    const size = readFileSync(log.directory.indexPath).length;
    log.look().look().look(true);
    expect(readFileSync(log.directory.indexPath)).toHaveLength(size);
  });

  test('takes a line without end in, once it is longer than the look-back', () => {
    const log = new Log().write('stdout', 'x'.repeat(70_000)).look();
    expect(log.read().size).toBe(70_000);
  });

  test('goes on when one of its files cannot be read', () => {
    const log = new Log();
    rmSync(log.directory.stdoutPath, { force: true });
    mkdirSync(log.directory.stdoutPath);
    log.write('stderr', 'still heard\n').look();
    expect(log.lines()).toContain('stderr: still heard\n');
  });

  test('of a running script, watched, follows what is written and what is left at the end', async () => {
    const log = new Log();
    const seen = Promise.withResolvers<void>();
    const indexer = new LogIndexer(log.directory, () => seen.resolve());
    indexer.start();
    log.write('stdout', 'one\ntwo');
    await seen.promise;
    indexer.close();
    expect(log.lines().join('')).toContain('two');
  });
});

export type { LogEntry };
