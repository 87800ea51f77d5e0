/** Scripts that run under the hold of the script that started them: with their own end, and never a silent hand-over. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as wreck from '../support/wreck.ts';
import { root, World } from '../support/world.ts';

const cli = `${process.execPath} ${new URL('../../dist/cli.js', import.meta.url).pathname}`;
const web = { isolation: { level: 'full', mutex: 'web' } } as const;
const inside = (world: World) => ({
  ...web,
  environment: { ...(process.env as Record<string, string>), UNJAM_HOME: world.home },
});
const waits = 'echo up; while [ ! -e go ]; do sleep 0.02; done; exit 5';
const go = (world: World): void => writeFileSync(join(world.home, 'go'), '');
const holders = async (world: World) => (await world.client.call('locks.list', {}))[0]?.holders ?? [];

/** `outer` starts `inner` under the same mutex and its hold; a third script waits behind both. */
async function nested(world: World, afterwards = 'sleep 3600') {
  const start = `${cli} start --ticket inner --mutex web --inherit-hold -- bash -c '${waits}'`;
  const outer = await world.start(`${start} && ${afterwards}`, { ...inside(world), ticket: 'outer' });
  const third = await world.start('exit 4', web);
  await world.untilLogged('outer', 'inner');
  await world.untilLogged('inner', 'up');
  return { outer, third };
}

test('it runs at once with the fence of its holder, beside it and past the queue, and says so', async () => {
  await using world = await World.open();
  const { third } = await nested(world);
  const [outer, inner] = await holders(world);
  expect(outer).toMatchObject({ ticket: 'outer' });
  expect(inner).toMatchObject({ ticket: 'inner', fence: outer?.fence, under: 'outer' });
  expect((await world.get('inner')).fence).toBe(outer?.fence);
  expect(await world.log('inner')).toMatch(/W107 Runs under the hold of .*\(ticket outer, fence 1\) of mutex "web"/);
  expect((await world.cli('locks')).stdout).toContain('fence 1, under the hold of outer');
  go(world);
  expect(await world.untilFinal('inner')).toMatchObject({ verdict: 'exited', exitCode: 5 });
  expect(await holders(world)).toMatchObject([{ ticket: 'outer' }]);
  expect(await world.get(third.ticket)).toMatchObject({ state: 'queued' });
});

test('its holder exits first: the mutex stays held by it, and the holder’s log says by whom', async () => {
  await using world = await World.open();
  const { third } = await nested(world, 'echo leaving');
  expect(await world.untilFinal('outer')).toMatchObject({ verdict: 'exited', exitCode: 0 });
  expect(await holders(world)).toMatchObject([{ ticket: 'inner', fence: 1 }]);
  await world.untilLogged('outer', 'I109');
  expect(await world.log('outer')).toMatch(/I109 .*"bash .*" runs on under it, so the mutex stays held/);
  expect(await world.get(third.ticket)).toMatchObject({ state: 'queued', waitingFor: 'inner' });
  go(world);
  expect(await world.untilFinal(third.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
});

test('its holder is abandoned: the mutex stays held by it, Abandon says so, and a second Abandon frees it', async () => {
  await using world = await World.open();
  const { third } = await nested(world);
  expect((await world.get('outer')).verbs.abandon.text).toContain('stays held by');
  await world.client.call('scripts.abandon', { ticket: 'outer' });
  expect(await world.log('outer')).toMatch(
    /W221 .*released its hold of mutex "web"; ".*", which runs under the same hold, still holds it/,
  );
  expect(await holders(world)).toMatchObject([{ ticket: 'inner' }]);
  expect(await world.get(third.ticket)).toMatchObject({ state: 'queued' });
  await world.client.call('scripts.abandon', { ticket: 'inner' });
  expect(await world.untilFinal(third.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
  expect(await world.log(third.ticket)).toContain('W222');
});

test('its holder dies with its runner: the mutex stays held by it until it has ended', async () => {
  await using world = await World.open();
  const { third } = await nested(world);
  const tree = world.control.tree(wreck.runOf(world, 'outer').readStarted()!.scope).map((m) => m.identity);
  await wreck.end(world, wreck.runnerOf(world, 'outer'), ...tree);
  expect(await world.untilFinal('outer')).toMatchObject({ verdict: 'lost' });
  expect(await holders(world)).toMatchObject([{ ticket: 'inner' }]);
  expect(await world.get(third.ticket)).toMatchObject({ state: 'queued' });
  go(world);
  expect(await world.untilFinal(third.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
});

test('the host dies in between: the next one shows the same two holders', async () => {
  await using world = await World.open();
  await nested(world);
  const before = await holders(world);
  await world.restartHost();
  expect(await holders(world)).toEqual(before);
});

test('without a live hold to inherit nothing is started, whatever the environment claims', async () => {
  await using world = await World.open();
  const isolation = { ...web.isolation, inheritHold: true };
  const held = await world.startHung('web');
  const over = await world.start('true', { isolation: { level: 'full', mutex: 'db' }, waitMs: 20_000 });
  for (const claim of ['none', '', 'f00', wreck.runOf(world, over.ticket).readSpec()!.runId]) {
    const refused = await world.start('touch ran', {
      isolation,
      environment: { ...(process.env as Record<string, string>), UNJAM_RUN: claim },
      waitMs: 20_000,
    });
    expect(refused).toMatchObject({ verdict: 'failed-to-start', resultCode: -42 });
    await world.untilLogged(refused.ticket, 'no script that it was started from holds mutex "web"');
  }
  expect(await holders(world)).toMatchObject([{ ticket: held.ticket }]);
  expect((await world.cli('run', '--inherit-hold', '--', 'true')).stderr).toContain('without the name of a mutex');
});

test('a script that would wait for the one that started it is refused, and both logs say so', async () => {
  await using world = await World.open();
  await world.start(`${cli} start --ticket inner --mutex web -- true; sleep 3600`, {
    ...inside(world),
    ticket: 'outer',
  });
  await world.untilLogged('outer', 'W108');
  expect(await world.log('outer')).toMatch(/W108 This script started "true" \(ticket inner\) under mutex "web"/);
  expect(await world.untilFinal('inner')).toMatchObject({ verdict: 'failed-to-start' });
});

test('a script asks whether it still holds its mutex: yes, also under the hold of another; no, once it was abandoned', async () => {
  await using world = await World.open();
  const page = readFileSync(join(root, 'docs/scripts.md'), 'utf8');
  const [, example = ''] = /```sh\n(unjam check-fence[^]*?)```/.exec(page) ?? [];
  const step = example.replace('unjam', cli);
  writeFileSync(join(world.home, 'switch-over.sh'), 'echo switched >> said');
  const { ticket } = await world.start(
    `${step}
${cli} hold --mutex WEB --inherit-hold -- ${cli} check-fence; echo "joined $?" >> said
UNJAM_HOME=$PWD/gone ${cli} check-fence; echo "gone $?" >> said
env -u UNJAM_FENCE ${cli} check-fence; echo "outside $?" >> said
echo up; until [ -e go ]; do sleep 0.02; done
(${step}); echo "abandoned $?" >> said; touch over`,
    inside(world),
  );
  await world.untilLogged(ticket, 'up');
  const log = await world.log(ticket);
  expect(log).toContain('The hold of mutex "web" (fence 1) is still this script\'s.');
  expect(log).toMatch(/still this script's cannot be told\. The state directory ".*gone" is missing/);
  expect(log).toContain('UNJAM_FENCE is not set');
  await world.client.call('scripts.abandon', { ticket });
  go(world);
  await world.until(ticket, (s) => !s.orphan);
  expect(existsSync(join(world.home, 'over'))).toBe(true);
  const said = readFileSync(join(world.home, 'said'), 'utf8').trim().split('\n');
  expect(said).toEqual(['switched', 'joined 0', 'gone 177', 'outside 2', 'abandoned 176']);
  const { ticket: next } = await world.start('true', {
    ...inside(world),
    cleanup: { command: ['bash', '-c', `${cli} check-fence`], timeoutMs: 60_000, when: 'always' },
  });
  await world.untilFinal(next);
  expect(await world.log(next)).toContain("(fence 2) is still this script's.");
});
