/**
 * Repeats what the disk refuses (full, read-only, out of descriptors) until it is done: what a script's end needs is
 * not given up while its runner lives.
 */
import { setTimeout as delay } from 'node:timers/promises';

const firstWaitMs = 50;
const longestWaitMs = 1_000;

/**
 * `mend` is called when the folder is gone; what it throws ends the repetition.
 * @throws what no waiting can mend: the folder is gone, or an error that is not the file system's.
 */
export async function lasting<T>(act: () => T | Promise<T>, mend?: () => Promise<unknown>): Promise<T> {
  for (let wait = firstWaitMs; ; wait = Math.min(wait * 2, longestWaitMs)) {
    try {
      return await act();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined || (code === 'ENOENT' && !mend)) throw error;
      if (code === 'ENOENT') await mend?.();
      await delay(wait);
    }
  }
}
