/**
 * Takes secrets out of what Unjam itself writes: its lines, the journal, `host.log`, the Event Log, and the name that a
 * script gets from its command line. By form, so it finds what is named or shaped as a secret and nothing else, and by value
 * what a start has named (`--mask-env`); what a script prints, and the command in `spec.json`, stay as they are. Pure but
 * for those values, which this process keeps in memory.
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

/** A shorter value would hide parts of every other line. */
export const maskedMin = 4;
const maskedRunsMax = 1_000;
/** Values by run id: of whichever script a line tells, they are hidden. */
const masked = new Map<string, readonly string[]>();

/** From now on this process hides the values that `names` have in `environment`, also single lines of them. */
export function maskValues(
  runId: string,
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const values = names.flatMap((name) => [environment[name] ?? '', ...(environment[name] ?? '').split(/\r?\n/)]);
  const long = [...new Set(values)].filter((value) => value.length >= maskedMin);
  if (long.length === 0) return;
  masked.set(runId, long);
  const [oldest] = masked.keys();
  if (masked.size > maskedRunsMax && oldest !== undefined) masked.delete(oldest);
}

/** The masked values alone; for what is shown as it is otherwise. */
export function mask(text: string): string {
  const present = [...masked.values()].flat().filter((value) => text.includes(value));
  return present.sort((a, b) => b.length - a.length).reduce((rest, value) => rest.replaceAll(value, hidden), text);
}

export function redact(text: string): string {
  const named = mask(text).replace(option, `$1${hidden}`).replace(assigned, `$1${hidden}`);
  return shapes.reduce((done, [shape, instead]) => done.replace(shape, instead), named);
}

/** The words of a command: the one behind `--password` goes as a whole, whatever is in it. */
export function redactWords(words: readonly string[]): string[] {
  return words.map((word, i) => {
    const before = words[i - 1];
    return before !== undefined && optionWord.test(before) && !word.startsWith('-') ? hidden : redact(word);
  });
}
