/** What a script leaves behind: carried by identity, proven by the system, never declared gone when that was not seen. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { root, World } from '../support/world.ts';
import { openProcessControl } from '../../app/processes/index.ts';
import { end, rootOf, runnerOf, runOf, untilFile } from '../support/wreck.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const nobody = 65534;

describe.runIf(process.platform === 'linux')('unjam complete', () => {
  test('of a script whose end nobody saw removes it', async () => {
    await using world = await World.open();
    const { ticket } = await world.start('exec sleep 3600');
    const [root, runner] = [rootOf(world, ticket), runnerOf(world, ticket)];
    await world.killHost();
    await end(world, runner, root);
    await world.startHost();
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'lost', resultCode: -46 });
    expect(await world.cli('complete', ticket)).toMatchObject({ status: 0 });
    expect(existsSync(runOf(world, ticket).path)).toBe(false);
  });

  test.runIf(isRoot)(
    'of a script whose folder the system does not let go says so, and is done when it does',
    async () => {
      await using world = await World.open();
      const { ticket } = await world.start('echo kept');
      await world.untilFinal(ticket);
      const { path } = runOf(world, ticket);
      await untilFile(join(path, 'tree.json'));
      const held = join(path, 'held');
      mkdirSync(held);
      // Somebody has mounted something there.
      expect(spawnSync('mount', ['-t', 'tmpfs', 'none', held]).status).toBe(0);
      try {
        const said = await world.cli('complete', ticket);
        expect(said.status).toBe(1);
        expect(said.stderr).toMatch(/^unjam: [^\n]+\nNext: [^\n]+\(delete-failed\)\n$/);
      } finally {
        spawnSync('umount', [held]);
      }
      expect(await world.cli('complete', ticket)).toMatchObject({ status: 0 });
      expect(existsSync(path)).toBe(false);
    },
  );
});

/**
 * The driver as nobody, whose child becomes the set-user-ID `program`; in a mount namespace of its own when `hidepid`
 * is given. A line of its output at each call.
 */
function survivor(hidepid: string | null, program: string) {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-test-'));
  const own = join(folder, 'own');
  mkdirSync(own);
  for (const path of [folder, own]) chmodSync(path, 0o755);
  chownSync(own, nobody, nobody);
  const [name = ''] = program.split(' ');
  copyFileSync(`/usr/bin/${name}`, join(folder, name));
  chmodSync(join(folder, name), 0o4755);
  const becomesRoot = join(folder, program);
  const driver = [process.execPath, join(root, 'test/edges/drivers/survivor-as-nobody.ts'), own, becomesRoot];
  const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', ...driver];
  const command = hidepid
    ? ['unshare', '-m', 'sh', '-c', `mount -t proc -o hidepid=${hidepid} proc /proc && exec "$@"`, 'sh', ...asNobody]
    : asNobody;
  const child = spawn(command[0]!, command.slice(1), {
    cwd: own,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value as string) as never;
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return { said, goOn: () => child.stdin.write('\n') };
}

describe.runIf(isRoot)('a child under sudo outlives the shell of a script of a host without root', () => {
  const sudo = 'setpriv --reuid=0 --regid=0 --clear-groups sleep 3600';
  test.each([
    ['', null, sudo, 'alive'],
    ['behind hidepid=2', '2', sudo, 'unknown'],
    ['behind hidepid=2, by a program that keeps its real user and takes signals', '2', 'sleep 3600', 'unknown'],
  ])(
    '%s: it stays in the tree, its refusal is no end, and nothing is claimed',
    async (_, hidepid, program, liveness) => {
      const { said, goOn } = survivor(hidepid, program);
      const known = await said();
      const pid = known['pid'] as number;
      onTestFinished(() => {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has gone.
        }
      });
      expect(known).toMatchObject({
        tree: [pid],
        liveness,
        interrupted: { kind: 'undeliverable', errorCode: 'EPERM' },
        ends: [{ kind: 'denied', errorCode: 'EPERM' }],
        why: [{ reason: 'access' }],
      });
      // Who sees them for the first time only knows that somebody is in the script's group.
      expect(await said()).toEqual({ tree: [], liveness: 'unknown' });
      process.kill(pid, 'SIGKILL');
      goOn();
      expect(await said()).toEqual([
        [0, 'dead'],
        [0, 'dead'],
      ]);
    },
  );
});

describe.runIf(process.platform === 'linux')('unjam complete of a script', () => {
  /** A script that leaves a service, whose pid is in `pid`; it ends with the test. */
  async function leaves(world: World, service: string): Promise<{ ticket: string; pid: number }> {
    const { ticket } = await world.start(`(setsid sh -c '${service}' & echo $! >pid); echo up`);
    await world.untilFinal(ticket);
    const pid = Number(readFileSync(join(world.home, 'pid'), 'utf8'));
    onTestFinished(() => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone.
      }
    });
    return { ticket, pid };
  }

  test('that left a service writing to its log removes it and says who writes on, also in the history', async () => {
    await using world = await World.open();
    const { ticket, pid } = await leaves(world, 'exec sleep 3600');
    const said = await world.cli('complete', ticket);
    expect(said.status).toBe(0);
    expect(said.stdout).toContain(`W227`);
    expect(said.stdout).toContain(`(${pid} sleep) still has the script’s output open`);
    expect(existsSync(runOf(world, ticket).path)).toBe(false);
    expect((await world.cli('history', '--ticket', ticket)).stdout).toContain('still has the script’s output open');
    expect(world.control.liveness(world.control.identify(pid)!)).toBe('alive');
  });

  test('whose service has its own log, and of one that left nobody, says only that it was removed', async () => {
    await using world = await World.open();
    const { ticket } = await leaves(world, 'exec sleep 3600 >own.log 2>&1');
    // The service opens its own log a moment after its start.
    while (world.control.isOutputOpen?.(runOf(world, ticket).readStarted()!.scope) === true) await delay(5);
    expect((await world.cli('complete', ticket)).stdout).toBe(`${ticket}: the run directory was removed.\n`);
    const plain = await world.start('echo done', { waitMs: 20_000 });
    expect((await world.cli('complete', plain.ticket)).stdout).toBe(
      `${plain.ticket}: the run directory was removed.\n`,
    );
  });
});

test.runIf(process.platform === 'linux')(
  'who was left at an Abandon is known to the next host, though nothing else leads to it',
  async () => {
    await using world = await World.open();
    const left = 'env -i setsid sleep 3600 & echo $! >pid; trap "" TERM; touch up; wait';
    const { ticket } = await world.start(left, { isolation: { level: 'full', mutex: 'db' } });
    await untilFile(join(world.home, 'up'));
    const pid = Number(readFileSync(join(world.home, 'pid'), 'utf8'));
    await world.until(ticket, (s) => s.state === 'running');
    while (world.control.facts(world.control.identify(pid)!)?.commandLine !== 'sleep 3600') await delay(5);
    await world.client.call('scripts.abandon', { ticket });
    await world.killHost();
    // A runner's cgroup would lead to it as well.
    await end(world, runnerOf(world, ticket), rootOf(world, ticket));
    world.control.sweep?.(new Set());
    const scope = runOf(world, ticket).readStarted()!.scope;
    const { cgroup: _, ...alone } = { ...scope, known: runOf(world, ticket).readAbandoned()!.left };
    expect((await openProcessControl()).tree(alone).map((m) => m.identity.pid)).toEqual([pid]);
    await world.startHost();
    expect((await world.get(ticket)).processes.map((p) => p.pid)).toEqual([pid]);
    const next = await world.start('true', { isolation: { level: 'full', mutex: 'db' }, waitMs: 20_000 });
    expect(await world.log(next.ticket)).toContain('W222');
    process.kill(pid, 'SIGKILL');
  },
);
