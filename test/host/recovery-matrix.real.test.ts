/** Every row of the recovery matrix, produced with real processes and files: what is concluded, and what is left alone. */
import { mkdirSync, readdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunnerRequest } from '../../app/domain/events.ts';
import * as wreck from '../support/wreck.ts';
import { World } from '../support/world.ts';

const waiting = 'echo up; while [ ! -e go ]; do sleep 0.02; done; exit 7';
/** Ends well when it is asked to stop. */
const polite = 'trap "exit 0" TERM INT; echo up; while :; do sleep 0.02; done';
const web = { isolation: { level: 'full', mutex: 'web' } } as const;
const kim = { user: 'kim', via: 'api' } as const;

const go = (world: World): void => writeFileSync(join(world.home, 'go'), '');
const ask = (request: Partial<RunnerRequest> & Pick<RunnerRequest, 'verb'>): RunnerRequest =>
  ({ id: '1', at: 0, actor: kim, reason: null, evidence: [], signal: null, graceMs: null, escalate: true, ...request }) as RunnerRequest; // prettier-ignore

/** A running script whose host is dead. */
async function alone(script: string, options: Parameters<World['start']>[1] = {}): Promise<[World, string]> {
  const world = await World.open();
  const { ticket } = await world.start(script, { ...web, ...options });
  await world.untilLogged(ticket, 'up');
  await world.killHost();
  return [world, ticket];
}

async function mutexIsFree(world: World): Promise<void> {
  const next = await world.start('true', { ...web, waitMs: 20_000 });
  expect(next).toMatchObject({ verdict: 'exited', exitCode: 0 });
}

describe('exit.json stands, the runner died before the verdict', () => {
  test('the stored code is the verdict', async () => {
    const [world, ticket] = await alone(waiting);
    await using _ = world;
    await wreck.dieBeforeVerdict(world, ticket, () => go(world));
    await world.startHost();
    expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7, holdsMutex: false });
    await mutexIsFree(world);
  });

  test.each([
    ['cancelled', ask({ verb: 'cancel' }), {}],
    ['killed', ask({ verb: 'kill' }), {}],
    ['timed-out', null, { timeoutMs: 1_500 }],
  ] as const)('an end that it had begun is the verdict: %s, never a success', async (verdict, request, options) => {
    const [world, ticket] = await alone(polite, options);
    await using _ = world;
    await wreck.dieBeforeVerdict(world, ticket, () => {
      if (request) wreck.runOf(world, ticket).request(request);
    });
    await world.startHost();
    expect(await world.get(ticket)).toMatchObject({ verdict, exitCode: verdict === 'killed' ? null : 0 });
    await mutexIsFree(world);
  });
});

describe('the runner lives', () => {
  test('but is suspended and its heartbeat stale: nothing is concluded, and it goes on', async () => {
    const [world, ticket] = await alone(waiting);
    await using _ = world;
    const runner = wreck.runnerOf(world, ticket);
    process.kill(runner.pid, 'SIGSTOP');
    const old = Date.now() / 1_000 - 3_600;
    utimesSync(wreck.runOf(world, ticket).heartbeatPath, old, old);
    await world.startHost();
    expect(await world.get(ticket)).toMatchObject({ state: 'running', verdict: null, holdsMutex: true });
    go(world);
    while (world.control.liveness(wreck.rootOf(world, ticket)) === 'alive') await new Promise((r) => setTimeout(r, 10));
    await new Promise((r) => setTimeout(r, 1_500)); // a look of the host: the script is gone, its runner is not
    expect(await world.get(ticket)).toMatchObject({ verdict: null, holdsMutex: true });
    process.kill(runner.pid, 'SIGCONT');
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
  });
});

describe.skipIf(!wreck.canReusePids)('a pid that was used again', () => {
  test('of runner and script: the script is lost, strangers are not touched', async () => {
    const [world, ticket] = await alone(waiting);
    await using _ = world;
    const [runner, root] = [wreck.runnerOf(world, ticket), wreck.rootOf(world, ticket)];
    const tree = world.control.tree(wreck.runOf(world, ticket).readStarted()!.scope).map((m) => m.identity);
    await wreck.end(world, runner, ...tree);
    const strangers = [await wreck.reuse(runner.pid), await wreck.reuse(root.pid)];
    await world.startHost();
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'lost', resultCode: -46 });
    expect(await world.log(ticket)).toMatch(new RegExp(`W303 Lost: .*PID ${root.pid} belongs to another program now`));
    await world.client.call('scripts.kill', { ticket });
    await mutexIsFree(world);
    expect(strangers.map((s) => [s.exitCode, s.signalCode])).toEqual([[null, null], [null, null]]); // prettier-ignore
  });

  test('of the runner alone: the script is orphaned, and Force Kill ends it, not the stranger', async () => {
    const [world, ticket] = await alone(waiting);
    await using _ = world;
    const runner = wreck.runnerOf(world, ticket);
    await wreck.end(world, runner);
    const stranger = await wreck.reuse(runner.pid);
    await world.startHost();
    await world.until(ticket, (s) => s.state === 'orphaned');
    await world.client.call('scripts.kill', { ticket });
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
    await mutexIsFree(world);
  });
});

test('another boot: who ran is lost, who waited was never started, and the mutex is free', async () => {
  const world = await World.open();
  await using _ = world;
  const ran = await world.start(waiting, web);
  const waited = await world.start('echo never', web);
  await world.untilLogged(ran.ticket, 'up');
  await world.killHost();
  const tree = world.control.tree(wreck.runOf(world, ran.ticket).readStarted()!.scope).map((m) => m.identity);
  const runners = [ran, waited].map((s) => wreck.runnerOf(world, s.ticket));
  await wreck.end(world, runners[1]!, runners[0]!, ...tree);
  wreck.reboot(world);
  await world.startHost();
  expect(await world.untilFinal(ran.ticket)).toMatchObject({ verdict: 'lost' });
  expect(await world.log(ran.ticket)).toContain('restarted');
  expect(await world.untilFinal(waited.ticket)).toMatchObject({ verdict: 'never-started' });
  await mutexIsFree(world);
});

describe('a spec that no runner has taken', () => {
  test('was never started after a minute, also when the clock was set since; a younger one waits', async () => {
    const world = await World.open();
    await using _ = world;
    const { ticket } = await world.start('true', { waitMs: 20_000 });
    const spec = wreck.runOf(world, ticket).readSpec()!;
    await world.killHost();
    const ages = { old: 61_000, young: 1_000, future: -3_600_000 };
    for (const [name, age] of Object.entries(ages)) {
      const directory = wreck.runOf(world, name);
      directory.create();
      await directory.writeSpec({ ...spec, ticket: name, runId: name, createdAt: Date.now() - age });
    }
    await world.startHost();
    expect(await world.untilFinal('old')).toMatchObject({ verdict: 'never-started', resultCode: -47 });
    expect(await world.get('young')).toMatchObject({ state: 'starting', verdict: null });
    expect(await world.get('future')).toMatchObject({ state: 'starting', verdict: null });
    // A runner that comes late is not first any more, and does not run it.
    expect(wreck.runOf(world, 'old').readRunner()?.runner).toMatchObject({ pid: 0 });
  });
});

describe('files that a power cut has emptied', () => {
  const torn = async (file: string, script: string, ended: boolean): Promise<[World, string]> => {
    const [world, ticket] = await alone(script);
    if (ended) {
      go(world);
      await wreck.untilFile(join(wreck.runOf(world, ticket).path, 'tree.json'));
    }
    await wreck.end(world, wreck.runnerOf(world, ticket));
    truncateSync(join(wreck.runOf(world, ticket).path, file));
    await world.startHost();
    return [world, ticket];
  };

  test('verdict.json: it is concluded anew from exit.json, and that one holds', async () => {
    const [world, ticket] = await torn('verdict.json', waiting, true);
    await using _ = world;
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
    await world.restartHost();
    expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
    await mutexIsFree(world);
  });

  test('started.json: the living script is found by its cookie and can be force killed', async () => {
    const [world, ticket] = await torn('started.json', waiting, false);
    await using _ = world;
    await world.until(ticket, (s) => s.state === 'orphaned');
    await world.client.call('scripts.kill', { ticket });
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
    await mutexIsFree(world);
  });

  test.each(['events.ndjson', 'tree.json', 'index', 'heartbeat'])('%s: the verdict is the same', async (file) => {
    const [world, ticket] = await torn(file, waiting, true);
    await using _ = world;
    expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
    await mutexIsFree(world);
  });

  test('spec.json: the others go on, and a ticket that nobody acknowledged can be used', async () => {
    const world = await World.empty();
    await using _ = world;
    mkdirSync(join(world.home, 'runs', 'half', 'requests'), { recursive: true });
    writeFileSync(join(world.home, 'runs', 'half', 'spec.json'), '');
    await world.startHost();
    expect(await world.start('true', { ticket: 'half', waitMs: 20_000 })).toMatchObject({ verdict: 'exited' });
    expect(readdirSync(join(world.home, 'runs'))).toEqual(['half']);
  });
});

test('a finished script is shown the same by every later host, also when an older version wrote its last word', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('echo up; exit 7', { ...web, waitMs: 20_000 });
  const path = join(wreck.runOf(world, ticket).path, 'tree.json');
  await wreck.untilFile(path);
  const before = await world.get(ticket);
  expect(wreck.runOf(world, ticket).readTree()).toMatchObject({ spec: { ticket }, verdict: { kind: 'exited' } });
  await world.restartHost();
  expect(await world.get(ticket)).toEqual(before);
  await world.killHost();
  const { schema, emptyAt, left } = wreck.runOf(world, ticket).readTree()!;
  writeFileSync(path, JSON.stringify({ schema, emptyAt, left }));
  await world.startHost();
  expect(await world.get(ticket)).toEqual(before);
});

test('a host that died right after the verdict of an abandon is completed by the next one', async () => {
  const [world, ticket] = await alone(waiting);
  await using _ = world;
  wreck.runOf(world, ticket).writeVerdict({
    schema: 1, kind: 'abandoned', timeout: null, exitCode: null, signal: null, at: Date.now(), durationMs: null, detail: null, actor: kim,
  }); // prettier-ignore
  await world.startHost();
  await wreck.untilFile(join(wreck.runOf(world, ticket).path, 'abandoned.json'));
  expect(wreck.runOf(world, ticket).readAbandoned()).toMatchObject({ actor: kim });
  go(world);
  await wreck.untilFile(join(wreck.runOf(world, ticket).path, 'tree.json'));
  expect(await world.log(ticket)).toContain('abandoned');
  expect(await world.get(ticket)).toMatchObject({ verdict: 'abandoned' });
  await mutexIsFree(world);
});
