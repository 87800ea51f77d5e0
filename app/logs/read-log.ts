/** Reads the merged log of a script from a sequence number on: bytes straight from the files, in index order. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { LogEntry, LogPage, Parsed } from '../contract/methods.ts';
import type { ScriptEvent } from '../domain/events.ts';
import { fileSize } from '../run-directory/run-directory.ts';
import { type IndexRow, type LogIndex, rowAfter, seqOf } from './index-file.ts';

export interface LogPaths {
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly eventsPath: string;
}

type Query = Parsed<'logs.read'>;
type Stream = LogEntry['stream'];

const defaultBytes = 262_144;
const chunkBytes = 65_536;
/** Longer than any event line. */
const eventBytes = 4_194_304;

/** `settled`: nobody writes the index any more, so what it does not cover counts as its end. */
export function readLog(paths: LogPaths, index: LogIndex, query: Query, settled: boolean): Omit<LogPage, 'complete'> {
  const end: IndexRow | null = settled
    ? {
        at: null,
        stdout: fileSize(paths.stdoutPath).bytes,
        stderr: fileSize(paths.stderrPath).bytes,
        events: fileSize(paths.eventsPath).bytes,
      }
    : null;
  const rows = index.rows(end);
  const last = rows.at(-1);
  const size = last ? seqOf(last) : 0;
  let seq = query.tailBytes === undefined ? Math.min(query.from ?? 0, size) : Math.max(0, size - query.tailBytes);
  let skipPartialLine = query.tailBytes !== undefined && seq > 0;
  let left = query.maxBytes ?? defaultBytes;
  const entries: LogEntry[] = [];
  const files = new Files(paths);
  try {
    for (let k = rowAfter(rows, seq); k < rows.length && left > 0; k += 1) {
      const before = rows[k - 1];
      const row = rows[k];
      if (!before || !row) break;
      let at = seqOf(before);
      for (const stream of ['stdout', 'stderr', 'events'] as const) {
        const length = row[stream] - before[stream];
        const skip = Math.max(0, Math.min(length, seq - at));
        const from = before[stream] + skip;
        at += length;
        if (skip === length) continue;
        for (let position = from; position < row[stream] && left > 0;) {
          const rest = row[stream] - position;
          const events = stream === 'events';
          const bytes = files.read(
            stream,
            position,
            events ? Math.min(rest, eventBytes) : Math.min(chunkBytes, rest, left),
          );
          if (bytes.length === 0) {
            seq = at; // truncated by somebody: nothing can be read here
            break;
          }
          // A page ends with a whole line: the next one would otherwise begin within a word, or a character.
          if (!events && entries.length > 0 && bytes.length === left && left < rest && !bytes.includes(10)) {
            left = 0;
            break;
          }
          const cut = wholeLines(bytes, bytes.length === rest);
          const start = skipPartialLine && stream !== 'events' ? cut.indexOf(10) + 1 : 0;
          skipPartialLine = false;
          add(entries, query, stream, cut.subarray(start), seq + start, row.at);
          position += cut.length;
          seq += cut.length;
          left -= cut.length;
        }
        if (left <= 0) break;
      }
    }
  } finally {
    files.close();
  }
  return { entries, next: seq, size };
}

function add(
  entries: LogEntry[],
  query: Query,
  file: 'stdout' | 'stderr' | 'events',
  bytes: Buffer,
  seq: number,
  at: number | null,
): void {
  const stream: Stream = file === 'events' ? 'unjam' : file;
  if (query.stream !== undefined && query.stream !== stream) return;
  if (stream === 'unjam') {
    let position = seq;
    for (const line of bytes.toString('utf8').split('\n')) {
      const length = Buffer.byteLength(line) + 1;
      const event = parseEvent(line);
      if (event?.text !== undefined && matches(event.text, query))
        entries.push({
          seq: position,
          next: position + length,
          stream,
          at: new Date(event.at).toISOString(),
          code: event.code ?? null,
          text: event.text,
        });
      position += length;
    }
    return;
  }
  const time = at === null ? null : new Date(at).toISOString();
  if (query.raw) {
    if (bytes.length > 0)
      entries.push({
        seq,
        next: seq + bytes.length,
        stream,
        at: time,
        code: null,
        text: '',
        base64: bytes.toString('base64'),
      });
    return;
  }
  if (query.search === undefined) {
    if (bytes.length > 0)
      entries.push({ seq, next: seq + bytes.length, stream, at: time, code: null, text: decode(bytes) });
    return;
  }
  for (let from = 0; from < bytes.length;) {
    const feed = bytes.indexOf(10, from);
    const to = feed < 0 ? bytes.length : feed + 1;
    const text = decode(bytes.subarray(from, to));
    if (matches(text, query)) entries.push({ seq: seq + from, next: seq + to, stream, at: time, code: null, text });
    from = to;
  }
}

const matches = (text: string, query: Query): boolean => query.search === undefined || text.includes(query.search);

function parseEvent(line: string): ScriptEvent | null {
  try {
    return line === '' ? null : (JSON.parse(line) as ScriptEvent);
  } catch {
    return null;
  }
}

const utf8 = new TextDecoder();
const decode = (bytes: Buffer): string => utf8.decode(bytes);

/** Cuts a chunk after its last line feed, or at a character's border when one line fills it. */
function wholeLines(bytes: Buffer, isEnd: boolean): Buffer {
  if (isEnd) return bytes;
  const feed = bytes.lastIndexOf(10);
  if (feed >= 0) return bytes.subarray(0, feed + 1);
  let end = bytes.length;
  while (end > bytes.length - 4 && end > 1 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end > 1 && (bytes[end - 1] ?? 0) >= 0xc0 ? end - 1 : bytes.length);
}

class Files {
  readonly #paths: LogPaths;
  readonly #open = new Map<string, number>();

  constructor(paths: LogPaths) {
    this.#paths = paths;
  }

  read(stream: 'stdout' | 'stderr' | 'events', position: number, length: number): Buffer {
    const path =
      stream === 'stdout'
        ? this.#paths.stdoutPath
        : stream === 'stderr'
          ? this.#paths.stderrPath
          : this.#paths.eventsPath;
    let file = this.#open.get(path);
    if (file === undefined) {
      file = openSync(path, 'r');
      this.#open.set(path, file);
    }
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(file, buffer, 0, length, position));
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
  }
}
