/** Bytes of a log as text: UTF-8, or the UTF-16 that wsl.exe and PowerShell 5 write into a redirected stream. */

/** Of the bytes of a line, this many of a hundred are zero in UTF-16 text with at least some ASCII in it. */
const zeroPercent = 30;

/** One line, without its line feed. A byte order mark is no part of the text. */
export function lineText(bytes: Buffer): string {
  // The line feed is the first byte of its two: its zero stands before the next line.
  const aligned = bytes.length % 2 === 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
  if (aligned.length === 0) return '';
  if (!isUtf16(aligned)) return bytes.toString();
  return aligned.toString('utf16le').replace(/^\ufeff/, '');
}

/** Several lines, each with its line feed; a line stays a line. */
export function linesText(bytes: Buffer): string {
  if (!bytes.includes(0)) return bytes.toString();
  const lines: string[] = [];
  for (let from = 0; from <= bytes.length;) {
    const feed = bytes.indexOf(10, from);
    const end = feed < 0 ? bytes.length : feed;
    lines.push(lineText(bytes.subarray(from, end)));
    from = end + 1;
  }
  return lines.join('\n');
}

function isUtf16(bytes: Buffer): boolean {
  if (!bytes.includes(0)) return false;
  const looked = Math.min(bytes.length, 4_096);
  let zeros = 0;
  for (let i = 0; i < looked; i += 1) if (bytes[i] === 0) zeros += 1;
  return zeros * 100 >= looked * zeroPercent && zeros * 100 <= looked * 60;
}
