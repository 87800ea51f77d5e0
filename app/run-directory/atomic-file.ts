/** Small JSON files that appear complete or not at all, and never change afterwards. */
import {
  closeSync,
  fsync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomHex } from '../domain/random.ts';

const syncFile = (file: number): Promise<void> =>
  new Promise((resolve, reject) => fsync(file, (error) => (error ? reject(error) : resolve())));

export type Durability = 'synced' | 'unsynced';

/** A file that was torn (bad disk, power cut) cannot be replaced without a race; its successors stand beside it. */
const successors = 8;

/**
 * Creates `path` with `value` unless it exists. Returns false when somebody was first.
 * `synced` survives a power cut; what only living processes need is written `unsynced`. File and name are synced after
 * both are there: the second call then finds its work done by the first. Until it returns, a power cut may leave a torn
 * file, which counts as absent.
 * @throws the file system's error, for instance ENOSPC or EROFS; nothing is left behind then.
 */
export function createOnce(path: string, value: unknown, durability: Durability): boolean {
  const made = make(path, value);
  if (made === null) return false;
  try {
    if (durability === 'synced') {
      fsyncSync(made.file);
      syncFolder(dirname(path));
    }
    return true;
  } catch (error) {
    tryUnlink(made.name);
    throw error;
  } finally {
    closeSync(made.file);
  }
}

/** As `createOnce`, synced; meanwhile the event loop goes on, and what others sync at that time costs one wait. */
export async function createOnceInBackground(path: string, value: unknown): Promise<boolean> {
  const made = make(path, value);
  if (made === null) return false;
  try {
    await Promise.all([syncFile(made.file), syncFolderInBackground(dirname(path))]);
    return true;
  } catch (error) {
    tryUnlink(made.name);
    throw error;
  } finally {
    closeSync(made.file);
  }
}

/** The new file, still open; null when somebody was first. */
function make(path: string, value: unknown): { readonly name: string; readonly file: number } | null {
  const temporary = `${path}.${process.pid}.${randomHex(8)}.tmp`;
  const file = openSync(temporary, 'wx', 0o600);
  let name: string | null = null;
  try {
    // Not writeSync: on a disk that is almost full that writes a part, and says so only by a number.
    writeFileSync(file, JSON.stringify(value));
    for (const candidate of namesOf(path))
      if (linkedOnce(temporary, candidate)) {
        name = candidate;
        break;
      } else if (readWhole(candidate) !== null) break;
  } finally {
    if (name === null) closeSync(file);
    // A scanner may hold it open on Windows: what was made stands all the same, and the sweep takes the rest.
    tryUnlink(temporary);
  }
  return name === null ? null : { name, file };
}

/** The value, or null when the file is absent, (after a power cut) torn, or not what `parse` takes. */
export function readOnce<T>(path: string, parse: (value: unknown) => T | null): T | null {
  for (const name of namesOf(path)) {
    const found = readWhole(name);
    if (found === 'absent') return null;
    const value = found === null ? null : parse(found.value);
    if (value !== null) return value;
  }
  return null;
}

/** True when the file exists and is no whole JSON. */
export const isTorn = (path: string): boolean => readWhole(path) === null;

function* namesOf(path: string): Generator<string> {
  yield path;
  for (let i = 1; i <= successors; i += 1) yield `${path}.again-${i}`;
}

/** Null when it is torn. */
function readWhole(path: string): { readonly value: unknown } | 'absent' | null {
  try {
    return { value: JSON.parse(readFileSync(path, 'utf8')) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    throw error;
  }
}

function linkedOnce(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A name survives a power cut only when its folder is synced too (fsync(2)); Windows has no such call. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The file stands; only its name may be lost by a power cut.
  }
}

async function syncFolderInBackground(path: string): Promise<void> {
  try {
    const folder = openSync(path, 'r');
    await syncFile(folder).finally(() => closeSync(folder));
  } catch {
    // As above.
  }
}

/** How long a rename is repeated while readers or a virus scanner have the target open, ms. */
const replaceWithinMs = 2_000;

/**
 * Replaces a small text file that others may be reading. Windows refuses a rename over an open file (EPERM, EACCES,
 * EBUSY): 216 of 300 were refused under two tight readers, so it is repeated.
 * @param durable a reader sees the old text or the new one also after a power cut
 * @throws the last error after two seconds; the old file is whole then.
 */
export async function replaceFile(path: string, text: string, durable = false): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomHex(8)}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600, flush: durable });
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
      tryUnlink(temporary);
      throw error;
    }
  }
}

/**
 * False when it is not there, or somebody has it open. For a `finally`, whose own error would hide the result;
 * `sweepTemporaries` takes what is left.
 */
export function tryUnlink(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Removes what writers that were killed between two steps have left in a folder: `<name>.<pid>.<random>.tmp`. */
export function sweepTemporaries(folder: string, isAlive: (pid: number) => boolean): void {
  for (const name of readdirSync(folder)) {
    const pid = /\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name)?.[1];
    // Somebody else may be faster, or have it open: the next look takes it.
    if (pid !== undefined && !isAlive(Number(pid))) tryUnlink(join(folder, name));
  }
}
