/** Where things live on each platform: the state directory and the host's address. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/**
 * `UNJAM_HOME`; else `%ProgramData%\Unjam` where it exists (installed per machine) or `%LOCALAPPDATA%\Unjam`;
 * else `$XDG_STATE_HOME/unjam` (default `~/.local/state/unjam`).
 */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment['UNJAM_HOME']) return resolve(environment['UNJAM_HOME']);
  if (process.platform === 'win32') {
    const machine = join(environment['ProgramData'] ?? 'C:\\ProgramData', 'Unjam');
    if (existsSync(machine)) return machine;
    return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Unjam');
  }
  return join(environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'unjam');
}

/** Address of the host of a state directory: a Unix socket inside it, or a named pipe. */
export function hostAddress(directory: string): string {
  const hash = createHash('sha256').update(directory.toLowerCase()).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\unjam-${hash}`;
  const path = join(directory, 'host.sock');
  // sun_path holds 108 bytes with its NUL (unix(7)); a longer one goes to a short, private folder.
  return Buffer.byteLength(path) < 104 ? path : join(tmpdir(), `unjam-${process.getuid?.() ?? 0}-${hash}`, 'host.sock');
}

/** The folder that must exist with mode 0700 before the host listens; null for a pipe. */
export function addressFolder(address: string): string | null {
  return address.startsWith('\\\\') ? null : dirname(address);
}
