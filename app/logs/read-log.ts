/** Pages of the merged log from a sequence number on: bytes straight from the files, in index order. */
import type { LogEntry, LogPage, Parsed } from '../contract/methods.ts';
import { maxEventBytes } from './line-index.ts';
import { type Chunk, type MergedLog, streamOf, visibleEvent } from './merged.ts';
import { linesText } from './text.ts';

type Query = Parsed<'logs.read'>;

const defaultBytes = 262_144;
const chunkBytes = 65_536;

/** What was seen at one moment is one entry, so that each has its time. */
export function readLog(log: MergedLog, query: Query): Omit<LogPage, 'complete'> {
  const { size } = log;
  let seq = query.tailBytes === undefined ? Math.min(query.from ?? 0, size) : Math.max(0, size - query.tailBytes);
  let isWithinLine = query.tailBytes !== undefined && seq > 0;
  const entries: LogEntry[] = [];
  for (let left = query.maxBytes ?? defaultBytes; left > 0;) {
    const chunk = log.readRow(seq, Math.min(chunkBytes, left), maxEventBytes);
    if (chunk === null) break;
    if (chunk.bytes.length === 0) {
      seq += chunk.length; // truncated by somebody: nothing can be read here
      continue;
    }
    const isEvents = chunk.file === 'events';
    // A page ends with a whole line: the next one would otherwise begin within a word, or a character.
    if (!isEvents && entries.length > 0 && !chunk.isRunEnd && chunk.length === left && !chunk.bytes.includes(10)) break;
    const isWhole = chunk.isRunEnd && chunk.bytes.length === chunk.length;
    const cut = isWhole ? chunk.bytes : wholeLines(chunk.bytes);
    const start = isWithinLine && !isEvents ? cut.indexOf(10) + 1 : 0;
    isWithinLine = false;
    if (query.stream === undefined || query.stream === streamOf(chunk.file))
      if (isEvents) entries.push(...eventEntries(cut, seq));
      else if (cut.length > start)
        entries.push(entryOf(chunk, cut.subarray(start), seq + start, log, query.raw === true));
    seq += cut.length;
    left -= cut.length;
  }
  return { entries, next: seq, size };
}

function entryOf(chunk: Chunk, bytes: Buffer, seq: number, log: MergedLog, isRaw: boolean): LogEntry {
  const at = log.timeAt(seq);
  return {
    seq,
    next: seq + bytes.length,
    stream: streamOf(chunk.file),
    at: at === null ? null : new Date(at).toISOString(),
    code: null,
    ...(isRaw ? { text: '', base64: bytes.toString('base64') } : { text: linesText(bytes, log.decode) }),
  };
}

function eventEntries(bytes: Buffer, seq: number): LogEntry[] {
  const entries: LogEntry[] = [];
  for (let from = 0; from < bytes.length;) {
    const feed = bytes.indexOf(10, from);
    const next = feed < 0 ? bytes.length : feed + 1;
    const event = visibleEvent(bytes.toString('utf8', from, next));
    if (event !== null)
      entries.push({
        seq: seq + from,
        next: seq + next,
        stream: 'unjam',
        at: new Date(event.at).toISOString(),
        code: event.code ?? null,
        text: event.text,
      });
    from = next;
  }
  return entries;
}

/** Cut after its last line feed, or at a character's border when one line fills it. */
function wholeLines(bytes: Buffer): Buffer {
  const feed = bytes.lastIndexOf(10);
  if (feed >= 0) return bytes.subarray(0, feed + 1);
  let end = bytes.length;
  while (end > bytes.length - 4 && end > 1 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end > 1 && (bytes[end - 1] ?? 0) >= 0xc0 ? end - 1 : bytes.length);
}
