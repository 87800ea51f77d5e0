import { expect, test } from 'vitest';
import { actingUser, World } from '../support/world.ts';

test('a hung script is listed with its pid, its mutex and who waits behind it', async () => {
  await using world = await World.open();
  const hung = await world.startHung();
  const waiter = await world.start('echo api deployed', {
    name: 'Deploy api / step 1',
    isolation: { level: 'full', mutex: 'WEB' },
  });

  const [first, second] = await world.client.call('scripts.list', {});
  expect(first).toMatchObject({ ticket: hung.ticket, state: 'running', blocks: 1, holdsMutex: true });
  expect(first?.pid).toBeGreaterThan(1);
  expect(second).toMatchObject({
    ticket: waiter.ticket,
    state: 'queued',
    queuePosition: 1,
    waitingFor: hung.ticket,
    pid: null,
  });
  expect(await world.log(waiter.ticket)).toContain(
    `Waiting for mutex "WEB". Held by "Deploy web / step 4" (ticket ${hung.ticket}, PID ${first?.pid}`,
  );

  const [mutex] = await world.client.call('locks.list', {});
  expect(mutex).toMatchObject({
    holders: [{ ticket: hung.ticket, pid: first?.pid, level: 'full' }],
    waiters: [{ ticket: waiter.ticket, position: 1 }],
  });
});

test('Cancel sends the signal, gives the grace, and says that it was ignored', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  const cancelling = await world.client.call('scripts.cancel', {
    ticket,
    graceMs: 400,
    escalate: false,
    reason: 'INC-1',
  });
  expect(cancelling.condition.key).toBe('cancelling');
  await world.until(ticket, (s) => s.condition.key === 'cancel-ignored');
  const log = await world.log(ticket);
  expect(log).toMatch(
    /W201 Cancel requested by kim \(as \w+\) \(api\) at \d\d:\d\d:\d\d, reason "INC-1"\. Sent SIGTERM to 2 processes .* root PID \d+ \(bash, started .*Mutex "web" stays held/,
  );
  expect(log).toMatch(
    /W205 Cancel ignored: .* 2 of 2 processes are still running .* Mutex "web" is still held\. .*Next: Force Kill\./,
  );
  expect(world.hostLog).toContain('W205');
});

test('Cancel with escalation ends the whole tree, and the verdict is cancelled', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  await world.client.call('scripts.cancel', { ticket, graceMs: 100 });
  const final = await world.untilFinal(ticket);
  expect(final).toMatchObject({ verdict: 'cancelled', signal: 'SIGKILL', exitCode: null, resultCode: -43 });
  expect((await world.get(ticket)).processes).toEqual([]);
  expect(await world.client.call('locks.list', {})).toEqual([]);
});

test('Force Kill ends the tree, proves it, and the next script runs', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  const next = await world.start('echo api deployed', { isolation: { level: 'full', mutex: 'web' } });
  await world.untilLogged(ticket, 'copying');
  await world.client.call('scripts.kill', { ticket });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
  expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
  expect(await world.log(ticket)).toMatch(
    /I212 Force Kill: (both|all \d) processes ended .* Mutex "web" released .* Next in line: /,
  );
});

test('Abandon frees the mutex while the process lives; the next script is told, the orphan is watched to its end', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  const next = await world.start('echo api deployed', {
    name: 'Deploy api',
    isolation: { level: 'full', mutex: 'web' },
  });
  await world.untilLogged(ticket, 'copying');

  const abandoned = await world.client.call('scripts.abandon', { ticket, reason: 'INC-4471' });
  expect(abandoned).toMatchObject({ state: 'final', verdict: 'abandoned', resultCode: -48, orphan: true });
  expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
  expect(await world.log(next.ticket)).toMatch(
    /W222 Mutex "web" acquired .* while abandoned PID \d+ .* NOT isolated from each other/,
  );
  expect(await world.log(ticket)).toMatch(
    /W221 ABANDONED by kim \(as \w+\) \(api\).*INC-4471.*NOTHING WAS ENDED: 2 processes/,
  );
  const orphan = (await world.get(ticket)).processes;
  expect(orphan).toHaveLength(2);

  await world.client.call('scripts.kill', { ticket });
  const ended = await world.until(ticket, (s) => !s.orphan);
  expect(ended).toMatchObject({ verdict: 'abandoned', condition: { key: 'orphan-exited' } });
  expect(await world.log(ticket)).toContain('I224 Orphan exited');
  const history = await world.client.call('history.list', { ticket });
  expect(history.map((e) => e.kind)).toEqual(expect.arrayContaining(['started', 'abandoned', 'kill', 'orphan-ended']));
  expect(history.find((e) => e.kind === 'abandoned')).toMatchObject({ who: actingUser, via: 'api', code: 'W221' });
});

test('an orphan that ends by itself keeps the verdict and adds its exit code and output', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('trap "echo late; exit 7" USR1; echo first; while :; do sleep 0.05; done', {
    isolation: { level: 'full', mutex: 'web' },
  });
  await world.untilLogged(ticket, 'first');
  const { pid } = await world.client.call('scripts.abandon', { ticket });
  process.kill(pid ?? 0, 'SIGUSR1');
  const ended = await world.until(ticket, (s) => !s.orphan);
  expect(ended).toMatchObject({ verdict: 'abandoned', exitCode: 7 });
  const log = await world.log(ticket);
  expect(log).toContain('late');
  expect(log).toMatch(/I224 .*exit code 7\. It wrote 5 bytes/);
});

test('Abandon with hold-queue keeps the next script out until the mutex is resumed', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  const next = await world.start('echo ok', { isolation: { level: 'full', mutex: 'web' } });
  await world.client.call('scripts.abandon', { ticket, holdQueue: true });
  expect(await world.get(next.ticket)).toMatchObject({ state: 'queued', condition: { key: 'paused' } });
  await world.client.call('locks.resume', { name: 'web' });
  expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
});
