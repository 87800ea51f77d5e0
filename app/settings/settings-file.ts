/** The person's own `settings.json`: read once, replaced as a whole. What it does not understand it keeps. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';

export type FileContent =
  | { readonly kind: 'values'; readonly raw: Readonly<Record<string, unknown>> }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly why: string };

export function readSettingsFile(path: string): FileContent {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'damaged', why: (error as Error).message };
  }
  try {
    // Editors on Windows like to begin a file with a byte order mark.
    const raw: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
      return { kind: 'damaged', why: 'it is not an object' };
    return { kind: 'values', raw: raw as Record<string, unknown> };
  } catch (error) {
    return { kind: 'damaged', why: (error as Error).message };
  }
}

/** A reader sees the old values or the new ones, also after a power cut. @throws the file system's error */
export function writeSettingsFile(path: string, raw: Readonly<Record<string, unknown>>): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, `${JSON.stringify(raw, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    replace(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Returns where a damaged file went. */
export function setAside(path: string): string {
  const aside = `${path}.damaged-${Date.now()}`;
  renameSync(path, aside);
  return aside;
}

/** On Windows a scanner that has the file open makes the rename fail for a moment. */
function replace(from: string, to: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (attempt === 10 || !['EPERM', 'EACCES', 'EBUSY'].includes(code)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/** Null when only an administrator can have written the file; else why it is not believed (POSIX). */
export function distrust(path: string): string | null {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return null;
  if (status.uid !== 0) return 'it does not belong to root';
  return (status.mode & 0o022) !== 0 ? 'others than root can write it' : null;
}
