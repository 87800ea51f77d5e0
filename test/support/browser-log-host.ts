/** The log by lines, as the fake host gives it: from entries in memory that are one line each, in the simplest way. */
import type { Input, LogEntry, LogHits, LogLine, LogLines, Output } from '../../app/contract/methods.ts';

const shownCharacters = 10_000;
type Pattern = NonNullable<Input<'logs.lines'>['matching']>;

export function logLines(entries: readonly LogEntry[], input: Input<'logs.lines'>, isFinal: boolean): LogLines {
  const all = entries.map(lineOf);
  const wanted = filtered(all, entries, input.streams, input.matching);
  const from = input.from ?? Math.max(0, wanted.length - input.count);
  const of = (stream: LogEntry['stream']): number => all.filter((line) => line.stream === stream).length;
  return {
    lines: wanted.slice(from, from + input.count),
    from: Math.min(from, wanted.length),
    total: wanted.length,
    counted: true,
    counts: { stdout: of('stdout'), stderr: of('stderr'), unjam: of('unjam') },
    size: entries.at(-1)?.next ?? 0,
    complete: isFinal,
  };
}

export function logSearch(entries: readonly LogEntry[], input: Input<'logs.search'>): LogHits {
  const hits = filtered(entries.map(lineOf), entries, input.streams, input).map((line) => line.number ?? 0);
  const hit = (place: number) => (hits[place] === undefined ? null : { line: hits[place], place });
  const near = input.near ?? 0;
  const here = hits.indexOf(near);
  const behind = hits.findIndex((line) => line > near);
  const before = hits.findLastIndex((line) => line < near);
  return {
    total: hits.length,
    exact: true,
    hits: hits.slice(input.from ?? 0, (input.from ?? 0) + (input.count ?? 0)),
    here: hit(here),
    next: hit(behind) ?? hit(0),
    previous: hit(before) ?? hit(hits.length - 1),
  };
}

export function logLine(entries: readonly LogEntry[], input: Input<'logs.line'>): Output<'logs.line'> {
  const text = entries[input.line - 1]?.text ?? '';
  return { text, next: null, bytes: Buffer.byteLength(text) };
}

function lineOf(entry: LogEntry, k: number, all: readonly LogEntry[]): LogLine {
  const before = all[k - 1]?.at;
  const { seq, stream, at, code, text } = entry;
  return {
    number: k + 1,
    seq,
    stream,
    at,
    sinceMs: at === null || before == null ? null : Math.max(0, Date.parse(at) - Date.parse(before)),
    code,
    text: text.slice(0, shownCharacters),
    bytes: Buffer.byteLength(text),
    cut: text.length > shownCharacters,
    finished: true,
  };
}

function filtered(
  lines: readonly LogLine[],
  entries: readonly LogEntry[],
  streams: readonly string[] | undefined,
  pattern: Pattern | undefined,
): LogLine[] {
  const expression =
    pattern === undefined
      ? null
      : new RegExp(
          pattern.regex ? pattern.text : pattern.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
          pattern.ignoreCase ? 'i' : '',
        );
  return lines.filter(
    (line, k) =>
      (streams === undefined || streams.includes(line.stream)) &&
      (expression === null || expression.test(entries[k]?.text ?? '')),
  );
}
