/** What the disk refuses, told so that somebody can do something about it. */
import { lstatSync, mkdirSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type SystemProblem, systemProblem } from '../domain/system-errors.ts';

/** Why `path` could not be made or written. */
export function diskProblem(error: unknown, path: string): SystemProblem {
  const problem = systemProblem(error, inodesLeft(path));
  return problem ?? { text: error instanceof Error ? error.message : String(error), next: 'Correct it.' };
}

/** Of the file system that `path`, which may not exist yet, would lie on; undefined where it has no such number. */
function inodesLeft(path: string): number | undefined {
  try {
    const { files, ffree } = statfsSync(path);
    return files === 0 ? undefined : ffree;
  } catch {
    return dirname(path) === path ? undefined : inodesLeft(dirname(path));
  }
}

/**
 * Makes a folder and those above it, for its owner alone. Not mkdir's own recursion: where a file system refuses every
 * new name with ENOENT (proc(5)) that never ends.
 * @throws the file system's error, or one that names a link which leads nowhere
 */
export function makeFolder(path: string): void {
  for (let tries = 1; ; tries += 1)
    try {
      mkdirSync(path, { mode: 0o700 });
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && tries === 1 && dirname(path) !== path) {
        makeFolder(dirname(path));
        continue;
      }
      if (isFolder(path)) return; // also where a file system answers EROFS or EACCES before it looks
      if (code === 'EEXIST' && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
        throw new Error(`it is a link to "${readlinkSync(path)}", which does not exist or is no folder`);
      if (code === 'ENOENT' && isFolder(dirname(path))) throw new Error(`no folder can be made in "${dirname(path)}"`);
      throw error;
    }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
