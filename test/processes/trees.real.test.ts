/** What counts as a script's tree, and what has left it for good. Real scripts, Linux. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { openProcessControl } from '../../app/processes/index.ts';
import { root, World } from '../support/world.ts';
import { runOf } from '../support/wreck.ts';

const onLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;

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

  describe('cleaned its environment, left by setsid and lost its parent', () => {
    const script = (user: string) =>
      `cd /; (${user} env -i PATH="$PATH" setsid bash -c "exec sleep 3600" >/dev/null 2>&1 &) ; echo up; sleep 3600`;

    test.runIf(isRoot).each([
      ['', 'is found through its cgroup and ended'],
      ['setpriv --reuid=65534', 'also as another user'],
    ])('%s %s (where cgroup v2 is writable)', async (user) => {
      await using world = await World.open();
      const { ticket } = await world.start(script(user));
      await world.untilLogged(ticket, 'up');
      const { scope } = runOf(world, ticket).readStarted()!;
      expect(scope.cgroup).toMatch(/^\/(?:.*\/)?unjam-\d+-\d+$/);
      const escaped = () => world.control.tree(scope).find((m) => m.by === 'cgroup' && m.identity.name === 'sleep');
      while (escaped()?.parentPid !== 1);
      const { identity } = escaped()!;
      // As where no cgroup can be made, for one who has not seen it before: then nothing ties it to the script.
      const { cgroup: _, ...without } = scope;
      expect((await openProcessControl()).tree(without).map((m) => m.identity.pid)).not.toContain(identity.pid);
      await world.client.call('scripts.kill', { ticket });
      expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
      expect(world.control.liveness(identity)).toBe('dead');
    });
  });

  test.runIf(isRoot)(
    'of another user is in a cgroup of the same name elsewhere does not count (needs root)',
    async () => {
      await using world = await World.open();
      const { ticket } = await world.start('echo up; sleep 3600');
      await world.untilLogged(ticket, 'up');
      const { scope } = runOf(world, ticket).readStarted()!;
      const mount = readFileSync('/proc/self/mounts', 'utf8')
        .split('\n')
        .find((l) => l.startsWith('cgroup2 '))!
        .split(' ')[1]!;
      const theirs = join(mount, `theirs-${process.pid}`);
      const imitation = join(theirs, basename(scope.cgroup!));
      mkdirSync(imitation, { recursive: true });
      const stranger = spawn('sleep', ['3600'], { uid: 65_534, gid: 65_534, env: {}, detached: true });
      const ended = once(stranger, 'exit');
      try {
        await once(stranger, 'spawn');
        writeFileSync(join(imitation, 'cgroup.procs'), String(stranger.pid));
        expect(world.control.tree(scope).map((m) => m.identity.pid)).not.toContain(stranger.pid);
        await world.client.call('scripts.kill', { ticket });
        expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
        expect(stranger.exitCode).toBeNull();
      } finally {
        stranger.kill('SIGKILL');
        await ended;
        for (const folder of [imitation, theirs]) await vi.waitFor(() => rmdirSync(folder));
      }
    },
  );

  test('is the host of another state directory does not count, and outlives the script', async () => {
    await using world = await World.open();
    await using other = await World.empty();
    const { ticket } = await world.start(
      `UNJAM_HOME=${other.home} ${process.execPath} ${join(root, 'dist/cli.js')} start -- sleep 3600; echo up; sleep 3600`,
    );
    await world.untilLogged(ticket, 'up');
    const tree = (await world.get(ticket)).processes.map((p) => p.pid);
    expect(tree).not.toContain(other.hostPid);
    await world.client.call('scripts.kill', { ticket });
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
    other.connect();
    expect(await other.client.call('scripts.list', {})).toMatchObject([{ state: 'running' }]);
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
