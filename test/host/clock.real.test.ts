/** Wall clocks that are hours wrong, and that differ between processes: nothing is concluded from them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScriptView } from '../../app/contract/methods.ts';
import { Mutexes } from '../../app/locks/index.ts';
import * as wreck from '../support/wreck.ts';
import { World } from '../support/world.ts';

const web = { isolation: { level: 'full', mutex: 'web' } } as const;

/** The environment of a Node whose wall clock is that many hours ahead; its monotonic clock goes on as it is. */
function clock(hours: number): NodeJS.ProcessEnv {
  const program = `const Real = Date, ms = ${hours * 3_600_000};
    globalThis.Date = class extends Real {
      constructor(...a) { if (a.length === 0) super(Real.now() + ms); else super(...a); }
      static now() { return Real.now() + ms; }
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}` };
}

/** Asks for the script alone: by such a clock it may have ended too long ago for the first screen. */
async function until(world: World, ticket: string, state: Partial<ScriptView>): Promise<void> {
  for (;;) {
    const seen = await world.get(ticket);
    if (Object.entries(state).every(([key, value]) => seen[key as keyof ScriptView] === value)) return;
    await new Promise((r) => setTimeout(r, 10));
  }
}

test.each([
  [30, -30],
  [-30, 30],
])(
  'hosts whose clocks are %i h and then %i h off find everything as it was, and the queue goes on',
  async (one, two) => {
    await using world = await World.open();
    const wait = (go: string): string => `echo up; while [ ! -e ${go} ]; do sleep 0.02; done; exit 7`;
    const done = await world.start('exit 3', { waitMs: 20_000 });
    const holder = await world.start(wait('go1'), { ...web, timeoutMs: 3_600_000, noOutputTimeoutMs: 3_600_000 });
    const waiter = await world.start(wait('go2'), { isolation: { ...web.isolation, timeoutMs: 3_600_000 } });
    const orphan = await world.startHung('db');
    for (const { ticket } of [holder, orphan])
      await world.untilLogged(ticket, ticket === holder.ticket ? 'up' : 'copying');
    await world.client.call('scripts.abandon', { ticket: orphan.ticket });
    const fences: number[] = [];

    for (const hours of [one, two]) {
      await world.killHost();
      await world.startHost(clock(hours));
      await new Promise((r) => setTimeout(r, 1_200)); // a look of the host
      expect(await world.get(done.ticket)).toMatchObject({ verdict: 'exited', exitCode: 3 });
      expect(await world.get(holder.ticket)).toMatchObject({ state: 'running', holdsMutex: true, blocks: 1 });
      expect(await world.get(waiter.ticket)).toMatchObject({ state: 'queued', queuePosition: 1 });
      expect(await world.get(orphan.ticket)).toMatchObject({ verdict: 'abandoned', orphan: true });
      const other = await world.start('exit 4', { isolation: { level: 'full', mutex: 'other' }, waitMs: 20_000 });
      expect(other).toMatchObject({ verdict: 'exited', exitCode: 4 });
      fences.push((await world.get(other.ticket)).fence ?? 0);
    }
    expect(fences).toEqual([1, 2]);

    writeFileSync(join(world.home, 'go1'), '');
    await until(world, holder.ticket, { verdict: 'exited', exitCode: 7, holdsMutex: false });
    await until(world, waiter.ticket, { state: 'running' });
    writeFileSync(join(world.home, 'go2'), '');
    await until(world, waiter.ticket, { verdict: 'exited', exitCode: 7 });
    await world.client.call('scripts.kill', { ticket: orphan.ticket });
    await until(world, orphan.ticket, { orphan: false });
    expect(await world.client.call('locks.list', {})).toEqual([]);
  },
);

test('limits of a script whose runner has gone count no hours that a clock was set ahead', async () => {
  await using world = await World.open();
  const limits = { timeoutMs: 3_600_000, noOutputTimeoutMs: 3_600_000 };
  const { ticket } = await world.start('echo up; while :; do sleep 1; done', limits);
  await world.untilLogged(ticket, 'up');
  await wreck.end(world, wreck.runnerOf(world, ticket));
  await world.killHost();
  await world.startHost(clock(30));
  await until(world, ticket, { state: 'orphaned' });
  // A limit that had passed would be told and acted on at once, before this Cancel.
  await world.client.call('scripts.cancel', { ticket, graceMs: 3_600_000, escalate: false });
  await world.untilFinal(ticket);
  expect(await world.get(ticket)).toMatchObject({ timeout: null });
  expect(await world.log(ticket)).not.toMatch(/limit reached/);
});

test('a clock that is hours ahead may give up only what nobody was told of, and that never runs', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('true', { waitMs: 20_000 });
  const spec = wreck.runOf(world, ticket).readSpec()!;
  await world.killHost();
  const directory = wreck.runOf(world, 'young');
  directory.create();
  await directory.writeSpec({ ...spec, ticket: 'young', runId: 'young', createdAt: Date.now() });
  await world.startHost(clock(30));
  expect(await world.untilFinal('young')).toMatchObject({ verdict: 'never-started' });
  // The runner that the dead host had begun comes now: it is not first, and so it does not run the script.
  expect(directory.writeRunner({ schema: 1, protocol: 1, runner: wreck.runnerOf(world, ticket), claimedAt: 0 })).toBe(
    false,
  );
});

test('wrappers whose clocks are days apart take turns in the order in which they came', async () => {
  await using world = await World.empty();
  const command = 'echo "B $0" >> log; sleep 0.05; echo "E $0" >> log';
  const log = join(world.home, 'log');
  const hold = (n: number, hours: number) =>
    world.cliWith(clock(hours), 'hold', '--mutex', 'web', '--', 'bash', '-c', command, String(n));
  const first = world.cliWith(
    clock(-48),
    'hold',
    '--mutex',
    'web',
    '--',
    'bash',
    '-c',
    'while [ ! -e go ]; do sleep 0.02; done',
  );
  const mutexes = join(world.home, 'mutexes');
  while (!existsSync(mutexes)) await new Promise((r) => setTimeout(r, 5));
  const queued = (): number => new Mutexes(mutexes, world.control).open('web').read().queue.length;
  while (new Mutexes(mutexes, world.control).open('web').read().holders.length === 0)
    await new Promise((r) => setTimeout(r, 5));
  const all = [];
  for (const [n, hours] of [48, -48, 0, 30].entries()) {
    all.push(hold(n, hours));
    while (queued() < n + 1) await new Promise((r) => setTimeout(r, 5));
  }
  writeFileSync(join(world.home, 'go'), '');
  expect((await Promise.all([first, ...all])).map((r) => r.status)).toEqual([0, 0, 0, 0, 0]);
  expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([0, 1, 2, 3].flatMap((n) => [`B ${n}`, `E ${n}`]));
});
