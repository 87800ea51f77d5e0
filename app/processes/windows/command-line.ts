/** From an argument list to the one command line that Windows knows, so that the program reads the same list again. */

import { InvalidInputError } from './errors.ts';

/** CreateProcessW takes 32,767 characters with the final zero, cmd.exe 8,191. */
const limits = { program: 32_766, batch: 8_191 } as const;

export function isBatchFile(file: string): boolean {
  // Windows ignores dots and spaces at the end of a name, so `a.bat. .` is a batch file as well (BatBadBut).
  return /\.(?:bat|cmd)$/i.test(file.replace(/[. ]+$/, ''));
}

/**
 * One argument by the rules of the C runtime: backslashes count only before a quotation mark
 * (https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments).
 */
export function quoteArgument(argument: string): string {
  if (argument.includes('\0')) throw new InvalidInputError('An argument contains a zero character.');
  if (argument !== '' && !/[\s"]/.test(argument)) return argument;
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

export function programCommandLine(file: string, args: readonly string[]): string {
  // The program's own name knows no escapes: it ends at the next quotation mark.
  if (/["\0]/.test(file)) throw new InvalidInputError(`"${file}" cannot be the name of a program.`);
  return within(limits.program, [`"${file}"`, ...args.map(quoteArgument)].join(' '));
}

/**
 * One argument for a batch file, which cmd.exe reads before the batch file does. Inside quotation marks only `"` and `%`
 * keep a meaning: the first is doubled, which the C runtime of a program behind `%*` reads as one; before the second
 * stands `%cd:~,%`, which is always empty, so that `%PATH%` stays text. Both as in Rust's standard library after
 * CVE-2024-24576. A line break ends the command whatever stands around it, so it is refused.
 */
export function quoteBatchArgument(argument: string): string {
  if (/[\0\r\n]/.test(argument))
    throw new InvalidInputError('An argument for a batch file cannot contain a line break or a zero character.');
  const plain = /^[\w#$*+\-./:?@\\\u00a1-\uffff]+$/.test(argument) && !argument.endsWith('\\');
  if (plain) return argument;
  const doubled = argument.replace(/(\\*)"/g, '$1$1""').replace(/(\\+)$/, '$1$1');
  return `"${keepPercent(doubled)}"`;
}

const keepPercent = (text: string): string => text.replaceAll('%', '%%cd:~,%');

/**
 * `cmd.exe /d /s /c ""file" args"`: no AutoRun, exactly the outer quotation marks are removed; extensions on for
 * `%cd:~,%`, delayed expansion off, so that `!` stays text whatever the registry says.
 */
export function batchCommandLine(shell: string, file: string, args: readonly string[]): string {
  if (/["\0\r\n]/.test(file)) throw new InvalidInputError(`"${file}" cannot be the name of a batch file.`);
  const inner = [`"${keepPercent(file)}"`, ...args.map(quoteBatchArgument)].join(' ');
  return within(limits.batch, `"${shell}" /e:on /v:off /d /s /c "${inner}"`);
}

function within(limit: number, line: string): string {
  if (line.length > limit)
    throw new InvalidInputError(`The command line has ${line.length} characters; Windows takes ${limit}.`);
  return line;
}
