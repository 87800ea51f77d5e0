/**
 * One script's log, by its bytes and by its lines: the one way in which it is read. The line index and the searches are built in slices of a few
 * milliseconds while a call waits for them, so that the host's event loop answers everybody else in between.
 */
import { setImmediate } from 'node:timers/promises';
import type { LogHits, LogLine, LogLines, LogPage, Output, Parsed } from '../contract/methods.ts';
import { UnjamError } from '../contract/errors.ts';
import type { LogIndex } from './index-file.ts';
import { everyStream, LineIndex, type PlacedLine } from './line-index.ts';
import { LogSearch } from './log-search.ts';
import { type LogPaths, MergedLog, type Stream, streamOf, visibleEvent } from './merged.ts';
import type { Pattern } from './pattern.ts';
import { readLog } from './read-log.ts';
import { type Decode, lineText, wholeCharacters } from './text.ts';

const sliceMs = 6;
/** Longer calls are answered with what there is. */
const patienceMs = 10_000;
const searchPatienceMs = 1_000;
const keptSearches = 4;
const tailBytes = 131_072;
const shownCharacters = 10_000;
const answerCharacters = 2_097_152;
const partBytes = 1_048_576;

export class LogReader {
  readonly #paths: LogPaths;
  readonly #index: LogIndex;
  readonly #decode: Decode;
  #lines = new LineIndex();
  #restarts = 0;
  readonly #searches = new Map<string, LogSearch>();

  constructor(paths: LogPaths, index: LogIndex, decode: Decode) {
    this.#paths = paths;
    this.#index = index;
    this.#decode = decode;
  }

  /** A page from a sequence number on. `settled`: nobody writes any more, so what the index does not cover counts too. */
  read(query: Parsed<'logs.read'>, settled: boolean): Omit<LogPage, 'complete'> {
    using log = this.#open(settled);
    return readLog(log, query);
  }

  /** How long the log is now, in bytes. */
  size(settled: boolean): number {
    using log = this.#open(settled);
    return log.size;
  }

  async lines(query: Parsed<'logs.lines'>, settled: boolean): Promise<LogLines> {
    using log = this.#open(settled);
    const streams = query.streams ?? everyStream;
    const search = query.matching === undefined ? null : this.#search(query.matching, streams);
    const { from } = query;
    const isPlain = search === null && query.streams === undefined;
    // The last screen comes at once, whatever is counted.
    const isHasty = from === undefined && isPlain && query.waitMs === undefined;
    const until = performance.now() + (isHasty ? 2 * sliceMs : patienceMs);
    const isCounted = await this.#until(until, () => {
      const isIndexed = this.#lines.advance(log, sliceMs);
      if (search === null) return isIndexed || (isPlain && from !== undefined && this.#total() >= from + query.count);
      if (isIndexed) search.advance(log, sliceMs);
      return isIndexed && search.isDone;
    });
    const total = search?.total ?? this.#lines.total(streams);
    const rest = {
      total,
      counted: isCounted && this.#lines.seq >= log.size,
      counts: { ...this.#lines.counts },
      size: log.size,
      complete: settled && isCounted && this.#lines.seq >= log.size,
    };
    if (!isCounted && from === undefined) return { lines: this.#tail(log, query.count), from: null, ...rest };
    const first = from ?? Math.max(0, total - query.count);
    const placed =
      search === null
        ? this.#lines.lines(log, streams, first, query.count)
        : this.#lines.numbered(log, search.hits(first, query.count));
    return { lines: shown(log, placed, true), from: Math.min(first, total), ...rest };
  }

  async search(query: Parsed<'logs.search'>, settled: boolean): Promise<LogHits> {
    using log = this.#open(settled);
    const search = this.#search(query, query.streams ?? everyStream);
    await this.#until(performance.now() + (query.waitMs ?? searchPatienceMs), () => {
      search.advance(log, sliceMs);
      return search.isDone;
    });
    const { total } = search;
    const hitAt = (place: number) => {
      const line = search.hit(place);
      return line === undefined ? null : { line, place };
    };
    const near = query.near ?? 0;
    const place = search.placeOf(near);
    const here = search.hit(place) === near ? hitAt(place) : null;
    const behind = here === null ? place : place + 1;
    return {
      total,
      exact: search.isDone,
      hits: search.hits(query.from ?? 0, query.count ?? 0),
      here,
      next: hitAt(behind) ?? hitAt(0),
      previous: hitAt(place - 1) ?? hitAt(total - 1),
    };
  }

  async line(query: Parsed<'logs.line'>, settled: boolean): Promise<Output<'logs.line'>> {
    using log = this.#open(settled);
    await this.#until(
      performance.now() + patienceMs,
      () => this.#lines.advance(log, sliceMs) || this.#total() > query.line,
    );
    const [line] = this.#lines.numbered(log, [query.line]);
    if (line === undefined)
      throw new UnjamError(
        'bad-input',
        `The log has ${this.#total()} lines, and no line ${query.line}.`,
        'Ask for one that is there.',
        'line',
      );
    const from = Math.min(query.from ?? 0, line.length);
    const length = Math.min(partBytes, line.length - from);
    const bytes = log.bytes(line.file, line.offset + from, length);
    if (line.file === 'events') return { text: eventOf(log, line)?.text ?? '', next: null, bytes: line.length };
    const isEnd = from + length >= line.length || bytes.length === 0;
    const whole = isEnd ? bytes : wholeCharacters(bytes);
    return { text: lineText(whole, log.decode), next: isEnd ? null : from + whole.length, bytes: line.length };
  }

  #open(settled: boolean): MergedLog {
    const log = new MergedLog(this.#paths, this.#index, this.#decode);
    log.refresh(settled);
    if (this.#index.restarts !== this.#restarts) {
      this.#restarts = this.#index.restarts;
      this.#lines = new LineIndex();
      this.#searches.clear();
    }
    return log;
  }

  #total(): number {
    return this.#lines.total(everyStream);
  }

  /** Repeats a slice until it says that it is done; false when the time is up first. */
  async #until(deadline: number, slice: () => boolean): Promise<boolean> {
    while (!slice()) {
      if (performance.now() >= deadline) return false;
      await setImmediate();
    }
    return true;
  }

  #tail(log: MergedLog, count: number): LogLine[] {
    const tail = new LineIndex(Math.max(0, log.size - tailBytes));
    tail.advance(log, Infinity);
    const total = tail.total(everyStream);
    return shown(log, tail.lines(log, everyStream, Math.max(0, total - count), count), false);
  }

  #search(pattern: Pattern, streams: readonly Stream[]): LogSearch {
    const key = JSON.stringify([
      pattern.text,
      pattern.regex === true,
      pattern.ignoreCase === true,
      [...streams].sort(),
    ]);
    const search = this.#searches.get(key) ?? new LogSearch(pattern, streams);
    this.#searches.delete(key);
    this.#searches.set(key, search);
    if (this.#searches.size > keptSearches) this.#searches.delete(this.#searches.keys().next().value ?? '');
    return search;
  }
}

function shown(log: MergedLog, placed: readonly PlacedLine[], isNumbered: boolean): LogLine[] {
  const lines: LogLine[] = [];
  let characters = 0;
  for (const line of placed) {
    if (characters > answerCharacters) break;
    const { seq, length } = line;
    const event = line.file === 'events' ? eventOf(log, line) : null;
    const at = event?.at ?? log.timeAt(seq);
    const before = seq === 0 ? null : log.timeAt(seq - 1);
    const text = event?.text ?? textOf(log, line);
    characters += text.length;
    lines.push({
      number: isNumbered ? line.number : null,
      seq,
      stream: streamOf(line.file),
      at: at === null ? null : new Date(at).toISOString(),
      sinceMs: at === null || before === null ? null : Math.max(0, Math.round(at - before)),
      code: event?.code ?? null,
      text,
      bytes: length,
      cut: event === null && (length > 4 * shownCharacters || text.length >= shownCharacters),
      finished: line.isFinished,
    });
  }
  return lines;
}

const eventOf = (log: MergedLog, line: PlacedLine) =>
  visibleEvent(log.bytes(line.file, line.offset, line.length).toString());

function textOf(log: MergedLog, line: PlacedLine): string {
  const isAll = line.length <= 4 * shownCharacters;
  const bytes = log.bytes(line.file, line.offset, isAll ? line.length : 4 * shownCharacters);
  const head = lineText(isAll ? bytes : wholeCharacters(bytes), log.decode);
  const whole = head.endsWith('\r') && isAll ? head.slice(0, -1) : head;
  if (whole.length <= shownCharacters && isAll) return whole;
  if (whole.includes('\r')) {
    // It overwrites itself: its newest state says more than its first one.
    const length = Math.min(line.length, 2 * shownCharacters);
    const tail = lineText(log.bytes(line.file, line.offset + line.length - length, length), log.decode).replace(
      /\r$/,
      '',
    );
    return tail.slice(tail.indexOf('\r') + 1).slice(-shownCharacters);
  }
  const last = whole.charCodeAt(shownCharacters - 1);
  return whole.slice(0, last >= 0xd800 && last < 0xdc00 ? shownCharacters - 1 : shownCharacters);
}
