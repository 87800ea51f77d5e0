/** Exit codes and logs of scripts that end at awkward moments. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

test('50 scripts in a row that exit within a millisecond: every exit code is right', async () => {
  await using world = await World.open();
  const codes: (number | null)[] = [];
  for (let i = 0; i < 50; i += 1) {
    const { exitCode, ticket } = await world.client.call('scripts.start', {
      command: ['/bin/sh', '-c', `exit ${i}`],
      cwd: world.home,
      waitMs: 20_000,
    });
    codes.push(exitCode);
    expect(await world.get(ticket)).toMatchObject({ state: 'final', verdict: 'exited', resultCode: i });
  }
  expect(codes).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test.runIf(process.platform === 'linux')('a warm runner that was ended while it waited costs no script', async () => {
  await using world = await World.open();
  for (let i = 0; i < 5; i += 1) {
    for (const { identity, parentPid } of world.control.snapshot())
      if (parentPid === world.hostPid && world.control.facts(identity)?.commandLine.includes('runner.cjs'))
        process.kill(identity.pid, 'SIGKILL');
    const final = await world.start(`exit ${i}`, { waitMs: 20_000 });
    expect(final).toMatchObject({ verdict: 'exited', exitCode: i });
  }
});

test('scripts that exit by themselves while they are cancelled keep their own code, whichever verdict was first', async () => {
  await using world = await World.open();
  const runs = Array.from({ length: 12 }, async (_, i) => {
    const { ticket } = await world.start(`trap "exit 70" TERM; echo up; sleep 0.0${i}; exit ${i}`);
    await world.untilLogged(ticket, 'up');
    await world.client.call('scripts.cancel', { ticket });
    const { verdict, exitCode, signal } = await world.untilFinal(ticket);
    return { i, verdict, exitCode, signal };
  });
  for (const { i, verdict, exitCode, signal } of await Promise.all(runs)) {
    expect(signal).toBeNull();
    expect(verdict === 'exited' ? [i] : [i, 70]).toContain(exitCode);
    expect(['exited', 'cancelled']).toContain(verdict);
  }
});

test('a flood of 1 GiB loses no byte and breaks nothing while somebody reads the log', async () => {
  await using world = await World.open();
  const bytes = 1024 ** 3;
  const { ticket } = await world.start(`head -c ${bytes} /dev/zero | tr "\\0" "x"; exit 6`);
  let over = false;
  const reader = (async () => {
    while (!over) await world.client.call('logs.read', { ticket, tailBytes: 65_536, stream: 'stdout' });
  })();
  const final = await world.untilFinal(ticket);
  over = true;
  await reader;
  expect(final).toMatchObject({ verdict: 'exited', exitCode: 6 });
  expect(statSync(join(world.home, 'runs', ticket, 'stdout.log')).size).toBe(bytes);
  expect((await world.get(ticket)).logBytes).toBe(bytes);
});
