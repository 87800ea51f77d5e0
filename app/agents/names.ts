/** Names of executables, and how a rule is tested against a process. */
import type { Match } from './recogniser.ts';

export const shells = ['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'cmd', 'powershell', 'pwsh'] as const;
/** Node names its main thread, and Linux shows that name. */
export const nodes = ['node', 'node*', 'mainthread'] as const;

/** TASK_COMM_LEN of Linux, without the final zero. */
const linuxNameMax = 15;

/** `Tentacle.exe` → `tentacle`. */
export const plainName = (name: string): string => name.toLowerCase().replace(/\.exe$/, '');

const tests = new WeakMap<readonly string[], (plain: string) => boolean>();

export function fitsName(names: readonly string[], plain: string): boolean {
  let test = tests.get(names);
  if (test === undefined) {
    const exact = new Set(names.filter((n) => !n.endsWith('*')).flatMap((n) => [n, n.slice(0, linuxNameMax)]));
    const begins = names.filter((n) => n.endsWith('*')).map((n) => n.slice(0, -1));
    test = (name) => exact.has(name) || begins.some((b) => name.startsWith(b));
    tests.set(names, test);
  }
  return test(plain);
}

/** Of a rule without its words. */
export const mayFit = (match: Match, plain: string): boolean =>
  (match.names === undefined || fitsName(match.names, plain)) &&
  (match.except === undefined || !fitsName(match.except, plain));

/** The named groups that were found; null when the words do not fit. */
export function fitsWords(match: Match, words: string): Readonly<Record<string, string>> | null {
  if (match.words === undefined) return {};
  const found = match.words.exec(words);
  if (found === null) return null;
  return Object.fromEntries(
    Object.entries(found.groups ?? {}).filter((e): e is [string, string] => e[1] !== undefined),
  );
}

/** Null when a field is not known. */
export function fillIn(template: string, fields: Readonly<Record<string, string>>): string | null {
  let complete = true;
  const text = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = fields[name];
    if (value === undefined || value === '') complete = false;
    return value ?? '';
  });
  return complete ? text : null;
}
