/** Lines by their place and searches, against a reference that takes the whole log in at once. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { lineText } from '../../app/logs/text.ts';
import { decode } from '../support/code-pages.ts';
import { LogFiles, type TestStream } from '../support/log-files.ts';

vi.setConfig({ testTimeout: 60_000 });

const words = fc.constantFrom(
  'a',
  'error',
  'Error',
  '\n',
  '\n',
  '\n\n',
  '\r\n',
  'é',
  '€',
  '🚀',
  ' ',
  '\u001b[31m',
  '\t',
);
const chunk = fc.record({
  stream: fc.constantFrom<TestStream>('stdout', 'stdout', 'stdout', 'stderr', 'unjam'),
  text: fc.array(words, { maxLength: 30 }).map((w) => w.join('')),
  /** Where the bytes are split in two writes, as a buffer splits them: also within a character. */
  cut: fc.nat({ max: 9 }),
  look: fc.constantFrom('no', 'lines', 'whole'),
  hidden: fc.boolean(),
});
type Chunk = typeof chunk extends fc.Arbitrary<infer T> ? T : never;

function write(log: LogFiles, { stream, text, cut, look, hidden }: Chunk): void {
  if (hidden) log.hidden();
  const bytes = Buffer.from(text.replaceAll(stream === 'unjam' ? '\n' : '\u0000', ' '));
  if (stream === 'unjam') log.write(stream, bytes);
  else {
    log.write(stream, bytes.subarray(0, cut));
    if (look === 'whole') log.look(true);
    log.write(stream, bytes.subarray(cut));
  }
  if (look !== 'no') log.look(look === 'whole');
}

// eslint-disable-next-line no-control-regex -- escape sequences start with a control character
const plain = (text: string) => text.replace(/\u001b\[[0-9]*m/g, '');
const chunks = fc.array(chunk, { maxLength: 25 });

describe('the lines of a log', () => {
  test('are those of the whole, from any place, for any streams', async () => {
    await fc.assert(
      fc.asyncProperty(
        chunks,
        fc.nat({ max: 60 }),
        fc.integer({ min: 1, max: 80 }),
        fc.subarray(['stdout', 'stderr', 'unjam'] as const, { minLength: 1 }),
        async (all, from, count, streams) => {
          using log = new LogFiles();
          for (const one of all) write(log, one);
          log.look(true);
          const reference = log.reference();
          const page = await log.lines({ from, count, streams }, true);
          const wanted = reference.filter(({ stream }) => streams.includes(stream));
          expect(page.lines.map(({ number, stream, text }) => ({ number, stream, text }))).toEqual(
            wanted.slice(from, from + count),
          );
          expect(page).toMatchObject({ total: wanted.length, counted: true, complete: true });
          const tail = await log.lines({ count }, true);
          expect(tail.lines.map(({ text }) => text)).toEqual(reference.slice(-count).map(({ text }) => text));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('keep their numbers, places and texts while the log grows', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (all) => {
        using log = new LogFiles();
        const seen = new Map<number, { seq: number; text: string }>();
        for (const one of all) {
          write(log, one);
          const page = await log.lines({ from: 0, count: 2_000 });
          for (const line of page.lines) {
            const number = line.number ?? 0;
            const known = seen.get(number);
            if (known) expect({ seq: line.seq, text: line.text }).toEqual(known);
            // The last one may grow as long as it is not finished.
            if (line.finished) seen.set(number, { seq: line.seq, text: line.text });
          }
        }
        log.look(true);
        expect((await log.lines({ from: 0, count: 2_000 })).lines.map(({ text }) => text)).toEqual(
          log.reference().map(({ text }) => text),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('that match are counted and found as in the whole, also while the log grows', async () => {
    const patterns = fc.constantFrom(
      { text: 'error' },
      { text: 'error', ignoreCase: true },
      { text: 'a' },
      { text: '^a', regex: true },
      { text: 'r$', regex: true },
      { text: 'e[^x]*a', regex: true, ignoreCase: true },
      { text: '\\s', regex: true },
      { text: '^$', regex: true },
      { text: '€|🚀', regex: true },
    );
    await fc.assert(
      fc.asyncProperty(
        chunks,
        patterns,
        fc.subarray(['stdout', 'stderr', 'unjam'] as const, { minLength: 1 }),
        fc.nat({ max: 40 }),
        async (all, pattern, streams, near) => {
          using log = new LogFiles();
          for (const one of all) {
            write(log, one);
            await log.search({ ...pattern, streams });
          }
          log.look(true);
          const expression = new RegExp(pattern.text, 'ignoreCase' in pattern ? 'i' : '');
          const wanted = log
            .reference()
            .filter(({ stream, text }) => streams.includes(stream) && expression.test(plain(text)));
          const numbers = wanted.map(({ number }) => number);
          const found = await log.search({ ...pattern, streams, near: near + 1, from: 0, count: 10_000 }, true);
          expect(found).toMatchObject({ total: numbers.length, exact: true, hits: numbers });
          expect(found.next?.line).toBe(numbers.find((n) => n > near + 1) ?? numbers[0]);
          expect(found.previous?.line).toBe(numbers.findLast((n) => n < near + 1) ?? numbers.at(-1));
          expect(found.here?.place).toBe(numbers.includes(near + 1) ? numbers.indexOf(near + 1) : undefined);
          const page = await log.lines({ from: 1, count: 5, streams, matching: pattern }, true);
          expect(page.total).toBe(numbers.length);
          expect(page.lines.map(({ number }) => number)).toEqual(numbers.slice(1, 6));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a log of many blocks', () => {
  test('loses no hit between them, and counts 200,000 of them', async () => {
    using log = new LogFiles();
    const lines = Array.from({ length: 400_000 }, (_, n) =>
      n % 2 === 0 ? `needle ${n}${'.'.repeat(n % 37)}` : `é ${'x'.repeat(n % 23)}`,
    );
    log.write('stdout', `${lines.join('\n')}\n`).look();
    expect(await log.search({ text: 'needle', waitMs: 20_000 })).toMatchObject({ total: 200_000, exact: true });
    expect(await log.search({ text: '^needle \\d+', regex: true, waitMs: 20_000 })).toMatchObject({ total: 200_000 });
    expect(await log.search({ text: 'NEEDLE', ignoreCase: true, waitMs: 20_000 })).toMatchObject({ total: 200_000 });
    for (const from of [0, 1, 63, 64, 65, 123_456, 399_990]) {
      const page = await log.lines({ from, count: 5 });
      expect(page.lines.map(({ text }) => text)).toEqual(lines.slice(from, from + 5));
    }
    expect((await log.lines({ from: 0, count: 1 })).total).toBe(400_000);
  });

  test('finds hits at every place of a line that is longer than a block, and counts it once', async () => {
    using log = new LogFiles();
    const long = Buffer.alloc(5 * 1_048_576, 'x');
    for (const at of [0, 1_048_570, 2 * 1_048_576 - 3, long.length - 6]) long.write('needle', at);
    log.write('stdout', 'needle 1\n').write('stdout', long).write('stdout', '\nlast needle\n').look();
    expect((await log.search({ text: 'needle', from: 0, count: 9, waitMs: 20_000 })).hits).toEqual([1, 2, 3]);
    expect((await log.search({ text: 'needle', regex: true, from: 0, count: 9, waitMs: 20_000 })).hits).toEqual([
      1, 2, 3,
    ]);
    const page = await log.lines({ from: 1, count: 2 });
    expect(page.lines.map(({ bytes, cut, text }) => [bytes, cut, text.length])).toEqual([
      [long.length, true, 10_000],
      [11, false, 11],
    ]);
    let text = '';
    for (let from: number | null = 0; from !== null;) {
      const part: { text: string; next: number | null } = await log.line(2, from);
      text += part.text;
      from = part.next;
    }
    expect(text === long.toString()).toBe(true);
  });

  test('breaks no character of a long line between two parts', async () => {
    using log = new LogFiles();
    log.write('stdout', `a${'€'.repeat(500_000)}\n`).look();
    const first = await log.line(1);
    const second = await log.line(1, first.next ?? 0);
    expect(first.text + second.text === `a${'€'.repeat(500_000)}`).toBe(true);
  });

  test('shows the last state of a long line that overwrites itself', async () => {
    using log = new LogFiles();
    log.write('stdout', `${Array.from({ length: 20_000 }, (_, n) => `progress ${n}`).join('\r')}\n`).look();
    expect((await log.lines({ from: 0, count: 1 })).lines[0]?.text).toMatch(/progress 19999$/);
  });
});

describe('a reader in a hurry', () => {
  test('has the last lines before their numbers, and the numbers when it waits', async () => {
    using log = new LogFiles();
    const block = Buffer.from(
      '0123456789012345678901234567890123456789012345678901234567890123456789\n'.repeat(100_000),
    );
    for (let n = 0; n < 20; n += 1) log.write('stdout', block);
    log.write('stdout', 'the end\n').look();
    const hasty = await log.lines({ count: 3 });
    expect(hasty.lines.at(-1)?.text).toBe('the end');
    if (!hasty.counted) expect(hasty.lines.at(-1)?.number).toBeNull();
    const patient = await log.lines({ count: 3, waitMs: 20_000 });
    expect(patient).toMatchObject({ total: 2_000_001, counted: true, from: 1_999_998 });
    expect(patient.lines.at(-1)).toMatchObject({ number: 2_000_001, text: 'the end' });
  });
});

describe('an expression', () => {
  test('that is none is refused with the field', async () => {
    using log = new LogFiles();
    await expect(log.search({ text: '(', regex: true })).rejects.toMatchObject({ code: 'bad-input', field: 'text' });
  });

  test('that backtracks for ever is stopped, and blocks nobody meanwhile', async () => {
    using log = new LogFiles();
    log.write('stdout', `fine\n${'a'.repeat(60)}!\n`).look();
    let longest = 0;
    let last = performance.now();
    const ticking = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await expect(log.search({ text: '(a+)+$', regex: true, waitMs: 5_000 })).rejects.toMatchObject({
      message: expect.stringContaining('too long on line 2') as string,
    });
    clearInterval(ticking);
    expect(longest).toBeLessThan(500);
  });
});

describe('text that is not UTF-8', () => {
  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

  test('UTF-16, as PowerShell 5 and wsl.exe write it, is shown and found', async () => {
    using log = new LogFiles();
    log.write('stdout', utf16('\ufeffDeploying wéb\r\n\r\nfailed: disk full\r\n')).look(true);
    const { lines } = await log.lines({ from: 0, count: 9, waitMs: 5_000 }, true);
    expect(lines.map((line) => line.text).slice(0, 3)).toEqual(['Deploying wéb', '', 'failed: disk full']);
    expect((await log.search({ text: 'disk full', from: 0, count: 9, waitMs: 5_000 }, true)).hits).toEqual([3]);
    expect((await log.search({ text: '^failed', regex: true, from: 0, count: 9, waitMs: 5_000 }, true)).hits).toEqual([
      3,
    ]);
    expect(
      log.reader
        .read({ ticket: 't' }, true)
        .entries.map((e) => e.text)
        .join(''),
    ).toContain('failed: disk full\r\n');
  });

  test.each([
    [437, '8e2c208f999a2e20e1', 'Ä, ÅÖÜ. ß'],
    [850, '477275e120617573204d816e6368656e3a209d2c20b8', 'Gruß aus München: Ø, ©'],
    [932, '93fa967b8cea2083478389815b3a20caddb6b82087405c', '日本語 エラー: ﾊﾝｶｸ ①\\'],
  ] as const)('code page %i is shown, found and paged through', async (page, hex, text) => {
    using log = new LogFiles(decode[page]);
    const line = Buffer.from(hex, 'hex');
    log.write('stdout', Buffer.concat([Buffer.from('plain\r\n'), line, Buffer.from('\r\ngrün in UTF-8\r\n'), line]));
    log.look(true);
    const { lines } = await log.lines({ from: 0, count: 9, waitMs: 5_000 }, true);
    expect(lines.map((one) => one.text)).toEqual(['plain', text, 'grün in UTF-8', text]);
    const hits = async (sought: string, regex: boolean) =>
      (await log.search({ text: sought, regex, from: 0, count: 9, waitMs: 5_000 }, true)).hits;
    expect([await hits(text.slice(0, 3), false), await hits('^grün', true)]).toEqual([[2, 4], [3]]);
    const { entries } = log.reader.read({ ticket: 't' }, true);
    expect(entries.map((e) => e.text).join('')).toBe(`plain\r\n${text}\r\ngrün in UTF-8\r\n${text}`);
    expect((await log.reader.line({ ticket: 't', line: 2 }, true)).text).toBe(`${text}\r`);
    const raw = log.reader.read({ ticket: 't', raw: true }, true).entries;
    const bytes = Buffer.concat(raw.map((e) => Buffer.from(e.base64 ?? '', 'base64')));
    expect(bytes.subarray(-line.length)).toEqual(line);
  });

  test('a character of UTF-8 that another stream or a page has cut does not make a line into one of a code page', () => {
    const euro = Buffer.from('€');
    const cut = (...parts: (Buffer | string)[]): string =>
      lineText(Buffer.concat(parts.map((part) => Buffer.from(part as string))), decode[850]);
    expect(cut('für ', euro.subarray(0, 2))).toBe('für \ufffd');
    expect(cut(euro.subarray(1), ' für')).toBe('\ufffd\ufffd für');
    expect(cut(euro.subarray(2), ' 5 €')).toBe('\ufffd 5 €');
    expect(cut('für', Buffer.of(0xff), 'ü')).toBe(
      `f${decode[850](Buffer.from('ü'))}r\u00a0${decode[850](Buffer.from('ü'))}`,
    );
  });

  test('single zeros in other text stay what they are', async () => {
    using log = new LogFiles();
    log.write('stdout', 'find -print0: a\0b\0c and more text\n').look(true);
    expect((await log.lines({ from: 0, count: 1, waitMs: 5_000 }, true)).lines[0]?.text).toBe(
      'find -print0: a\0b\0c and more text',
    );
  });
});

test('a line that overwrites itself thousands of times shows its newest state', async () => {
  using log = new LogFiles();
  log.write('stdout', Array.from({ length: 3_000 }, (_, i) => `\rCopying ${i + 1}`).join('')).look(true);
  const { lines } = await log.lines({ from: 0, count: 1, waitMs: 5_000 }, true);
  expect(lines[0]?.text.endsWith('\rCopying 3000')).toBe(true);
});
