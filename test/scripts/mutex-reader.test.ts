/** What cannot be read of the mutexes takes nothing from the rest of the list. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Mutexes } from '../../app/locks/index.ts';
import { MutexReader } from '../../app/scripts/mutex-reader.ts';
import { waiter } from '../support/fake-domain.ts';

let root: string;
let mutexes: Mutexes;
let said: string[];
let reader: MutexReader;

beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'unjam-test-')), 'mutexes');
  mutexes = new Mutexes(root, { liveness: () => 'alive', treeLiveness: () => 'alive' });
  said = [];
  reader = new MutexReader(mutexes, (line) => said.push(line));
});
afterEach(() => rmSync(join(root, '..'), { recursive: true }));

/** A file in place of a folder: nobody can read it as one, not even root. */
function breakFolder(folder: string): () => void {
  renameSync(folder, `${root}-aside`);
  writeFileSync(folder, '');
  return () => {
    rmSync(folder);
    renameSync(`${root}-aside`, folder);
  };
}

const take = (name: string) => mutexes.open(name).enqueue(waiter(`holder of ${name}`));

test('one mutex that cannot be read is a warning, once in the log, and the others are listed', async () => {
  await take('web');
  await take('db');
  const mend = breakFolder(mutexes.open('web').key);
  expect(reader.busy().map(({ state }) => state.name)).toEqual(['db']);
  reader.busy();
  expect(said).toEqual([expect.stringMatching(/^W396 A mutex cannot be read: .*ENOTDIR.* Look at the folder ".*web-/)]);
  expect(reader.warnings).toHaveLength(1);
  mend();
  expect(reader.busy()).toHaveLength(2);
  expect(reader.warnings).toEqual([]);
});

test('the folder of all mutexes that cannot be read is a warning too', async () => {
  await take('web');
  const mend = breakFolder(root);
  expect(reader.busy()).toEqual([]);
  expect(said).toEqual([expect.stringMatching(/^W396 The folder of the mutexes cannot be read: .*ENOTDIR/)]);
  mend();
  expect(reader.busy()).toHaveLength(1);
});
