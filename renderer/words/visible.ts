/**
 * Makes characters visible that would let a name or an output line lie about itself: bidirectional controls turn
 * the reading order around (CVE-2021-42574), others take no room at all.
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

/** Everything that must not reach the page as it is; tab is harmless. */
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
