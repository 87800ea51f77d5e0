/** `unjam check-fence` where nothing can be told; with real holds see inherit-hold.real.test.ts and the tests of the fleet. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { checkFence } from '../../app/cli/check-fence.ts';

const home = mkdtempSync(join(tmpdir(), 'unjam-fence-'));
const inside = { UNJAM_MUTEX: 'web', UNJAM_FENCE: '3', UNJAM_RUN: 'a/b', UNJAM_HOME: home };
afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test.each(Object.keys(inside))('without %s it is not asked by a script that holds a mutex', async (field) => {
  await expect(checkFence({ ...inside, [field]: '' })).rejects.toMatchObject({ isUsage: true, field });
});

test.each(['0', '-1', '1.5', 'x', '1e3', '9'.repeat(16)])('%j is no fence', async (fence) => {
  const asked = checkFence({ ...inside, UNJAM_FENCE: fence });
  await expect(asked).rejects.toMatchObject({ isUsage: true, field: 'UNJAM_FENCE' });
});

test.each([
  [{}, 'Nothing is recorded of that mutex now.'],
  [{ UNJAM_MUTEX: 'web (fleet)' }, 'this host has not joined one.'],
  [{ UNJAM_HOME: join(home, 'gone') }, 'is missing, or is not to be read by this user.'],
])('with %j it exits with 177 and says why', async (changes, reason) => {
  let said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((said += String(text))));
  await checkFence({ ...inside, ...changes });
  expect(process.exitCode).toBe(177);
  expect(said).toContain(`(fence 3) is still this script's cannot be told. `);
  expect(said.trimEnd().endsWith(reason)).toBe(true);
});
