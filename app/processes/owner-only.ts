/** Closes what Unjam keeps to other users of the machine, and refuses what others could have written. */

import { accessSync, constants, statSync } from 'node:fs';
import { systemProblem } from '../domain/system-errors.ts';
import type { Closing } from './closing.ts';
import { isClosed } from './places.ts';

/** Before the folder is made: why somebody else decides what is found at that path, or null. */
export async function wayProblem(directory: string): Promise<string | null> {
  if (process.platform === 'win32') return null;
  return (await import('./linux/closed-folder.ts')).checkWayTo(directory, process.getuid?.() ?? 0);
}

/** The state directory, with everything below it; it must exist. */
export async function closeFolderToOthers(directory: string): Promise<Closing> {
  if (process.platform === 'win32') return (await import('./windows/owner-only.ts')).closeFolder(directory);
  const { closeFolder } = await import('./linux/closed-folder.ts');
  const closed = closeFolder(directory, process.getuid?.() ?? 0);
  if (typeof closed === 'string') return { refused: closed, said: null };
  const mode = closed.tightenedFrom;
  const said = `The state directory could be read by others (mode 0${mode?.toString(8)}); it has mode 0700 now.`;
  return { refused: null, said: mode === null ? null : said };
}

/**
 * For somebody who only reads what lies there: why it is not to be believed, or null. It may belong to the caller, to
 * root, or to the user whose folder was asked for by name. `closed`: the caller may not look into it.
 */
export async function folderProblem(directory: string): Promise<string | null> {
  let owner: number;
  try {
    const status = statSync(directory);
    if (!status.isDirectory()) return 'it is no folder';
    owner = status.uid;
    if (isClosed(directory)) return 'closed';
    accessSync(directory, constants.X_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['EACCES', 'EPERM'].includes(code)) return 'closed';
    return ['ENOENT', 'ENOTDIR'].includes(code) ? 'absent' : (systemProblem(error)?.text ?? code);
  }
  if (process.platform === 'win32') return null;
  const { checkFolder } = await import('./linux/closed-folder.ts');
  const checked = checkFolder(directory, [process.getuid?.() ?? 0, 0, owner]);
  return typeof checked === 'string' ? checked : null;
}

/**
 * Of the folder that a socket is made in, which may have been there before us under a name that can be foretold: why it
 * is not to be used, or null. One for everybody may be looked into; nobody else may write either.
 */
export async function socketFolderProblem(folder: string, isForEverybody: boolean): Promise<string | null> {
  if (process.platform === 'win32') return null;
  const { checkFolder, closeFolder } = await import('./linux/closed-folder.ts');
  const own = process.getuid?.() ?? 0;
  const checked = isForEverybody ? checkFolder(folder, [own]) : closeFolder(folder, own);
  return typeof checked === 'string' ? checked : null;
}

/** Id of the user that a folder belongs to; null when the system does not tell. */
export async function folderOwner(directory: string): Promise<string | null> {
  if (process.platform === 'win32') return (await import('./windows/owner-only.ts')).folderOwner(directory);
  try {
    return `uid:${statSync(directory).uid}`;
  } catch {
    return null; // none there, or no way to it
  }
}

/** The host's door, once it listens; `accounts` are ids of those who have a role besides its owners. */
export async function closeAddressToOthers(address: string, accounts: readonly string[]): Promise<string | null> {
  return process.platform === 'win32'
    ? (await import('./windows/owner-only.ts')).restrictPipe(address, accounts)
    : null;
}
