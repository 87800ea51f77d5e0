/** Where things live on each platform: the state directory and the host's address. */
import { createHash, randomBytes } from 'node:crypto';
import { opendirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve, win32 } from 'node:path';

/**
 * `UNJAM_HOME`; else on Windows `%ProgramData%\Unjam` for SYSTEM and elevated administrators of a machine that Unjam is
 * installed on, and `%LOCALAPPDATA%\Unjam` for everybody else; else `$XDG_STATE_HOME/unjam` (default
 * `~/.local/state/unjam`).
 */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment['UNJAM_HOME']) return resolve(environment['UNJAM_HOME']);
  if (process.platform === 'win32') return windowsStateDirectory(environment, process.execPath, isClosed);
  const state = environment['XDG_STATE_HOME'] ?? '';
  // A relative one is invalid and to be ignored (XDG Base Directory Specification).
  return join(isAbsolute(state) ? state : join(home(environment), '.local', 'state'), 'unjam');
}

/** Always absolute, so that the host and every command mean the same place; `/` for a uid that has no home at all. */
export function home(environment: NodeJS.ProcessEnv = process.env): string {
  const named = process.platform === 'win32' ? homedir() : (environment['HOME'] ?? '');
  if (isAbsolute(named)) return named;
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

/** Where `program` keeps its state; `closed` says whether the caller may not look into a folder. Pure but for that. */
export function windowsStateDirectory(
  environment: NodeJS.ProcessEnv,
  program: string,
  closed: (folder: string) => boolean,
): string {
  const machines = machineFolder(environment, program);
  // The installer closes it to everybody but SYSTEM and administrators: it cannot be the place of anybody else's host.
  if (machines !== null && !closed(machines)) return machines;
  return win32.join(environment['LOCALAPPDATA'] ?? win32.join(homedir(), 'AppData', 'Local'), 'Unjam');
}

/** Where SYSTEM and elevated administrators have their host; null when `program` is not installed for the machine. */
export function machineFolder(environment: NodeJS.ProcessEnv, program: string): string | null {
  return isInstalled(environment, program)
    ? win32.join(environment['ProgramData'] ?? 'C:\\ProgramData', 'Unjam')
    : null;
}

/** On Windows only opening a folder tells: access(2) looks at no access list there. */
export function isClosed(folder: string): boolean {
  try {
    opendirSync(folder).closeSync();
    return false;
  } catch (error) {
    return ['EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

/**
 * True when this program's runtime lies where only an administrator can put it. That a folder exists in ProgramData
 * says nothing: every user may make one there.
 */
function isInstalled(environment: NodeJS.ProcessEnv, program: string): boolean {
  const here = program.toLowerCase();
  return ['ProgramFiles', 'ProgramW6432', 'CommonProgramFiles', 'CommonProgramW6432'].some((name) => {
    const folder = environment[name];
    return folder !== undefined && folder !== '' && here.startsWith(`${folder.toLowerCase()}\\`);
  });
}

export const isWindows = process.platform === 'win32';

/** Whether there is a screen to open a window on. */
export const hasDesktop = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  isWindows || Boolean(environment['DISPLAY'] || environment['WAYLAND_DISPLAY']);

/** The console's port of a state directory: the same each time, so that a tunnel to it can be kept. */
export function consolePort(directory: string): number {
  const hash = createHash('sha256').update(directory.toLowerCase()).digest();
  return 20_000 + (hash.readUInt16BE(0) % 10_000); // below the ports that Linux and Windows give out by themselves
}

/** Address of the host of a state directory: a Unix socket inside it, or a named pipe. */
export function hostAddress(directory: string): string {
  // On Linux two names that differ in case are two places.
  const hash = createHash('sha256')
    .update(isWindows ? directory.toLowerCase() : directory)
    .digest('hex')
    .slice(0, 24);
  // A name that can be foretold can be taken first; clients read it from host.json.
  if (process.platform === 'win32') return `\\\\.\\pipe\\unjam-${hash}-${randomBytes(8).toString('hex')}`;
  const path = join(directory, 'host.sock');
  // sun_path holds 108 bytes with its NUL (unix(7)); a longer one goes to a short, private folder.
  if (Buffer.byteLength(path) < 104) return path;
  const own = process.env['XDG_RUNTIME_DIR'];
  const short = join(own || tmpdir(), own ? `unjam-${hash}` : `unjam-${process.getuid?.() ?? 0}-${hash}`, 'host.sock');
  return Buffer.byteLength(short) < 104 ? short : join('/tmp', `unjam-${process.getuid?.() ?? 0}-${hash}`, 'host.sock');
}

/** The folder that must exist with mode 0700 before the host listens; null for a pipe. */
export function addressFolder(address: string): string | null {
  return address.startsWith('\\\\') ? null : dirname(address);
}
