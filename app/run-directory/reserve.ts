/**
 * Space that is kept back on the disk of the state directory, so that an operator can still abandon a script when a
 * log has filled the disk: on ENOSPC the reserve is given up and the write repeated.
 */
import { closeSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryUnlink } from './atomic-file.ts';

const bytes = 131_072;

export class Reserve {
  readonly #path: string;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, 'reserve');
  }

  /** Makes the reserve when there is none and the disk has room. */
  keep(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.size === bytes) return;
    const temporary = `${this.#path}.tmp`;
    try {
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
      return act();
    }
  };
}
