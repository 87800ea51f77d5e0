/**
 * Takes secrets out of what Unjam itself writes: its lines, the journal, `host.log`, the Event Log, and the name that a
 * script gets from its command line. By form, so it finds what is named or shaped as a secret and nothing else; what a
 * script prints, and the command in `spec.json`, stay as they are. Pure.
 */

const hidden = '[hidden]';

const names =
  'pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|authorization|(?:api|access|account|private|shared|signing)[-_ ]?key|connection[-_]?string';
const value = `"[^"]*"|'[^']*'|[^\\s;&,"']+`;

/** `password=x`, `"token": "x"`, `ApiKey:x`; also at the end of a longer word: `DB_PASSWORD=x`, `client-secret=x`. */
const assigned = new RegExp(`((?:${names})[\\w.-]{0,40}["']?\\s{0,3}[=:]\\s{0,3})(?:${value})`, 'gi');
/** `--password x`, `-Token x`, `/pwd x`; not when another option follows. */
const option = new RegExp(`((?:^|\\s)(?:--?|/)[\\w-]{0,40}?(?:${names})[\\w-]{0,40}\\s{1,3})(?!-)(?:${value})`, 'gi');
const optionWord = new RegExp(`^(?:--?|/)[\\w-]{0,40}?(?:${names})[\\w-]{0,40}$`, 'i');
const shapes: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  [/(\w:\/\/[^\s:/@]{0,200}):[^\s@/]{1,500}@/g, `$1:${hidden}@`], // https://user:password@host
  [/([?&]sig)=[^\s&]+/gi, `$1=${hidden}`], // shared access signatures
  [
    /\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAPI-[A-Z0-9]{20,}\b/g,
    hidden,
  ],
  [/\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]+)?/g, hidden], // JSON web tokens
];

export function redact(text: string): string {
  const named = text.replace(option, `$1${hidden}`).replace(assigned, `$1${hidden}`);
  return shapes.reduce((done, [shape, instead]) => done.replace(shape, instead), named);
}

/** The words of a command: the one behind `--password` goes as a whole, whatever is in it. */
export function redactWords(words: readonly string[]): string[] {
  return words.map((word, i) => {
    const before = words[i - 1];
    return before !== undefined && optionWord.test(before) && !word.startsWith('-') ? hidden : redact(word);
  });
}
