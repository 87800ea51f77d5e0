/** Observed scripts on real processes: the script part ends, its carrier lives and reports, and nobody else is touched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ForeignLocks, ObservedView } from '../../app/contract/methods.ts';
import { unpack } from '../support/unpack.ts';
import { World } from '../support/world.ts';
import { buildkite, jenkins, runner, type StandIn, tentacle, untilCode, untilObserved } from './stand-in.ts';

const deaf = 'trap "" TERM; echo copying; sleep 3600 & wait; wait; sleep 3600\n';
const polite = 'echo copying; exec sleep 3600\n';

const agents: Record<string, { key: string; name: string; start: (world: World, script: string) => StandIn }> = {
  'Octopus Tentacle': { key: 'tentacle', name: 'Octopus ServerTasks-4711 on web', start: tentacle },
  'the GitHub runner': { key: 'github', name: 'octo/shop / deploy', start: runner },
  Jenkins: { key: 'jenkins', name: 'deploy-web #93 Copy', start: jenkins },
  'the Buildkite agent': { key: 'buildkite', name: 'shop #5', start: buildkite },
};

for (const [about, agent] of Object.entries(agents)) {
  test(`Cancel of a script of ${about} ends the script; its carrier lives and has the code`, async () => {
    await using world = await World.open();
    await using standIn = agent.start(world, polite);
    const seen = await untilObserved(world, agent.key);
    expect(seen.name).toBe(agent.name);
    await world.client.call('observed.cancel', { id: seen.id, process: aim(seen) });
    expect(await untilCode(standIn)).toBe('143');
    expect(standIn.carrier.exitCode).toBeNull();
  });

  test(`Force Kill ends a script of ${about} that ignores Cancel; its carrier lives and has the code`, async () => {
    await using world = await World.open();
    await using standIn = agent.start(world, deaf);
    const seen = await untilObserved(world, agent.key, (s) => s.processes > 1);
    await world.client.call('observed.cancel', { id: seen.id, graceMs: 200 });
    await untilObserved(world, agent.key, (s) => s.condition.key === 'cancel-ignored');
    await world.client.call('observed.kill', { id: seen.id });
    expect(await untilCode(standIn)).toBe('137');
    expect(standIn.carrier.exitCode).toBeNull();
    const history = await world.client.call('history.list', {});
    expect(history.map((e) => e.kind)).toEqual(expect.arrayContaining(['observed-cancel', 'observed-kill']));
  });
}

test('a verb that was decided on another process is refused, and nothing is signalled', async () => {
  await using world = await World.open();
  await using standIn = runner(world, polite);
  const seen = await untilObserved(world, 'github');
  const error = await world.refusal(
    world.client.call('observed.kill', { id: seen.id, process: { pid: seen.pid! + 1, startTime: '1' } }),
  );
  expect(error.code).toBe('other-process');
  expect(standIn.code()).toBeNull();
  expect((await untilObserved(world, 'github')).pid).toBe(seen.pid);
});

test('what the script has started in a session of its own is ended with it', async () => {
  await using world = await World.open();
  const file = join(world.home, 'daemon');
  await using standIn = runner(world, `setsid sleep 3600 & echo $! > '${file}'; exec sleep 3600\n`);
  const seen = await untilObserved(world, 'github', (s) => s.processes > 1);
  const daemon = world.control.identify(Number(readFileSync(file, 'utf8')))!;
  await world.client.call('observed.kill', { id: seen.id });
  expect(await untilCode(standIn)).toBe('137');
  expect(world.control.liveness(daemon)).toBe('dead');
});

test('no command line and no unnamed variable of an agent is answered, logged or kept', async () => {
  await using world = await World.open();
  await using _standIn = runner(world, 'PASSWORD=hunter2; exec sleep 3599.25\n');
  const seen = await untilObserved(world, 'github');
  const answers = [
    await world.client.call('observed.get', { id: seen.id }),
    await world.client.call('observed.why', { id: seen.id }),
    await world.client.call('agents.list', {}),
    await world.client.call('overview.get', {}),
    await world.client.call('history.list', {}),
    world.hostLog,
  ];
  expect(JSON.stringify(answers)).not.toMatch(/secret-token|hunter2|3599\.25|spawnclient/);
});

test('who is on a script outlives the host; evidence is saved before Force Kill, without command lines, and found when the script has gone', async () => {
  await using world = await World.open();
  const path = join(world.home, 'bundle.zip');
  let script: ObservedView;
  {
    await using standIn = tentacle(
      world,
      `exec 7>'${world.home}/half-written'; PASSWORD=hunter2 sleep 3599.25 & wait\n`,
    );
    const { id } = await untilObserved(world, 'tentacle', (s) => s.processes > 1);
    expect((await world.cli('take', id)).stdout).toContain(`${id}: `);
    await world.restartHost();
    script = await untilObserved(world, 'tentacle', (s) => s.processes > 1);
    expect(script).toMatchObject({ id, taken: { by: expect.any(String) } });
    expect((await world.cli('ps')).stdout).toContain(`(${script.taken?.by} is on it)`);
    expect((await world.cli('why', id)).stdout).toContain(`${script.taken?.by} is on it`);
    await world.client.call('settings.set', { values: { evidenceBeforeEnd: true } });
    await world.client.call('observed.kill', { id, process: aim(script) });
    expect(await untilCode(standIn)).toBe('137');
  }
  const { id, name } = script;
  await untilListed(world, (list) => list.every((s) => s.id !== id || s.condition.key === 'gone'));
  const history = await world.client.call('history.list', { ticket: id });
  expect(
    history
      .map((e) => e.kind)
      .toReversed()
      .slice(0, 3),
  ).toEqual(['taken', 'evidence', 'observed-kill']);
  const saved = await world.cli('evidence', id, '--json', '--output', path);
  expect(JSON.parse(saved.stdout)).toMatchObject({ ticket: id, collected: false });
  const files = unpack(path);
  expect(files['README.md']).toContain(`# ${name}`);
  expect(files['README.md']).toContain('Started by: Octopus Tentacle');
  expect(files['README.md']).toContain('command lines of scripts of an agent are kept nowhere');
  expect(files['processes.txt']).toMatch(/^ *\d+ sleep: sleeping/m);
  expect(files['open-files.txt']).toContain('half-written');
  expect(files['log.txt']).toContain('Acquiring isolation mutex RunningScript');
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining(['wait-reasons.txt', 'kernel-stacks.txt', 'file-locks.txt']),
  );
  expect(JSON.stringify(files)).not.toMatch(/3599|hunter2|TentacleInstanceName/);
});

test('unjam ps, agents, why and abandon take the id of an observed script', async () => {
  await using world = await World.open();
  await using _standIn = runner(world, polite);
  const { id } = await untilObserved(world, 'github');
  expect((await world.cli('ps')).stdout).toContain(id);
  expect((await world.cli('agents')).stdout).toContain('octo/shop / deploy');
  expect((await world.cli('why', id)).stdout).toContain('octo/shop / deploy');
  const abandon = await world.cli('abandon', id);
  expect(abandon.status).not.toBe(0);
  expect(abandon.stderr).toContain('cannot release what GitHub Actions runner holds');
});

test('an agent that is not to be looked at is listed no more, and not as ended', async () => {
  await using world = await World.open();
  await using _standIn = runner(world, polite);
  const { id } = await untilObserved(world, 'github');
  await world.client.call('settings.set', { values: { ignoredAgents: ['github'] } });
  expect((await world.client.call('agents.list', {})).known.map(({ key }) => key)).not.toContain('github');
  const left = await untilListed(world, (list) => list.every((s) => s.id !== id));
  expect(left.map((s) => s.agent.key)).not.toContain('github');
});

test('why of a script of Unjam names the lock of the machine that it waits for, and who has it', async () => {
  await using world = await World.open();
  const lock = join(world.home, 'deploy.lock');
  await world.client.call('settings.set', { values: { lockPaths: [lock] } });
  await using _standIn = runner(world, `exec flock '${lock}' sleep 600\n`);
  const { id } = await untilObserved(world, 'github');
  await untilLocks(world, lock, (l) => l.holder.script === id);
  await world.start(`exec flock '${lock}' true`, { ticket: 'waiter' });
  const { holder, waiters } = await untilLocks(world, lock, (l) => l.waiters.length > 0);
  expect(waiters).toMatchObject([{ name: 'flock', script: 'waiter', seen: 'kernel' }]);
  const why = await world.client.call('scripts.why', { ticket: 'waiter' });
  expect(why.findings[0]).toMatchObject({
    key: 'waits-for-foreign-lock',
    text: `PID ${waiters[0]!.pid} (flock) waits for the lock of deploy.lock, which PID ${holder.pid} (flock) of ${id} has.`,
  });
  expect((await world.cli('locks')).stdout).toContain(
    [
      'On this host, not Unjam’s (never released by Unjam)',
      `  deploy.lock  ${lock}`,
      `    holds  flock (PID ${holder.pid}) of octo/shop / deploy (GitHub Actions runner), ${id}, flock`,
      `    waits  flock (PID ${waiters[0]!.pid}) of waiter`,
      '    It is free when its holder has ended.',
    ].join('\n'),
  );
});

async function untilListed(
  world: World,
  wanted: (list: readonly ObservedView[]) => boolean,
): Promise<readonly ObservedView[]> {
  for (;;) {
    const list = await world.client.call('observed.list', {});
    if (wanted(list)) return list;
    await delay(50);
  }
}

type Lock = ForeignLocks['locks'][number];

async function untilLocks(world: World, path: string, wanted: (lock: Lock) => boolean): Promise<Lock> {
  for (;;) {
    const { locks } = await world.client.call('foreignLocks.list', {});
    const found = locks.find((l) => l.path === path && wanted(l));
    if (found) return found;
    await delay(50);
  }
}

const aim = (s: { process: { pid: number; startTime: string } | null }) => ({
  pid: s.process!.pid,
  startTime: s.process!.startTime,
});
