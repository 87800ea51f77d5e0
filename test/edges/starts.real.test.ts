/** What a start does: at once, once, and never after it was given up. Through the built command line and the API. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../support/world.ts';
import { runnerOf, runOf, untilFile } from '../support/wreck.ts';

const db = { level: 'full', mutex: 'db' } as const;

test('five scripts that need no mutex, started at once, run together', async () => {
  await using world = await World.open();
  const all = [1, 2, 3, 4, 5];
  // Each waits for the four others.
  const script = (n: number): string => `: >here-${n}; for m in ${all.join(' ')}; do until [ -e here-$m ]; do sleep .02; done; done`; // prettier-ignore
  const started = await Promise.all(all.map((n) => world.start(script(n))));
  for (const { ticket } of started) expect(await world.untilFinal(ticket)).toMatchObject({ exitCode: 0 });
});

test('a caller that waits half a second for a long script is told that it runs, with what it has printed', async () => {
  await using world = await World.open();
  const script = 'echo begun; until [ -e stop ]; do sleep .02; done; exit 3';
  const { ticket, ...told } = await world.start(script, { waitMs: 500 });
  expect(told).toMatchObject({ state: 'running', resultCode: 0, exitCode: null });
  await world.untilLogged(ticket, 'begun');
  writeFileSync(join(world.home, 'stop'), '');
  expect(await world.untilFinal(ticket)).toMatchObject({ resultCode: 3 });
});

test('the same deployment started again waits for the first one, which goes on untouched', async () => {
  await using world = await World.open();
  const script = 'echo up; until [ -e stop ]; do sleep .02; done';
  const first = await world.start(script, { name: 'Deploy web', isolation: db });
  await world.untilLogged(first.ticket, 'up');
  const again = await world.start(script, { name: 'Deploy web', isolation: db });
  await world.until(again.ticket, (s) => s.state === 'queued');
  expect(await world.get(first.ticket)).toMatchObject({ state: 'running' });
  expect(await world.get(again.ticket)).toMatchObject({ holder: { ticket: first.ticket } });
  writeFileSync(join(world.home, 'stop'), '');
  for (const { ticket } of [first, again])
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
});

describe.runIf(process.platform === 'linux')('a script that was abandoned while it waited never runs', () => {
  test.each([
    ['its runner was suspended and wakes up when the mutex is free', false],
    ['its files are removed before its runner wakes up', true],
  ])('%s', async (_, areRemoved) => {
    await using world = await World.open();
    const holder = await world.start('until [ -e stop ]; do sleep .02; done', { isolation: db });
    const { ticket } = await world.start(': >ran', { isolation: db });
    await world.until(ticket, (s) => s.state === 'queued');
    const runner = runnerOf(world, ticket);
    process.kill(runner.pid, 'SIGSTOP');
    try {
      await world.client.call('scripts.abandon', { ticket });
      expect((await world.get(ticket)).resultCode).toBe(-43); // it had not begun: it was cancelled
      if (areRemoved) rmSync(runOf(world, ticket).path, { recursive: true });
      writeFileSync(join(world.home, 'stop'), '');
      await world.untilFinal(holder.ticket);
    } finally {
      process.kill(runner.pid, 'SIGCONT');
    }
    await untilGone(world, runner.pid);
    expect(existsSync(join(world.home, 'ran'))).toBe(false);
    const next = await world.start(': >next', { isolation: db });
    expect(await world.untilFinal(next.ticket)).toMatchObject({ exitCode: 0 });
    await untilFile(join(world.home, 'next'));
  });
});

async function untilGone(world: World, pid: number): Promise<void> {
  while (world.control.identify(pid) !== null) await new Promise((resolve) => setTimeout(resolve, 10));
}
