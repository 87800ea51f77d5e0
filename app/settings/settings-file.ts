/** Reads a file of settings. */
import { readFileSync, renameSync, statSync } from 'node:fs';

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

/** Returns where a damaged file went. */
export function setAside(path: string): string {
  const aside = `${path}.damaged-${Date.now()}`;
  renameSync(path, aside);
  return aside;
}

/** Null when only an administrator can have written the file; else why it is not believed (POSIX). */
export function distrust(path: string): string | null {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return null;
  if (status.uid !== 0) return 'it does not belong to root';
  return (status.mode & 0o022) !== 0 ? 'others than root can write it' : null;
}
