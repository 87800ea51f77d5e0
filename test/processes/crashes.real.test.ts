/**
 * Recovery after every combination of deaths (the matrix of the recovery rules): host, runner and the script's own
 * group. Nothing that is not known is claimed, and the mutex is free at the end.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { World } from '../support/world.ts';

type Victim = 'host' | 'runner' | 'group';

const lastPid = '/proc/sys/kernel/ns_last_pid';
const isRoot = process.getuid?.() === 0;

async function untilGone(world: World, identity: ProcessIdentity): Promise<void> {
  while (world.control.liveness(identity) === 'alive') await new Promise((r) => setImmediate(r));
}

/** What must be said afterwards; `go` lets a script that lives on exit with 7. */
const matrix: [Victim[], { verdict: string; exitCode: number | null; signal: string | null }][] = [
  [['host'], { verdict: 'exited', exitCode: 7, signal: null }],
  [['group'], { verdict: 'exited', exitCode: null, signal: 'SIGKILL' }],
  [['host', 'group'], { verdict: 'exited', exitCode: null, signal: 'SIGKILL' }],
  [['runner'], { verdict: 'lost', exitCode: null, signal: null }],
  [['host', 'runner'], { verdict: 'lost', exitCode: null, signal: null }],
  [['runner', 'group'], { verdict: 'lost', exitCode: null, signal: null }],
  [['host', 'runner', 'group'], { verdict: 'lost', exitCode: null, signal: null }],
];

describe.runIf(process.platform === 'linux')('when these are killed at once', () => {
  test.each(matrix)('%s', async (victims, expected) => {
    await using world = await World.open();
    const { ticket } = await world.start('echo line; while [ ! -e go ]; do sleep 0.02; done; echo end; exit 7', {
      isolation: { level: 'full', mutex: 'web' },
    });
    const next = await world.start('echo next', { isolation: { level: 'full', mutex: 'web' } });
    await world.untilLogged(ticket, 'line');
    const directory = new RunDirectory(join(world.home, 'runs', ticket));
    const runner = directory.readRunner()?.runner as ProcessIdentity;
    const script = directory.readStarted()?.scope.root as ProcessIdentity;
    // The runner first: an exit code that it still writes would be true, but not what is tested.
    if (victims.includes('runner')) process.kill(runner.pid, 'SIGKILL');
    if (victims.includes('group')) process.kill(-script.pid, 'SIGKILL');
    if (victims.includes('host')) await world.killHost();
    if (victims.includes('runner')) await untilGone(world, runner);
    if (victims.includes('host')) await world.startHost();
    if (!victims.includes('group')) {
      const state = victims.includes('runner') ? 'orphaned' : 'running';
      await world.until(ticket, (s) => s.state === state);
      expect(await world.get(next.ticket)).toMatchObject({ state: 'queued' });
      writeFileSync(join(world.home, 'go'), '');
    }
    expect(await world.untilFinal(ticket)).toMatchObject(expected);
    expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
    expect(await world.log(ticket)).toContain('line\n');
    if (!victims.includes('group')) expect(await world.log(ticket)).toContain('end\n');
    expect(await world.client.call('locks.list', {})).toEqual([]);
  });
});

describe.runIf(existsSync(lastPid) && isRoot)('pids that were handed out again while no host lived', () => {
  test('keep no mutex, are not signalled by Force Kill or recovery, and the script is lost', async () => {
    await using world = await World.open();
    const { ticket } = await world.startHung();
    await world.untilLogged(ticket, 'copying');
    const next = await world.start('echo next', { isolation: { level: 'full', mutex: 'web' } });
    const directory = new RunDirectory(join(world.home, 'runs', ticket));
    const runner = directory.readRunner()?.runner as ProcessIdentity;
    const script = directory.readStarted()?.scope.root as ProcessIdentity;
    const waiter = new RunDirectory(join(world.home, 'runs', next.ticket)).readRunner()?.runner as ProcessIdentity;
    process.kill(waiter.pid, 'SIGSTOP'); // it would clean up before the pids are taken
    await world.killHost();
    process.kill(runner.pid, 'SIGKILL');
    process.kill(-script.pid, 'SIGKILL');
    await untilGone(world, runner);
    await untilGone(world, script);
    const sentinels = [await sentinelAt(world, runner.pid), await sentinelAt(world, script.pid)];
    try {
      process.kill(waiter.pid, 'SIGCONT');
      await world.startHost();
      await world.client.call('scripts.kill', { ticket });
      expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'lost' });
      expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
      for (const { identity, signals } of sentinels) {
        expect(world.control.liveness(identity)).toBe('alive');
        expect(existsSync(signals) && readFileSync(signals, 'utf8')).toBe('up\n');
      }
    } finally {
      for (const { identity } of sentinels)
        if (world.control.liveness(identity) === 'alive') process.kill(-identity.pid, 'SIGKILL');
    }
  });
});

/** A process with that pid, leader of a group of its own, that writes down every signal it gets. */
async function sentinelAt(world: World, pid: number): Promise<{ identity: ProcessIdentity; signals: string }> {
  const { spawn } = await import('node:child_process');
  const signals = join(world.home, `signals-${pid}`);
  const program = `for s in HUP INT QUIT TERM CONT USR1 USR2; do trap "echo $s >> ${signals}" $s; done; echo up > ${signals}; while :; do sleep 0.02; done`;
  for (;;) {
    writeFileSync(lastPid, String(pid - 1));
    const child = spawn('bash', ['-c', program], { detached: true, stdio: 'ignore' });
    if (child.pid === pid) {
      while (!existsSync(signals)) await new Promise((r) => setImmediate(r));
      const identity = world.control.identify(pid);
      if (identity) return { identity, signals };
    }
    const gone = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await gone;
  }
}
