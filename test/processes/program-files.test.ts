import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProgramFiles } from '../../app/processes/program-files.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'unjam-program-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a program that is another one now, or gone, is named; the same one under a new inode is not', () => {
  const path = join(folder, 'runner.cjs');
  writeFileSync(path, 'one');
  const program = new ProgramFiles([path, join(folder, 'never there')]);
  expect(program.replaced()).toBeNull();

  utimesSync(path, 1, 1);
  expect(program.replaced()).toBeNull();
  writeFileSync(`${path}.new`, 'one');
  renameSync(`${path}.new`, path);
  expect(program.replaced()).toBeNull();

  writeFileSync(`${path}.new`, 'two');
  renameSync(`${path}.new`, path);
  expect(program.replaced()).toBe(`"${path}" was replaced`);
  rmSync(path);
  expect(program.replaced()).toBe(`"${path}" is gone`);
  writeFileSync(path, 'one');
  expect(program.replaced()).toBeNull();
});
