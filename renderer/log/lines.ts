/**
 * Cuts the host's log entries, which hold one or more whole lines, into single lines. A line that was not finished when
 * it was read goes on in the next entry. Pure.
 */
import type { LogEntry } from '../contract.ts';

export interface Line {
  /** Position in the merged log, in bytes. */
  readonly seq: number;
  readonly next: number;
  readonly stream: LogEntry['stream'];
  readonly at: string | null;
  readonly code: string | null;
  /** Without its line feed. */
  readonly text: string;
  readonly isFinished: boolean;
}

/** `last` is the line before the first entry; when the first line continues it, `continues` is true. */
export function toLines(
  entries: readonly LogEntry[],
  last: Line | undefined,
): { readonly lines: Line[]; readonly continues: boolean } {
  const lines: Line[] = [];
  let continues = false;
  for (const entry of entries) {
    const before = lines.at(-1) ?? last;
    const cut = entry.stream === 'unjam' ? [whole(entry)] : split(entry);
    const first = cut[0];
    if (first !== undefined && before !== undefined && isContinued(before, first)) {
      cut[0] = { ...first, seq: before.seq, at: before.at, text: before.text + first.text };
      if (lines.length > 0) lines.pop();
      else continues = true;
    }
    // One by one: a spread of a hundred thousand arguments overflows the stack.
    for (const line of cut) lines.push(line);
  }
  return { lines, continues };
}

const whole = ({ seq, next, stream, at, code, text }: LogEntry): Line => ({
  seq,
  next,
  stream,
  at,
  code,
  text,
  isFinished: true,
});

function isContinued(before: Line, first: Line): boolean {
  return !before.isFinished && before.stream === first.stream && before.next === first.seq;
}

function split(entry: LogEntry): Line[] {
  const { stream, at, code, text } = entry;
  const lines: Line[] = [];
  let seq = entry.seq;
  for (let from = 0; from < text.length;) {
    const feed = text.indexOf('\n', from);
    const end = feed < 0 ? text.length : feed;
    const to = feed < 0 ? end : feed + 1;
    const shown = feed > from && text.charCodeAt(feed - 1) === 13 ? end - 1 : end;
    // The last one ends where the host says; in between, bytes that were not text may make it differ a little.
    const next = to === text.length ? entry.next : seq + byteLength(text, from, to);
    lines.push({ seq, next, stream, at, code, text: text.slice(from, shown), isFinished: feed >= 0 });
    seq = next;
    from = to;
  }
  return lines;
}

function byteLength(text: string, from: number, to: number): number {
  let bytes = 0;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    // Each half of a surrogate pair counts half of its four bytes.
    else bytes += code >= 0xd800 && code <= 0xdfff ? 2 : 3;
  }
  return bytes;
}
