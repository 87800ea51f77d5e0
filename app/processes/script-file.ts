/** Why the kernel would not run a file that is executable: told before anything starts, because a shell says only "not found". */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { delimiter, isAbsolute } from 'node:path';
import type { LaunchProblem } from './launch-problem.ts';

/** BINPRM_BUF_SIZE: so much of a file the kernel looks at. */
const headBytes = 256;
/** MAX_ARG_STRLEN less its zero: one argument or variable (execve(2)). */
const longestWord = 131_071;

/** Null when nothing is wrong; always on Windows, which knows no interpreter line. */
export function scriptFileProblem(file: string, path = ''): LaunchProblem | null {
  if (process.platform === 'win32') return null;
  const line = firstLine(file);
  if (line === null || !line.startsWith('#!')) return null;
  const [interpreter = '', ...args] = line
    .slice(2)
    .trim()
    .split(/[ \t]+/);
  const isWindowsText = line.endsWith('\r');
  // Interpreters may pass over the carriage return behind their own options; nobody does in a name.
  const isEnv = /(^|\/)env$/.test(interpreter) && args.length === 1;
  if (isWindowsText && (args.length === 0 || isEnv))
    return {
      message: `"${file}" has Windows line ends: its first line asks for the interpreter "${args[0] ?? interpreter}" followed by a carriage return, which does not exist.`,
      next: `Save it with Unix line ends (sed -i 's/\\r$//' FILE); nothing was started.`,
    };
  if (interpreter !== '' && !isExecutable(interpreter))
    return {
      message: `The interpreter "${interpreter}" in the first line of "${file}" does not exist, or is not executable.`,
      next: 'Install it, or correct that line; nothing was started.',
    };
  const [program = ''] = args;
  if (isEnv && !program.includes('/') && !path.split(delimiter).some((folder) => isExecutable(`${folder}/${program}`)))
    return {
      message: `The interpreter "${program}" in the first line of "${file}" is not on the PATH.`,
      next: 'Install it, or correct PATH or that line; nothing was started.',
    };
  return null;
}

/** What the kernel takes of each argument and variable. Null when nothing is too long; Windows has other bounds. */
export function wordProblem(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): LaunchProblem | null {
  if (process.platform === 'win32') return null;
  const next = 'Hand it over in a file or through standard input; nothing was started.';
  const at = args.findIndex((arg) => Buffer.byteLength(arg) > longestWord);
  if (at >= 0) {
    const bytes = Buffer.byteLength(args[at] ?? '');
    return { message: `Argument ${at} has ${bytes} bytes; Linux takes up to ${longestWord} in one.`, next };
  }
  for (const [name, value] of Object.entries(environment)) {
    const bytes = Buffer.byteLength(`${name}=${value}`);
    if (bytes > longestWord)
      return {
        message: `The variable ${name} has ${bytes} bytes with its name; Linux takes up to ${longestWord} in one.`,
        next,
      };
  }
  return null;
}

/** Null when it may not be read, which does not keep the kernel from running it. Without its line feed. */
function firstLine(file: string): string | null {
  try {
    const head = Buffer.alloc(headBytes);
    const opened = openSync(file, 'r');
    try {
      const text = head.toString('latin1', 0, readSync(opened, head));
      return text.split('\n', 1)[0] ?? null;
    } finally {
      closeSync(opened);
    }
  } catch {
    return null;
  }
}

function isExecutable(path: string): boolean {
  if (!isAbsolute(path)) return true; // from the script's own folder: not looked up here
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
