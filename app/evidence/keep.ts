/** What is kept of bundles that lie in no run directory: as much, and as long, as of finished scripts. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Keep {
  /** From its newest bundle, ms. */
  readonly keepMs: number;
  /** Folders. */
  readonly keepCount: number;
  /** All folders together, bytes; the newest one is kept, however large it is. */
  readonly keepBytes: number;
}

/** Removes the folders below `root` that are beyond `keep`. @throws the error of the file system */
export function sweep(root: string, keep: Keep, now: number): void {
  if (!existsSync(root)) return;
  const folders = readdirSync(root)
    .map((name) => measured(join(root, name)))
    .sort((a, b) => b.newestAt - a.newestAt);
  let bytes = 0;
  for (const [i, folder] of folders.entries()) {
    bytes += folder.bytes;
    const isTooOld = now - folder.newestAt > keep.keepMs;
    if (isTooOld || i >= keep.keepCount || (i > 0 && bytes > keep.keepBytes))
      rmSync(folder.path, { recursive: true, force: true });
  }
}

function measured(path: string): { readonly path: string; readonly newestAt: number; readonly bytes: number } {
  const files = readdirSync(path).map((name) => statSync(join(path, name)));
  return {
    path,
    newestAt: Math.max(...files.map(({ mtimeMs }) => mtimeMs), files.length === 0 ? statSync(path).mtimeMs : 0),
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}
