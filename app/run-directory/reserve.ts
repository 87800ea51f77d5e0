/**
 * Space that is kept back on the disk of the state directory, so that an operator can still end or abandon a script when
 * a log has filled the disk, or so many files that no other can be made: on ENOSPC the reserve is given up and the write
 * repeated.
 */
import { closeSync, openSync, renameSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tryUnlink } from './atomic-file.ts';

const bytes = 131_072;
/** What an end writes: request, exit, verdict, the mutex, tree; each file is an inode. */
const files = 8;

export class Reserve {
  readonly #path: string;
  readonly #more: readonly string[];

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, 'reserve');
    this.#more = Array.from({ length: files - 1 }, (_, i) => `${this.#path}.${i + 1}`);
  }

  /** Makes the reserve when there is none and the disk has room: not again what was given up just now. */
  keep(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.size === bytes) return;
    const temporary = `${this.#path}.tmp`;
    try {
      const { bavail, bsize, files: inodes, ffree } = statfsSync(dirname(this.#path));
      if (bavail * bsize < 4 * bytes || (inodes > 0 && ffree < 4 * files)) return;
      for (const path of this.#more) writeFileSync(path, '', { mode: 0o600 });
      const file = openSync(temporary, 'w', 0o600);
      try {
        writeFileSync(file, Buffer.alloc(bytes)); // written, not only sized: a hole keeps nothing back
      } finally {
        closeSync(file);
      }
      renameSync(temporary, this.#path);
    } catch {
      tryUnlink(temporary); // no room: the next look tries again
    }
  }

  /** Carries out `act`; when the disk is full, gives up the reserve and tries once more. */
  readonly spend = async <T>(act: () => T | Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOSPC' && code !== 'EDQUOT') || !tryUnlink(this.#path)) throw error;
      for (const path of this.#more) tryUnlink(path);
      return act();
    }
  };
}
