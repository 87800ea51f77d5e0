/**
 * Makes text harmless before a person reads it: names, commands and reasons come from scripts and callers. Control characters would move the cursor, forge a line or break a table;
 * bidirectional controls turn the reading order around (CVE-2021-42574); others take no room at all. The page, the
 * terminal, files and CSV use the same rule.
 */
const names: Readonly<Record<string, string>> = {
  '\u061c': 'ALM',
  '\u200b': 'ZWSP',
  '\u200e': 'LRM',
  '\u200f': 'RLM',
  '\u202a': 'LRE',
  '\u202b': 'RLE',
  '\u202c': 'PDF',
  '\u202d': 'LRO',
  '\u202e': 'RLO',
  '\u2028': 'LS',
  '\u2029': 'PS',
  '\u2060': 'WJ',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
  '\ufeff': 'BOM',
};

/** Names and not the pictures U+2400 to U+241F: few fonts have those. */
const lowNames =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );

/**
 * Everything that must not be shown as it is: control and format characters, line separators, halves of characters. A tab
 * is harmless on a page; the joiners U+200C and U+200D are part of words and pictures.
 */
export const unsafeCharacter = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]--[\t\u200c\u200d]]/v;
const everyUnsafe = new RegExp(unsafeCharacter, 'gv');

export function nameOfUnsafe(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return lowNames[code] ?? '';
  if (code === 0x7f) return 'DEL';
  return names[character] ?? `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** For names, command lines and sentences that carry them. */
export function visible(text: string): string {
  if (!unsafeCharacter.test(text)) return text;
  return text.replace(everyUnsafe, (c) => `\u27e8${nameOfUnsafe(c)}\u27e9`);
}

/** For a cell of a table or a line of a terminal: always one line, and no tab that would break its columns. */
export function visibleLine(text: string): string {
  return visible(text.replace(/\s*\r?\n\s*/g, ' \u21b5 ').replaceAll('\t', ' ')).trim();
}

/** One line of at most `max` characters where a name would only disturb: dialogs, menus, toasts. An ellipsis marks the cut. */
export function plain(text: string, max = 120): string {
  const line = text.replace(everyUnsafe, ' ').replace(/\s+/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`;
}

/** Every character of `text`, the invisible ones spelled out as `\u{202e}`; for what a person is asked to approve. */
export function spelledOut(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** In a Windows menu or button a single `&` becomes an underline. */
export function menuText(text: string, max = 60): string {
  return plain(text, max).replaceAll('&', '&&');
}

/** JSON with the same values that no terminal obeys: what a person must not see stands as an escape. */
export function visibleJson(value: unknown, indent = 0): string {
  return escapeUnsafe(JSON.stringify(value, null, indent));
}

/** The same for what is JSON already. */
export function escapeUnsafe(json: string): string {
  return json.replace(
    everyUnsafe,
    (c) =>
    c === '\n' ? c : Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''), // prettier-ignore
  );
}

/** Colours are harmless; every other sequence could move the cursor or rewrite what stands above. */
// eslint-disable-next-line no-control-regex -- escape sequences start with a control character
const coloured = /\u001b\[[\d;:]*m|[\r\n]/g;

/** For script output on a terminal: line ends and colours stay, every other control character is made visible. */
export function visibleOutput(text: string): string {
  let done = '';
  let from = 0;
  for (const match of text.matchAll(coloured)) {
    done += visible(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return done + visible(text.slice(from));
}
