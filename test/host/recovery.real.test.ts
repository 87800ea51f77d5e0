import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunnerRecord } from '../../app/domain/script.ts';
import { World } from '../support/world.ts';

const runnerPid = (world: World, ticket: string): number =>
  (JSON.parse(readFileSync(join(world.home, 'runs', ticket, 'runner.json'), 'utf8')) as RunnerRecord).runner.pid;

/** Prints 20 lines, each when a file appears, then exits 7. */
const paced =
  'for i in $(seq 20); do echo line $i; sleep 0.02; done; while [ ! -e go ]; do sleep 0.02; done; echo end; exit 7';

test('the death of the host loses nothing: log, exit code, mutex and queue go on without it', async () => {
  await using world = await World.open();
  const { ticket } = await world.start(paced, { isolation: { level: 'full', mutex: 'web' } });
  const next = await world.start('echo next', { isolation: { level: 'full', mutex: 'web' } });
  await world.killHost();
  await world.cli('ps'); // a background host starts and re-adopts both
  world.connect();
  expect(await world.get(ticket)).toMatchObject({ state: 'running', holdsMutex: true, blocks: 1 });
  expect(await world.get(next.ticket)).toMatchObject({ state: 'queued', queuePosition: 1 });
  await world.cli('run', '--', 'touch', join(world.home, 'go'));
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
  expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
  const log = await world.log(ticket);
  for (let i = 1; i <= 20; i += 1) expect(log).toContain(`line ${i}\n`);
  expect(log).toContain('end\n');
  expect(log).toContain('W301 Recovered after restart');
});

test('scripts that end while no host lives keep their exit code, and the queue moves on by itself', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('while [ ! -e go ]; do sleep 0.02; done; exit 9', {
    isolation: { level: 'full', mutex: 'm' },
  });
  const next = await world.start('echo alone; exit 4', { isolation: { level: 'full', mutex: 'm' } });
  const runs = join(world.home, 'runs');
  await world.killHost();
  writeFileSync(join(world.home, 'go'), '');
  while (!existsSync(join(runs, next.ticket, 'tree.json'))) await new Promise((r) => setTimeout(r, 10));
  await world.startHost();
  expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 9 });
  expect(await world.get(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
});

test('a script whose runner was killed is shown as orphaned, can be force killed, and frees its mutex', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  const next = await world.start('echo ok', { isolation: { level: 'full', mutex: 'web' } });
  await world.untilLogged(ticket, 'copying');
  process.kill(runnerPid(world, ticket), 'SIGKILL');
  await world.until(ticket, (s) => s.state === 'orphaned');
  expect(await world.log(ticket)).toContain('W304 The runner of this script has died');
  expect((await world.client.call('locks.list', {}))[0]).toMatchObject({ holders: [{ ticket }] });
  await world.client.call('scripts.kill', { ticket });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed', exitCode: null });
  expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
});

test('a script that ends after its runner was killed is lost, never a success', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('echo up; while [ ! -e go ]; do sleep 0.02; done; exit 0');
  await world.untilLogged(ticket, 'up');
  process.kill(runnerPid(world, ticket), 'SIGKILL');
  await world.until(ticket, (s) => s.state === 'orphaned');
  writeFileSync(join(world.home, 'go'), '');
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'lost', exitCode: null, resultCode: -46 });
});

test('host and runner killed together: the script is found again, Abandon still releases its mutex', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  process.kill(runnerPid(world, ticket), 'SIGKILL');
  await world.restartHost();
  await world.until(ticket, (s) => s.state === 'orphaned');
  const next = await world.start('echo ok', { isolation: { level: 'full', mutex: 'web' } });
  expect(await world.client.call('scripts.abandon', { ticket })).toMatchObject({ verdict: 'abandoned' });
  expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
});

test('a waiter whose runner was killed leaves the queue; it was never started', async () => {
  await using world = await World.open();
  const hung = await world.startHung();
  const waiter = await world.start('echo never', { isolation: { level: 'full', mutex: 'web' } });
  process.kill(runnerPid(world, waiter.ticket), 'SIGKILL');
  expect(await world.untilFinal(waiter.ticket)).toMatchObject({ verdict: 'never-started' });
  expect((await world.client.call('locks.list', {}))[0]).toMatchObject({
    holders: [{ ticket: hung.ticket }],
    waiters: [],
  });
  expect(await world.log(waiter.ticket)).not.toContain('never\n');
});

test('a suspended runner does not keep Force Kill or Abandon from working', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  process.kill(runnerPid(world, ticket), 'SIGSTOP');
  await world.client.call('scripts.kill', { ticket });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
  process.kill(runnerPid(world, ticket), 'SIGCONT');
  expect(await world.client.call('locks.list', {})).toEqual([]);
});

test('a second host on the same state directory is refused, and does not disturb the first', async () => {
  await using world = await World.open();
  const second = await world.cli('serve');
  expect(second.status).toBe(1);
  expect(second.stderr).toMatch(/Another host \(PID \d+\) serves/);
  expect(await world.client.call('host.info', {})).toMatchObject({ pid: world.hostPid });
  expect(readdirSync(world.home)).toContain('host.sock');
});

test('a new host takes over from a running one; scripts and queue notice nothing', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  const next = await world.start('echo ok', { isolation: { level: 'full', mutex: 'web' } });
  const before = world.hostPid;
  await world.startHost({}, '--take-over');
  expect(world.hostPid).not.toBe(before);
  expect(await world.get(ticket)).toMatchObject({ state: 'running', blocks: 1 });
  await world.client.call('scripts.kill', { ticket });
  expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
});
