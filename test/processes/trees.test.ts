/** What counts as a script's tree, and what has left it for good. Real scripts, Linux. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../support/world.ts';

const onLinux = process.platform === 'linux';

/** The pid that a script wrote into a file of its folder. */
async function pidIn(world: World, file: string): Promise<number> {
  for (;;) {
    const path = join(world.home, file);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (text.endsWith('\n')) return Number(text);
    await new Promise((r) => setImmediate(r));
  }
}

describe.runIf(onLinux)('a descendant that', () => {
  test.each([
    ['left by setsid', 'setsid bash -c "echo \\$\\$ > pid; exec sleep 3600" & wait'],
    ['left by setsid and a double fork', '(setsid bash -c "echo \\$\\$ > pid; exec sleep 3600" &) ; sleep 3600'],
    [
      'cleaned its environment, and stays in the session',
      '(env -i bash -c "echo \\$\\$ > pid; exec sleep 3600" &) ; sleep 3600',
    ],
    [
      'cleaned its environment and left by setsid, while its parent lives',
      'env -i setsid bash -c "echo \\$\\$ > pid; exec sleep 3600" & wait',
    ],
  ])('%s is found and ended', async (_, script) => {
    await using world = await World.open();
    const { ticket } = await world.start(script);
    const pid = await pidIn(world, 'pid');
    const identity = world.control.identify(pid);
    expect((await world.get(ticket)).processes.map((p) => p.pid)).toContain(pid);
    await world.client.call('scripts.kill', { ticket });
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
    expect(identity && world.control.liveness(identity)).toBe('dead');
  });

  test('cleaned its environment, left by setsid and lost its parent is NOT found: nothing ties it to the script', async () => {
    await using world = await World.open();
    const { ticket } = await world.start(
      '(env -i PATH="$PATH" setsid bash -c "echo \\$\\$ > pid; exec sleep 3600" &) ; sleep 3600',
    );
    const pid = await pidIn(world, 'pid');
    const identity = world.control.identify(pid);
    try {
      while (world.control.snapshot().find((p) => p.identity.pid === pid)?.parentPid !== 1);
      expect((await world.get(ticket)).processes.map((p) => p.pid)).not.toContain(pid);
      await world.client.call('scripts.kill', { ticket });
      expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
      expect(identity && world.control.liveness(identity)).toBe('alive');
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });
});

describe.runIf(onLinux)('Force Kill', () => {
  test('wins against a tree that keeps starting processes in sessions of their own', async () => {
    await using world = await World.open();
    const { ticket } = await world.start(
      'trap "" TERM; for i in 1 2 3 4; do setsid bash -c "for i in {1..60}; do setsid sleep 3600 & sleep 0.01; done; wait" & done; echo up; wait',
    );
    await world.untilLogged(ticket, 'up');
    while ((await world.get(ticket)).processes.length < 40);
    await world.client.call('scripts.kill', { ticket });
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
    expect((await world.get(ticket)).processes).toEqual([]);
  });

  test('ends 200 stopped processes at once', async () => {
    await using world = await World.open();
    const { ticket } = await world.start('for i in {1..200}; do sleep 3600 & done; echo up; kill -STOP 0');
    await world.untilLogged(ticket, 'up');
    await world.client.call('scripts.kill', { ticket });
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
  });
});

test.runIf(onLinux)('a grandchild that holds the output open delays neither the exit code nor the mutex', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('(sleep 3600; echo never) & echo done; exit 4', {
    isolation: { level: 'full', mutex: 'web' },
    waitMs: 20_000,
  });
  expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 4, holdsMutex: false });
  expect((await world.get(ticket)).processes.length).toBeGreaterThan(0);
});
