/** Bundles that lie in no run directory are removed as finished scripts are: too old, too many, too large. */
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sweep } from '../../app/evidence/keep.ts';
import { temporaryFolder } from '../support/fake-home.ts';

const now = Date.UTC(2026, 0, 15, 3, 0);
const hour = 3_600_000;
const plenty = { keepMs: 1_000 * hour, keepCount: 100, keepBytes: 1e9 };

/** A folder for each age in hours, each with one bundle of 100 bytes. */
function folders(...ages: readonly number[]): string {
  const root = temporaryFolder();
  for (const age of ages) {
    const folder = join(root, `o-${age}-1`);
    mkdirSync(folder);
    const file = join(folder, 'evidence-20260115-030000.zip');
    writeFileSync(file, 'x'.repeat(100));
    utimesSync(file, (now - age * hour) / 1_000, (now - age * hour) / 1_000);
  }
  return root;
}

test.each([
  ['too old', { keepMs: 2 * hour }, ['o-1-1', 'o-2-1']],
  ['too many', { keepCount: 1 }, ['o-1-1']],
  ['too large together', { keepBytes: 250 }, ['o-1-1', 'o-2-1']],
  ['too large, each of them: the newest one is kept', { keepBytes: 1 }, ['o-1-1']],
])('what is removed when they are %s', (_, keep, left) => {
  const root = folders(3, 1, 2, 9);
  sweep(root, { ...plenty, ...keep }, now);
  expect(readdirSync(root).toSorted()).toEqual(left);
});

test('a host that has saved none has no such folder, and makes none', () => {
  const root = join(temporaryFolder(), 'observed');
  sweep(root, plenty, now);
  expect(existsSync(root)).toBe(false);
});
