/**
 * Where the lines of a merged log begin: a mark for about every 64th line, so that a million lines cost some hundred
 * kilobytes. Built in steps of a few milliseconds while somebody waits for it, and goes on where it was when the log grows.
 * A line is what one file gives up to its line feed, or up to the next byte of another file.
 */
import { type LogFile, type MergedLog, type Stream, streamOf, visibleEvent } from './merged.ts';

/** Line `number` (from 1) is `length` bytes of `file` at `offset`, without its line feed. */
export interface PlacedLine {
  readonly number: number;
  readonly seq: number;
  readonly file: LogFile;
  readonly offset: number;
  readonly length: number;
  readonly isFinished: boolean;
}

export type Counts = Readonly<Record<Stream, number>>;

/** Lines begin here; so many of each stream came before. */
interface Mark {
  readonly seq: number;
  readonly stdout: number;
  readonly stderr: number;
  readonly unjam: number;
}

const linesPerMark = 64;
const bytesPerMark = 65_536;
const chunkBytes = 262_144;
/** An event is one line that was written at once; none is longer. */
export const maxEventBytes = 4_194_304;
/** The ends of longer lines are kept, so that nobody has to look for them again. */
const longLineBytes = 65_536;

export class LineIndex {
  readonly #marks: Mark[] = [];
  readonly #longLines = new Map<number, number>();
  readonly #counts = { stdout: 0, stderr: 0, unjam: 0 };
  #seq: number;
  #isWithinLine: boolean;
  #open: { readonly seq: number; readonly file: LogFile } | null = null;

  /** Begins at `from`, at the first line that is whole; lines are counted from there. */
  constructor(from = 0) {
    this.#seq = from;
    this.#isWithinLine = from > 0;
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** Everything before this is indexed. */
  get seq(): number {
    return this.#seq;
  }

  /** Goes on for about so long; true when everything that the log knows of is indexed. */
  advance(log: MergedLog, budgetMs: number): boolean {
    const until = performance.now() + budgetMs;
    for (;;) {
      const first = log.read(this.#seq, chunkBytes);
      if (first === null) return true;
      const chunk = first.file === 'events' ? (log.read(this.#seq, maxEventBytes) ?? first) : first;
      if (chunk.bytes.length === 0) this.#seq += chunk.length;
      else if (chunk.file === 'events') this.#addEvents(chunk.bytes);
      else this.#addBytes(chunk.file, chunk.bytes);
      if (performance.now() >= until) return this.#seq >= log.size;
    }
  }

  total(streams: readonly Stream[]): number {
    return streams.reduce((sum, stream) => sum + this.#counts[stream], 0);
  }

  /** `count` lines of these streams from the `from`th of them on, from 0. */
  lines(log: MergedLog, streams: readonly Stream[], from: number, count: number): PlacedLine[] {
    const found: PlacedLine[] = [];
    const end = Math.min(from + count, this.total(streams));
    for (let place = from; place < end;) {
      const k = this.#markOf(streams, place);
      const mark = this.#marks[k];
      if (!mark) break;
      let at = before(mark, streams);
      for (const line of this.#linesOf(log, k)) {
        if (!streams.includes(streamOf(line.file))) continue;
        if (at >= from && at < end) found.push(line);
        at += 1;
      }
      if (at <= place) break; // somebody changed the file: what was counted is not there
      place = at;
    }
    return found;
  }

  /** These lines by their numbers, which grow. */
  numbered(log: MergedLog, numbers: readonly number[]): PlacedLine[] {
    const found: PlacedLine[] = [];
    for (let i = 0; i < numbers.length;) {
      const wanted = numbers[i] ?? 0;
      const k = this.#markOf(everyStream, wanted - 1);
      for (const line of this.#linesOf(log, k)) {
        if (line.number !== numbers[i]) continue;
        found.push(line);
        i += 1;
      }
      if (numbers[i] === wanted) i += 1;
    }
    return found;
  }

  #addBytes(file: LogFile, bytes: Buffer): void {
    const base = this.#seq;
    const stream = streamOf(file);
    this.#seq = base + bytes.length;
    let from = 0;
    if (this.#isWithinLine) {
      from = bytes.indexOf(10) + 1;
      if (from === 0) return;
      this.#isWithinLine = false;
    } else if (this.#open !== null && this.#open.file === file) {
      const feed = bytes.indexOf(10);
      if (feed < 0) return;
      this.#close(base + feed + 1);
      from = feed + 1;
    }
    let markSeq = this.#marks.at(-1)?.seq ?? -1;
    let left = this.#left();
    while (from < bytes.length) {
      if (left <= 0 || base + from - markSeq >= bytesPerMark) {
        this.#mark(base + from);
        markSeq = base + from;
        left = linesPerMark;
      }
      left -= 1;
      this.#counts[stream] += 1;
      const feed = bytes.indexOf(10, from);
      if (feed < 0 || feed - from > longLineBytes) this.#open = { seq: base + from, file };
      if (feed < 0) return;
      if (feed - from > longLineBytes) this.#close(base + feed + 1);
      from = feed + 1;
    }
    this.#open = null;
  }

  #addEvents(bytes: Buffer): void {
    const base = this.#seq;
    this.#open = null;
    this.#isWithinLine = false;
    for (let from = 0; from < bytes.length;) {
      const feed = bytes.indexOf(10, from);
      const end = feed < 0 ? bytes.length : feed + 1;
      // A whole part may end within a line: it comes again with the next one.
      if (feed < 0 && from > 0 && bytes.length >= maxEventBytes) break;
      if (visibleEvent(bytes.toString('utf8', from, end)) !== null) {
        if (this.#left() <= 0) this.#mark(base + from);
        this.#counts.unjam += 1;
      }
      from = end;
      this.#seq = base + end;
    }
  }

  #close(end: number): void {
    const open = this.#open;
    this.#open = null;
    if (open !== null && end - open.seq > longLineBytes) this.#longLines.set(open.seq, end);
  }

  #mark(seq: number): void {
    this.#marks.push({ seq, ...this.#counts });
  }

  /** How many lines may still come before the next mark. */
  #left(): number {
    const mark = this.#marks.at(-1);
    return mark ? linesPerMark - (this.total(everyStream) - before(mark, everyStream)) : 0;
  }

  /** The last mark before which at most `place` lines of these streams came. */
  #markOf(streams: readonly Stream[], place: number): number {
    let low = 0;
    let high = this.#marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const mark = this.#marks[middle];
      if (mark && before(mark, streams) <= place) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** The lines between mark `k` and the next one. */
  *#linesOf(log: MergedLog, k: number): Generator<PlacedLine> {
    const mark = this.#marks[k];
    if (!mark) return;
    const next = this.#marks[k + 1];
    const end = next?.seq ?? this.#seq;
    const last = next ? before(next, everyStream) : this.total(everyStream);
    let number = before(mark, everyStream) + 1;
    for (let seq = mark.seq; seq < end && number <= last;) {
      const chunk = log.read(seq, Math.min(chunkBytes, end - seq));
      if (chunk === null) return;
      if (chunk.bytes.length === 0) {
        seq += chunk.length;
        continue;
      }
      const { bytes, file, offset } = chunk;
      let from = 0;
      while (from < bytes.length && number <= last) {
        const start = seq + from;
        const feed = bytes.indexOf(10, from);
        const stop = feed >= 0 ? start + feed - from + 1 : this.#endOf(log, start, file, end);
        const isFinished = feed >= 0 || this.#longLines.has(start);
        const length = stop - start - (isFinished ? 1 : 0);
        from = stop - seq;
        if (file === 'events' && visibleEvent(log.bytes(file, offset + start - seq, length).toString()) === null)
          continue;
        yield { number, seq: start, file, offset: offset + start - seq, length, isFinished };
        number += 1;
      }
      seq += from;
    }
  }

  /** The end of the line that begins at `start` and has no line feed in what was read of it. */
  #endOf(log: MergedLog, start: number, file: LogFile, end: number): number {
    const known = this.#longLines.get(start);
    if (known !== undefined) return known;
    let seq = start;
    while (seq < end) {
      const chunk = log.read(seq, Math.min(chunkBytes, end - seq));
      if (chunk === null || chunk.file !== file || chunk.bytes.length === 0) break;
      const feed = chunk.bytes.indexOf(10);
      if (feed >= 0) return seq + feed + 1;
      seq += chunk.bytes.length;
    }
    return seq;
  }
}

export const everyStream = ['stdout', 'stderr', 'unjam'] as const;

function before(mark: Mark, streams: readonly Stream[]): number {
  let sum = 0;
  for (const stream of streams) sum += mark[stream];
  return sum;
}
