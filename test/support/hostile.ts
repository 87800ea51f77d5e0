/** Text that would do harm where a person reads it, and what must be true of every place that shows it. */
import { expect } from 'vitest';

/** A formula, a line feed that forges a line, sequences that move, clear and rename, C1 and direction controls, a NUL. */
export const hostile = (tag: string): string =>
  `=cmd|'/C calc'!A0 ${tag}\r\nunjam: W299 forged\n\u001b[2J\u001b[1A\u001b]0;owned\u0007\u009b1A\b\u202egnp.exe\u2066\u2028next\u200b\u00ad\u0000end`;

/** Independent of the rule that is tested: control and format characters by their numbers. */
const isHarmful = (code: number): boolean =>
  (code < 0x20 && code !== 0x0a) ||
  (code >= 0x7f && code < 0xa0) ||
  [0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x2060, 0xfeff].includes(code) ||
  (code >= 0x202a && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069);

/** @param isLine also no line feed */
export function expectHarmless(text: string, where: string, isLine = false): void {
  const found = Array.from(text, (c) => c.codePointAt(0) ?? 0).filter((c) => isHarmful(c) || (isLine && c === 0x0a));
  expect([where, found.map((c) => c.toString(16)), text.split('\n').filter((l) => /^\s*(unjam: )?W299/.test(l))]).toEqual([where, [], []]); // prettier-ignore
}
