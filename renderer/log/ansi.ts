/**
 * Splits one line of script output into pieces with a look. Only colours and weights of SGR survive; cursor movement,
 * titles and links are dropped, and characters that would lie about the order of the text are named. Pure.
 */
import { nameOfUnsafe, unsafeCharacter } from '../words/visible.ts';

export interface Piece {
  readonly text: string;
  /** CSS classes, space separated; empty for plain text. */
  readonly look: string;
  /** A 256 or true colour as `rgb(…)`; null otherwise. */
  readonly colour: string | null;
  /** True when `text` is the name of a character that must not be shown as it is. */
  readonly isControl: boolean;
}

interface Look {
  foreground: number | string | null;
  isFilled: boolean;
  isBold: boolean;
  isItalic: boolean;
  isUnderlined: boolean;
}

const plain = (): Look => ({ foreground: null, isFilled: false, isBold: false, isItalic: false, isUnderlined: false });

// CSI, then OSC and the other strings up to BEL or ST, then two-character escapes.
/* eslint-disable no-control-regex -- escape sequences start with a control character */
const escapes =
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[ -/]*[0-Z\\^-~]/g;
/* eslint-enable no-control-regex */

export function pieces(line: string): Piece[] {
  if (!unsafeCharacter.test(line)) return line === '' ? [] : [{ text: line, look: '', colour: null, isControl: false }];
  const found: Piece[] = [];
  let look = plain();
  let from = 0;
  for (const match of line.matchAll(escapes)) {
    addText(found, line.slice(from, match.index), look);
    from = match.index + match[0].length;
    if (match[2] === 'm') look = applySgr(look, match[1] ?? '');
  }
  addText(found, line.slice(from), look);
  return found;
}

/** What a terminal would show at the end of a line that was overwritten with carriage returns. */
export function lastState(line: string): { readonly text: string; readonly earlier: number } {
  if (!line.includes('\r')) return { text: line, earlier: 0 };
  const states = line.split('\r').filter((state) => state !== '');
  return { text: states.at(-1) ?? '', earlier: Math.max(0, states.length - 1) };
}

function addText(found: Piece[], text: string, look: Look): void {
  if (text === '') return;
  const classes = classesOf(look);
  const colour = typeof look.foreground === 'string' ? look.foreground : null;
  let from = 0;
  let next = 0;
  for (const character of text) {
    const at = next;
    next += character.length;
    if (!unsafeCharacter.test(character)) continue;
    if (at > from) found.push({ text: text.slice(from, at), look: classes, colour, isControl: false });
    found.push({ text: nameOfUnsafe(character), look: '', colour: null, isControl: true });
    from = next;
  }
  if (from < text.length) found.push({ text: text.slice(from), look: classes, colour, isControl: false });
}

function classesOf(look: Look): string {
  const classes: string[] = [];
  if (typeof look.foreground === 'number') classes.push(`ansi-${look.foreground}`);
  if (typeof look.foreground === 'string') classes.push('ansi-true');
  if (look.isBold) classes.push('ansi-bold');
  if (look.isItalic) classes.push('ansi-italic');
  if (look.isUnderlined) classes.push('ansi-underline');
  if (look.isFilled) classes.push('ansi-filled');
  return classes.join(' ');
}

function applySgr(before: Look, parameters: string): Look {
  const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map((code) => Number.parseInt(code || '0', 10));
  let look = { ...before };
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(at + 1));
      if (code === 38) look.foreground = colour;
      else look.isFilled = true;
      at += used;
    } else look = applyOne(look, code);
  }
  return look;
}

function applyOne(look: Look, code: number): Look {
  if (code === 0) return plain();
  if (code === 1) return { ...look, isBold: true };
  if (code === 3) return { ...look, isItalic: true };
  if (code === 4) return { ...look, isUnderlined: true };
  if (code === 22) return { ...look, isBold: false };
  if (code === 23) return { ...look, isItalic: false };
  if (code === 24) return { ...look, isUnderlined: false };
  if (code === 7 || (code >= 40 && code <= 47) || (code >= 100 && code <= 107)) return { ...look, isFilled: true };
  if (code === 27 || code === 49) return { ...look, isFilled: false };
  if (code >= 30 && code <= 37) return { ...look, foreground: code - 30 };
  if (code >= 90 && code <= 97) return { ...look, foreground: code - 82 };
  if (code === 39) return { ...look, foreground: null };
  return look;
}

/** The colour after 38 or 48, and how many parameters it took. */
function extended(codes: readonly number[]): readonly [number | string | null, number] {
  if (codes[0] === 5) return [from256(codes[1] ?? 0), 2];
  if (codes[0] === 2) return [rgb(codes[1] ?? 0, codes[2] ?? 0, codes[3] ?? 0), 4];
  return [null, 0];
}

function from256(index: number): number | string {
  if (index < 16) return Math.max(0, index);
  if (index >= 232) {
    const grey = 8 + (Math.min(index, 255) - 232) * 10;
    return rgb(grey, grey, grey);
  }
  const level = (n: number): number => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return rgb(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function rgb(red: number, green: number, blue: number): string {
  const clamp = (n: number): number => Math.min(255, Math.max(0, n));
  return `rgb(${clamp(red)} ${clamp(green)} ${clamp(blue)})`;
}
