/** Finds a command's file the way the platform's shell would, before anything is started. */
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { delimiter, extname, isAbsolute, resolve } from 'node:path';

/** Absolute path of the executable, or null. A command with a separator is looked up from `cwd`, others on PATH. */
export function findExecutable(
  command: string,
  cwd: string,
  environment: Readonly<Record<string, string>>,
): string | null {
  const windows = process.platform === 'win32';
  const hasSeparator = command.includes('/') || (windows && command.includes('\\'));
  const folders =
    isAbsolute(command) || hasSeparator
      ? [cwd]
      : (variable(environment, 'PATH') ?? '').split(delimiter).filter((f) => f !== '');
  const endings = windows
    ? (variable(environment, 'PATHEXT') ?? '.COM;.EXE;.BAT;.CMD').split(';').map((e) => e.toLowerCase())
    : [''];
  for (const folder of folders) {
    const base = isAbsolute(command) ? command : resolve(cwd, folder, command);
    const candidates =
      windows && !endings.includes(extname(base).toLowerCase()) ? endings.map((e) => base + e) : [base];
    for (const candidate of candidates) if (isExecutable(candidate)) return candidate;
  }
  return null;
}

/** Windows variable names do not distinguish case. */
function variable(environment: Readonly<Record<string, string>>, name: string): string | undefined {
  const exact = environment[name];
  if (exact !== undefined || process.platform !== 'win32') return exact;
  const found = Object.keys(environment).find((k) => k.toUpperCase() === name);
  return found === undefined ? undefined : environment[found];
}

function isExecutable(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    return process.platform === 'win32' && isStoreAlias((error as NodeJS.ErrnoException).code, () => lstatSync(path));
  }
}

/**
 * `pwsh`, `python` and `winget` from the Store: reparse points that only CreateProcess follows. Asking for what stands
 * behind them is denied to everybody, themselves they are of no size. Pure but for `look`.
 */
export function isStoreAlias(
  code: string | undefined,
  look: () => { readonly size: number; isDirectory(): boolean },
): boolean {
  if (code === 'ENOENT' || code === 'ENOTDIR') return false;
  try {
    const itself = look();
    return itself.size === 0 && !itself.isDirectory();
  } catch {
    return false;
  }
}
