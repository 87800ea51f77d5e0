/** A host that cannot open leaves nothing behind, however often it tries. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openApplication } from '../../app/host/application.ts';
import { openProcessControl } from '../../app/processes/index.ts';

test('every failed try closes what it had opened: no runner waits, no timer ticks, and the next try may succeed', async () => {
  const home = mkdtempSync(join(tmpdir(), 'unjam-open-'));
  const control = await openProcessControl();
  const runners = (): number => control.snapshot().filter((p) => p.parentPid === process.pid && p.state !== 'zombie').length; // prettier-ignore
  const timers = (): number => process.getActiveResourcesInfo().filter((r) => r === 'Timeout').length;
  const runner = { file: process.execPath, args: [join(import.meta.dirname, '../../dist/runner.cjs')] };
  mkdirSync(join(home, 'host.json', 'in-the-way'), { recursive: true });
  const before = { runners: runners(), timers: timers() };
  for (let i = 0; i < 3; i += 1)
    await expect(openApplication({ stateDirectory: home, runner, log: () => undefined })).rejects.toThrow();
  await expect.poll(runners, { timeout: 20_000 }).toBe(before.runners);
  expect(timers()).toBeLessThanOrEqual(before.timers);
  rmSync(join(home, 'host.json'), { recursive: true });
  const application = await openApplication({ stateDirectory: home, runner, log: () => undefined });
  expect(application.role).toBe('host');
  await application.close();
  control.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});
