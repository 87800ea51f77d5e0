/** Runners and hosts that are killed before each single change that they make to a file: what is left can be read. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RunnerOrder } from '../../app/runner/order.ts';
import { specOf } from '../support/fake-domain.ts';
import { runOf } from '../support/wreck.ts';
import { root, World } from '../support/world.ts';

const preload = new URL('../locks/drivers/die-at.ts', import.meta.url).href;
const atOnce = 4;

/** A runner of its own for one script, as a host starts it; killed before its n-th change of a file. */
async function run(world: World, ticket: string, at: number, more: NodeJS.ProcessEnv = {}): Promise<void> {
  const directory = runOf(world, ticket);
  const spec = specOf(ticket, {
    command: ['sh', '-c', 'echo ran >> "$0"; exit 7', `${world.home}/ran-${ticket}`],
    file: '/bin/sh',
    cwd: world.home,
    isolation: { level: 'full', mutex: `m ${ticket}`, timeoutMs: null },
    createdAt: Date.now() - 61_000, // a host waits a minute for the runner of a young one
  });
  directory.create();
  directory.append('host', { type: 'note' });
  await directory.writeSpec(spec);
  const order: RunnerOrder = {
    runDirectory: directory.path,
    mutexRoot: join(world.home, 'mutexes'),
    environment: { PATH: process.env['PATH'] ?? '' },
    surroundings: { umask: 0o022, niceness: 0, limits: null, stdin: null },
    killDisabled: false,
  };
  const runner = spawn(process.execPath, ['--import', preload, join(root, 'dist/runner.cjs')], {
    env: { ...process.env, UNJAM_RUN: 'none', UNJAM_TEST_DIE_AT: String(at), ...more },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  runner.stdin.on('error', () => undefined); // it has been killed
  runner.stdin.write(`${JSON.stringify(order)}\n`);
  await once(runner, 'exit');
}

const ran = (world: World, ticket: string): number => {
  const path = join(world.home, `ran-${ticket}`);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0;
};
const litter = (path: string): string[] => readdirSync(path).filter((f) => f.endsWith('.tmp'));

describe.skipIf(process.platform === 'win32')('killed before any change of a file', () => {
  test(
    'a runner leaves what a host concludes from: one verdict, at most one run, a free mutex',
    { timeout: 180_000 },
    async () => {
      await using world = await World.empty();
      mkdirSync(join(world.home, 'runs'), { recursive: true });
      const list = join(world.home, 'calls');
      await run(world, 'whole', 0, { UNJAM_TEST_CALLS: list });
      const calls = readFileSync(list, 'utf8').trim().split('\n');
      expect(runOf(world, 'whole').readVerdict()).toMatchObject({ kind: 'exited', exitCode: 7 });
      expect(calls.filter((c) => c === 'linkSync').length).toBeGreaterThan(5);
      console.log(`a runner changes files ${calls.length} times`);
      const points = calls.map((call, i) => ({ ticket: `p${i + 1}`, at: i + 1, call }));
      for (let i = 0; i < points.length; i += atOnce)
        await Promise.all(points.slice(i, i + atOnce).map(({ ticket, at }) => run(world, ticket, at)));

      await world.startHost();
      for (const { ticket } of points) while ((await world.get(ticket)).state !== 'final') await delay(20);
      while ((await world.client.call('locks.list', {})).length > 0) await delay(20);
      const verdicts = new Map<string, string | null>();
      for (const { ticket, call } of points) {
        const seen = await world.get(ticket);
        const where = `killed before ${call}, ${ticket} of ${points.length}`;
        verdicts.set(ticket, seen.verdict);
        expect(['exited', 'lost', 'never-started'], where).toContain(seen.verdict);
        expect(ran(world, ticket), where).toBeLessThanOrEqual(1);
        if (seen.verdict === 'exited') expect([ran(world, ticket), seen.exitCode], where).toEqual([1, 7]);
        if (seen.verdict === 'never-started') expect(ran(world, ticket), where).toBe(0);
        expect((await world.client.call('logs.read', { ticket })).complete, where).toBe(true);
        expect(litter(runOf(world, ticket).path), where).toEqual([]);
      }
      expect(new Set(verdicts.values())).toEqual(new Set(['exited', 'lost', 'never-started']));
      await world.restartHost();
      for (const { ticket } of points) expect((await world.get(ticket)).verdict).toBe(verdicts.get(ticket));
    },
  );

  test(
    'a host leaves an Abandon that is done, or was not done and can be done again',
    { timeout: 180_000 },
    async () => {
      await using world = await World.open();
      const calls = await abandon(world, 0);
      expect(calls.filter((c) => c === 'linkSync').length).toBeGreaterThanOrEqual(3);
      console.log(`an Abandon changes files ${calls.length} times`);
      for (const [i, call] of calls.entries()) {
        const where = `killed before ${call}, ${i + 1} of ${calls.length}`;
        await abandon(world, i + 1, where);
      }
    },
  );
});

/** Abandons a hung script through a host that dies before its n-th change of a file; then a new host must be able to. */
async function abandon(world: World, at: number, where = 'whole'): Promise<string[]> {
  const mutex = `m ${at}`;
  const { ticket } = await world.startHung(mutex, { ticket: `a${at}` });
  const next = await world.start('exit 4', { ticket: `b${at}`, isolation: { level: 'full', mutex } });
  await world.untilLogged(ticket, 'copying');
  await world.killHost();
  const [list, armed] = [join(world.home, `calls-${at}`), join(world.home, `armed-${at}`)];
  const environment = { UNJAM_TEST_DIE_AT: String(at), UNJAM_TEST_CALLS: list, UNJAM_TEST_ARMED: armed };
  await world.startHost({ ...environment, NODE_OPTIONS: `--import=${preload}` });
  await world.get(ticket);
  mkdirSync(armed);
  const answer = await world.client.call('scripts.abandon', { ticket }).catch((error: Error) => error);
  await world.killHost();
  if (answer instanceof Error) expect(answer.message, where).not.toContain('internal');
  await world.startHost();
  expect(await world.client.call('scripts.abandon', { ticket }), where).toMatchObject({ verdict: 'abandoned' });
  expect(await world.untilFinal(next.ticket), where).toMatchObject({ verdict: 'exited', exitCode: 4 });
  while (runOf(world, ticket).readAbandoned() === null) await delay(20);
  expect(runOf(world, ticket).readVerdict(), where).toMatchObject({ kind: 'abandoned', actor: { via: 'api' } });
  await world.client.call('scripts.kill', { ticket });
  while (runOf(world, ticket).readTree() === null) await delay(20);
  expect(litter(runOf(world, ticket).path), where).toEqual([]);
  return readFileSync(list, 'utf8').trim().split('\n');
}
