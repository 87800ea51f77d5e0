/** A host in place of a runner that died or is suspended: the same clocks, limits and clean-up, and nothing is claimed. */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as wreck from '../support/wreck.ts';
import { World } from '../support/world.ts';

const web = { isolation: { level: 'full', mutex: 'web' } } as const;
const stubborn = 'trap "" TERM INT; echo up; while :; do sleep 0.05; done';

async function withoutRunner(
  world: World,
  script: string,
  options: Parameters<World['start']>[1] = {},
): Promise<string> {
  const { ticket } = await world.start(script, { ...web, ...options });
  await world.untilLogged(ticket, 'up');
  await wreck.end(world, wreck.runnerOf(world, ticket));
  return ticket;
}

test('the overall limit of a script whose runner died still ends it, with the limit as the cause', async () => {
  await using world = await World.open();
  const ticket = await withoutRunner(world, stubborn, { timeoutMs: 6_000, graceMs: 100 });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'timed-out', timeout: 'overall' });
  expect(await world.log(ticket)).toMatch(/W304[^]*W231 Time limit reached[^]*W211 Force Kill by Unjam/);
});

test('the no-output limit of a script whose runner died still ends it', async () => {
  await using world = await World.open();
  const ticket = await withoutRunner(world, 'echo up; sleep 3600', { noOutputTimeoutMs: 5_000, graceMs: 100 });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'timed-out', timeout: 'no-output' });
});

test('its clean-up command runs in the environment of the script, before the mutex is released', async () => {
  await using world = await World.open();
  const ticket = await withoutRunner(world, stubborn, {
    environment: { PATH: process.env['PATH'] ?? '', SECRET_PLACE: 'here' },
    cleanup: {
      command: ['bash', '-c', 'echo "$SECRET_PLACE $UNJAM_VERDICT $UNJAM_TICKET" > cleaned'],
      timeoutMs: 20_000,
    },
  });
  await world.client.call('scripts.kill', { ticket });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
  expect(readFileSync(join(world.home, 'cleaned'), 'utf8')).toBe(`here killed ${ticket}\n`);
});

test('a Cancel that its runner had begun goes on: its grace ends, and Force Kill follows', async () => {
  await using world = await World.open();
  const { ticket } = await world.start(stubborn, web);
  await world.untilLogged(ticket, 'up');
  await world.client.call('scripts.cancel', { ticket, graceMs: 4_000, escalate: true });
  await wreck.end(world, wreck.runnerOf(world, ticket));
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'cancelled' });
});

test('a script that exits while its runner is suspended is not lost: its exit code comes when the runner goes on', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('echo up; while [ ! -e go ]; do sleep 0.02; done; exit 7', web);
  await world.untilLogged(ticket, 'up');
  const runner = wreck.runnerOf(world, ticket);
  process.kill(runner.pid, 'SIGSTOP');
  writeFileSync(join(world.home, 'go'), '');
  while (world.control.liveness(wreck.rootOf(world, ticket)) === 'alive') await new Promise((r) => setTimeout(r, 10));
  await world.client.call('scripts.kill', { ticket });
  expect(await world.get(ticket)).toMatchObject({ verdict: null });
  process.kill(runner.pid, 'SIGCONT');
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
  expect(await world.log(ticket)).not.toContain('W302');
});

test('a verb that reaches a script in its last moment is answered in its log, and no request is left lying', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('echo up; while [ ! -e go ]; do sleep 0.02; done', web);
  await world.untilLogged(ticket, 'up');
  const runner = wreck.runnerOf(world, ticket);
  process.kill(runner.pid, 'SIGSTOP');
  const asked = world.client.call('scripts.cancel', { ticket });
  while (readdirSync(wreck.runOf(world, ticket).requestsPath).length === 0) await new Promise((r) => setTimeout(r, 5));
  writeFileSync(join(world.home, 'go'), '');
  while (world.control.liveness(wreck.rootOf(world, ticket)) === 'alive') await new Promise((r) => setTimeout(r, 5));
  process.kill(runner.pid, 'SIGCONT');
  await asked;
  await world.untilFinal(ticket);
  expect(await world.log(ticket)).toMatch(/W20[16]/);
  expect(readdirSync(wreck.runOf(world, ticket).requestsPath)).toEqual([]);
});

test('what a finished script left running is ended by Force Kill, also beside its runner, and its verdict stays', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('setsid sleep 3600 & echo up; while [ ! -e go ]; do sleep 0.02; done', web);
  await world.untilLogged(ticket, 'up');
  const [name = ''] = readdirSync(join(world.home, 'mutexes'));
  const mutex = join(world.home, 'mutexes', name);
  renameSync(mutex, join(world.home, 'aside')); // its runner cannot give the mutex back, and stays
  writeFileSync(mutex, '');
  writeFileSync(join(world.home, 'go'), '');
  await world.untilFinal(ticket);
  const runner = wreck.runnerOf(world, ticket);
  const [left] = (await world.get(ticket)).processes;
  expect(world.control.liveness(runner)).toBe('alive');
  await world.client.call('scripts.kill', { ticket });
  await expect.poll(() => world.hostLog, { timeout: 50_000 }).toContain('I218');
  expect(world.control.liveness(runner)).toBe('alive');
  rmSync(mutex);
  renameSync(join(world.home, 'aside'), mutex);
  expect(await world.log(ticket)).toContain('I218');
  expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 0, processes: [] });
  expect(world.control.identify(left?.pid ?? 0)).toBeNull();
});
