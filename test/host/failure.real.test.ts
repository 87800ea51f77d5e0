/** A host that meets an error which nobody expected says what it was and ends in order; its scripts keep running. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

test('an unexpected error ends the host with its name in the log and status 1, and no script with it', async () => {
  await using world = await World.empty();
  const fault = join(world.home, 'fault.mjs');
  writeFileSync(fault, `process.once('SIGUSR2', () => { throw new Error('a bolt from the blue'); });`);
  const host = spawn(process.execPath, ['--import', fault, world.program, 'serve'], {
    env: { ...process.env, UNJAM_HOME: world.home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => host.once('exit', resolve));
  let said = '';
  host.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await new Promise((resolve) => host.stdout.once('data', resolve));
  world.connect();
  const { ticket } = await world.start('sleep 3600');
  await world.until(ticket, (s) => s.state === 'running');

  host.kill('SIGUSR2');
  expect(await ended).toBe(1);
  expect(said).toContain('W399 The host failed and ends: Error: a bolt from the blue');

  await world.startHost();
  expect((await world.client.call('scripts.get', { ticket })).state).toBe('running');
});
