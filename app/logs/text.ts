/**
 * Bytes of a log as text, for display only: UTF-8, the UTF-16 that wsl.exe and PowerShell 5 write into a redirected
 * stream, or the code page in which cmd.exe and Windows PowerShell write.
 */
import { isUtf8 } from 'node:buffer';

/** Text of bytes that are not UTF-8; see `ProcessControl.decodeOutput`. */
export type Decode = (bytes: Buffer) => string;

/** Of the bytes of a line, this many of a hundred are zero in UTF-16 text with at least some ASCII in it. */
const zeroPercent = 30;

/** One line, without its line feed. A byte order mark is no part of the text. */
export function lineText(bytes: Buffer, decode: Decode): string {
  // The line feed is the first byte of its two: its zero stands before the next line.
  const aligned = bytes.length % 2 === 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
  if (aligned.length === 0) return '';
  if (isUtf16(aligned)) return aligned.toString('utf16le').replace(/^\ufeff/, '');
  return isUtf8(bytes) || isCutUtf8(bytes) ? bytes.toString() : decode(bytes);
}

/** Several lines, each with its line feed; a line stays a line. Of two streams in turn one may be UTF-8, one not. */
export function linesText(bytes: Buffer, decode: Decode): string {
  if (!bytes.includes(0) && isUtf8(bytes)) return bytes.toString();
  const lines: string[] = [];
  for (let from = 0; from <= bytes.length;) {
    const feed = bytes.indexOf(10, from);
    const end = feed < 0 ? bytes.length : feed;
    lines.push(lineText(bytes.subarray(from, end), decode));
    from = end + 1;
  }
  return lines.join('\n');
}

/**
 * A part of a line may begin or end within a character. What stands between must hold a whole one of several bytes: in
 * a code page that hardly ever comes about by accident.
 */
function isCutUtf8(bytes: Buffer): boolean {
  let start = 0;
  while (start < 3 && isTrail(bytes, start)) start += 1;
  const between = wholeCharacters(bytes.subarray(start));
  return isUtf8(between) && between.some((byte) => byte >= 0x80);
}

/** Without the bytes of a last character that goes on behind them. */
export function wholeCharacters(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > bytes.length - 4 && start > 0 && isTrail(bytes, start)) start -= 1;
  const lead = bytes[start] ?? 0;
  const needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + needed > bytes.length && start > 0 ? bytes.subarray(0, start) : bytes;
}

const isTrail = (bytes: Buffer, at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80;

function isUtf16(bytes: Buffer): boolean {
  if (!bytes.includes(0)) return false;
  const looked = Math.min(bytes.length, 4_096);
  let zeros = 0;
  for (let i = 0; i < looked; i += 1) if (bytes[i] === 0) zeros += 1;
  return zeros * 100 >= looked * zeroPercent && zeros * 100 <= looked * 60;
}
