/** `unjam run --cancel-with-caller`: who kills the command cancels the script, whether or not a host runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';
import { end, rootOf, runnerOf, runOf, untilFile } from '../support/wreck.ts';

/** Begins `unjam run` as an agent does: it can be killed. */
function run(world: World, ...words: string[]): ChildProcess {
  return spawn(process.execPath, [world.program, 'run', '--ticket', 't', ...words], {
    cwd: world.home,
    env: { ...process.env, UNJAM_HOME: world.home },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
}

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

const untilDead = async (world: World, pid: number): Promise<void> => {
  while (world.control.identify(pid) !== null) await new Promise((resolve) => setTimeout(resolve, 10));
};

const lasting = ['bash', '-c', 'touch up; sleep 3600'];

test('the script is cancelled, and its log says because of whom', async () => {
  await using world = await World.open();
  const agent = run(world, '--cancel-with-caller', '--', ...lasting);
  await untilFile(join(world.home, 'up'));
  await kill(agent);
  expect(await world.untilFinal('t')).toMatchObject({ verdict: 'cancelled' });
  expect(await world.log('t')).toContain(`W201 Cancel requested by Unjam at`);
  expect(await world.log('t')).toContain(`reason "its caller (PID ${agent.pid}, started `);
});

test('it goes on without the option', async () => {
  await using world = await World.open();
  const left = run(world, '--', ...lasting);
  await untilFile(join(world.home, 'up'));
  await kill(left);
  // A script that is cancelled with its caller, started and killed later, ends first: every runner has looked by then.
  const agent = spawn(
    process.execPath,
    [world.program, 'run', '--ticket', 'later', '--cancel-with-caller', '--', 'bash', '-c', 'touch up2; sleep 3600'],
    { cwd: world.home, env: { ...process.env, UNJAM_HOME: world.home }, stdio: 'ignore' },
  );
  await untilFile(join(world.home, 'up2'));
  await kill(agent);
  await world.untilFinal('later');
  expect((await world.get('t')).state).toBe('running');
});

test('one that ignores the signal is killed after its grace period', async () => {
  await using world = await World.open();
  const agent = run(
    world,
    '--cancel-with-caller',
    '--grace',
    '100ms',
    '--',
    'bash',
    '-c',
    'trap "" TERM INT; touch up; while :; do sleep 3600; done',
  );
  await untilFile(join(world.home, 'up'));
  await kill(agent);
  expect(await world.untilFinal('t')).toMatchObject({ verdict: 'cancelled' });
  await untilDead(world, rootOf(world, 't').pid);
});

test('the runner does it while no host runs', async () => {
  await using world = await World.open();
  const agent = run(world, '--cancel-with-caller', '--', ...lasting);
  await untilFile(join(world.home, 'up'));
  const root = rootOf(world, 't');
  // Stopped first: a command that finds its host gone would start another.
  agent.kill('SIGSTOP');
  await world.killHost();
  await kill(agent);
  await untilDead(world, root.pid);
  await untilFile(join(runOf(world, 't').path, 'verdict.json'));
  expect(runOf(world, 't').readVerdict()).toMatchObject({ kind: 'cancelled', actor: { via: 'unjam' } });
});

test('the host does it when the runner has died', async () => {
  await using world = await World.open();
  const agent = run(world, '--cancel-with-caller', '--', ...lasting);
  await untilFile(join(world.home, 'up'));
  agent.kill('SIGSTOP');
  await end(world, runnerOf(world, 't'));
  await world.untilLogged('t', 'W304');
  await kill(agent);
  expect(await world.untilFinal('t')).toMatchObject({ verdict: 'cancelled' });
});

test('one that waits leaves the queue and never starts', async () => {
  await using world = await World.open();
  const hung = await world.startHung('web');
  const agent = run(world, '--cancel-with-caller', '--mutex', 'web', '--', 'touch', 'started');
  await world.until(hung.ticket, (s) => s.blocks === 1);
  await kill(agent);
  expect(await world.untilFinal('t')).toMatchObject({ verdict: 'cancelled', pid: null });
  expect(await world.log('t')).toContain('W207');
});

test('an abandoned script is left alone', async () => {
  await using world = await World.open();
  const agent = run(world, '--cancel-with-caller', '--mutex', 'web', '--', ...lasting);
  await untilFile(join(world.home, 'up'));
  const gone = once(agent, 'exit');
  await world.cli('abandon', 't', '--reason', 'test');
  expect((await gone)[0]).toBe(176);
  const later = await world.start('sleep 3600', { ticket: 'later' });
  await world.client.call('scripts.kill', { ticket: later.ticket });
  await world.untilFinal('later');
  expect(await world.log('t')).not.toContain('--cancel-with-caller');
  expect(world.control.identify(rootOf(world, 't').pid)).not.toBeNull();
});

test('with the option a closed terminal cancels too', async () => {
  await using world = await World.open();
  const agent = run(world, '--cancel-with-caller', '--', ...lasting);
  await untilFile(join(world.home, 'up'));
  const gone = once(agent, 'exit');
  agent.kill('SIGHUP');
  expect((await gone)[0]).toBe(171);
  expect(await world.get('t')).toMatchObject({ verdict: 'cancelled' });
});

test('a caller that has gone, or is another process, is refused with the field', async () => {
  await using world = await World.open();
  const refusal = await world.refusal(
    world.start('touch started', { cancelWith: { pid: process.pid, startTime: '1' } }),
  );
  expect(refusal).toMatchObject({ code: 'bad-input', field: 'cancelWith' });
});
