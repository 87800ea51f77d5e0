/**
 * One search through a whole merged log: the numbers of the lines with a hit, without a cap. It goes on in steps of a few
 * milliseconds while somebody waits for it. Blocks end at a line feed; a line that is longer than a block is searched in
 * parts that overlap, so that no hit is lost between two of them.
 */
import { UnjamError } from '../contract/errors.ts';
import { BoundedSteps } from './bounded.ts';
import { maxEventBytes } from './line-index.ts';
import { type Chunk, type MergedLog, type Stream, streamOf, visibleEvent } from './merged.ts';
import { compile, type Pattern, withoutEscapes } from './pattern.ts';
import { type Decode, linesText } from './text.ts';

const blockBytes = 1_048_576;
const overlapBytes = 65_536;
const linesPerLook = 32;
/** How long one line may take before it is tried again with more time, and how often. */
const lineMs = 15;
const strikesAllowed = 2;

/** Text whose lines are still to be searched, and where the log goes on behind it. */
interface Block {
  readonly text: string;
  readonly next: number;
  readonly isWanted: boolean;
}

export class LogSearch {
  readonly #pattern: Pattern;
  readonly #streams: readonly Stream[];
  readonly #expression: RegExp;
  readonly #bounded = new BoundedSteps();
  readonly #hits: number[] = [];
  #seq = 0;
  #line = 1;
  #block: Block | null = null;
  #at = 0;
  #strikes = 0;
  #isDone = false;
  /** The last line of a growing log is looked at again when it has grown. */
  #openHit: number | null = null;
  #openBytes = -1;

  /** @throws UnjamError `bad-input` when the pattern is no regular expression. */
  constructor(pattern: Pattern, streams: readonly Stream[]) {
    this.#pattern = pattern;
    this.#streams = streams;
    this.#expression = compile(pattern);
  }

  get total(): number {
    return this.#hits.length + (this.#openHit === null ? 0 : 1);
  }

  /** Has everything been searched that the log had at the last step? */
  get isDone(): boolean {
    return this.#isDone;
  }

  hit(place: number): number | undefined {
    return this.#hits[place] ?? (place === this.#hits.length ? (this.#openHit ?? undefined) : undefined);
  }

  hits(from: number, count: number): number[] {
    const found = this.#hits.slice(from, from + count);
    if (this.#openHit !== null && found.length < count && from <= this.#hits.length) found.push(this.#openHit);
    return found;
  }

  /** The place among the hits of the first one in a line with this number or a later one. */
  placeOf(line: number): number {
    let low = 0;
    let high = this.total;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.hit(middle) ?? 0) < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Goes on for about so long. @throws UnjamError when the expression takes too long on one line. */
  advance(log: MergedLog, budgetMs: number): void {
    const until = performance.now() + budgetMs;
    this.#isDone = false;
    do {
      this.#block ??= this.#load(log);
      if (this.#block === null) {
        this.#isDone = true;
        return;
      }
      this.#search(this.#block, until);
    } while (performance.now() < until);
  }

  #load(log: MergedLog): Block | null {
    const first = log.read(this.#seq, blockBytes);
    if (first === null) return null;
    const chunk = first.file === 'events' ? (log.read(this.#seq, maxEventBytes) ?? first) : first;
    this.#at = 0;
    const next = chunk.seq + (chunk.bytes.length || chunk.length);
    const isWanted = this.#streams.includes(streamOf(chunk.file));
    if (chunk.file === 'events') return { text: eventTexts(chunk.bytes), next, isWanted };
    const whole = chunk.bytes.lastIndexOf(10) + 1;
    if (chunk.isRunEnd || whole > 0) {
      const length = chunk.isRunEnd ? chunk.bytes.length : whole;
      const text = withoutEscapes(linesText(chunk.bytes.subarray(0, length), log.decode));
      // Where another file goes on, a line ends without its line feed.
      const ended = length > whole ? `${text}\n` : text;
      return { text: ended, next: chunk.isRunEnd ? next : chunk.seq + whole, isWanted };
    }
    if (chunk.bytes.length < blockBytes) return this.#lookAtOpenLine(chunk, isWanted, log.decode);
    const text = withoutEscapes(linesText(chunk.bytes, log.decode));
    return { text, next: next - overlapBytes, isWanted };
  }

  /** The log ends within a line: it counts, and is looked at again when it has grown. */
  #lookAtOpenLine(chunk: Chunk, isWanted: boolean, decode: Decode): null {
    if (chunk.bytes.length === this.#openBytes) return null;
    this.#openBytes = chunk.bytes.length;
    this.#openHit = null;
    if (!isWanted || this.#hits.at(-1) === this.#line) return null;
    const line = withoutEscapes(linesText(chunk.bytes, decode)).replace(/\r$/, '');
    this.#bound(() => {
      this.#openHit = this.#matches(line) ? this.#line : null;
    });
    return null;
  }

  #search(block: Block, until: number): void {
    this.#openHit = null;
    this.#openBytes = -1;
    if (!block.isWanted) this.#pass(block.text, block.text.length);
    else if (this.#pattern.regex) {
      this.#bound(() => {
        this.#searchLines(block.text, until);
      });
    } else this.#searchText(block.text);
    if (this.#at < block.text.length) return;
    this.#seq = block.next;
    this.#block = null;
  }

  #bound(step: () => void): void {
    if (this.#pattern.regex !== true) {
      step();
      return;
    }
    const end = this.#bounded.run(lineMs * 2 ** this.#strikes, step);
    if (end !== 'done') this.#openBytes = -1;
    if (end === 'starved') return;
    this.#strikes = end === 'done' ? 0 : this.#strikes + 1;
    if (this.#strikes > strikesAllowed)
      throw new UnjamError(
        'bad-input',
        `This regular expression takes too long on line ${this.#line}; the search was stopped there.`,
        'Use one without nested repetition such as "(a+)+", or search for text as it is written.',
        'text',
      );
  }

  /** Whole blocks at once: text that is sought as it is written never crosses a line. */
  #searchText(text: string): void {
    while (this.#at < text.length) {
      const hit = this.#find(text, this.#at);
      if (hit < 0) break;
      this.#pass(text, hit);
      this.#add();
      const feed = text.indexOf('\n', hit);
      if (feed < 0) {
        this.#at = text.length;
        return;
      }
      this.#pass(text, feed + 1);
    }
    this.#pass(text, text.length);
  }

  #find(text: string, from: number): number {
    if (!this.#pattern.ignoreCase) return text.indexOf(this.#pattern.text, from);
    this.#expression.lastIndex = from;
    return this.#expression.exec(text)?.index ?? -1;
  }

  /** Line by line: an expression may mean a line's begin and end, and may not see the next one. */
  #searchLines(text: string, until: number): void {
    for (let lines = 1; this.#at < text.length; lines += 1) {
      const feed = text.indexOf('\n', this.#at);
      const end = feed < 0 ? text.length : feed;
      const to = text.charCodeAt(end - 1) === 13 && end > this.#at ? end - 1 : end;
      if (this.#matches(text.slice(this.#at, to))) this.#add();
      this.#at = feed < 0 ? end : feed + 1;
      if (feed >= 0) this.#line += 1;
      if (lines % linesPerLook === 0 && performance.now() >= until) return;
    }
  }

  #matches(line: string): boolean {
    this.#expression.lastIndex = 0;
    return this.#expression.test(line);
  }

  #add(): void {
    if (this.#hits.at(-1) !== this.#line) this.#hits.push(this.#line);
  }

  /** Counts the lines up to `to`. */
  #pass(text: string, to: number): void {
    for (let feed = text.indexOf('\n', this.#at); feed >= 0 && feed < to; feed = text.indexOf('\n', feed + 1))
      this.#line += 1;
    this.#at = to;
  }
}

const eventTexts = (bytes: Buffer): string =>
  bytes
    .toString()
    .split('\n')
    .flatMap((line) => {
      const event = visibleEvent(line);
      return event === null ? [] : [`${withoutEscapes(event.text).replaceAll('\n', ' ')}\n`];
    })
    .join('');
