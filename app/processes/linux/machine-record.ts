/** The record of the machine's host: a file of root's in a folder of root's. */
import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { checkFolder } from './closed-folder.ts';

const root = 0;

export function readMachineRecord(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  try {
    const folder = checkFolder(dirname(path), [root]);
    if (typeof folder === 'string') throw new Error(`"${dirname(path)}" is not believed: ${folder}`);
    const { uid, mode } = fstatSync(file);
    if (uid !== root || (mode & 0o022) !== 0)
      throw new Error(`"${path}" is not believed: others than root can write it`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

export function writeMachineRecord(path: string, text: string | null): void {
  if (text === null) {
    rmSync(path, { force: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'wx', 0o644);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chmodSync(temporary, 0o644); // everybody reads it, whatever the umask
  renameSync(temporary, path);
}
