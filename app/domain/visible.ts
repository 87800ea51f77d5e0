/**
 * Makes text harmless before a person reads it. Control characters would move the cursor, forge a line or break a table;
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

/** Everything that must not be shown as it is; a tab is harmless on a page. */
/* eslint-disable no-control-regex -- control characters are what this looks for */
export const unsafeCharacter =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060\u2066-\u2069\ufeff]/;
/* eslint-enable no-control-regex */
const everyUnsafe = new RegExp(unsafeCharacter, 'g');

export function nameOfUnsafe(character: string): string {
  const code = character.charCodeAt(0);
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
