import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

test('a cancelled script that exits 0 is cancelled, with its raw code', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('trap "echo cleaned; exit 0" TERM; echo up; while :; do sleep 0.05; done');
  await world.untilLogged(ticket, 'up');
  await world.client.call('scripts.cancel', { ticket });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'cancelled', exitCode: 0, resultCode: -43 });
  expect(await world.log(ticket)).toMatch(/cleaned\n[^]*I203 PID \d+ .* exited .* after Cancel \(exit code 0\)/);
});

test('Cancel takes a waiter out of the queue at once; its process never starts', async () => {
  await using world = await World.open();
  await world.startHung();
  const waiter = await world.start('echo started', { isolation: { level: 'full', mutex: 'web' } });
  await world.client.call('scripts.cancel', { ticket: waiter.ticket });
  expect(await world.untilFinal(waiter.ticket)).toMatchObject({ verdict: 'cancelled', pid: null, resultCode: -43 });
  expect((await world.client.call('locks.list', {}))[0]?.waiters).toEqual([]);
  expect(await world.log(waiter.ticket)).not.toContain('started\n');
});

test('Abandon of a waiter removes it from the queue and ends nothing', async () => {
  await using world = await World.open();
  const hung = await world.startHung();
  const waiter = await world.start('echo started', { isolation: { level: 'full', mutex: 'web' } });
  expect(await world.client.call('scripts.abandon', { ticket: waiter.ticket })).toMatchObject({
    verdict: 'cancelled',
    resultCode: -43,
    pid: null,
  });
  expect(await world.get(hung.ticket)).toMatchObject({ state: 'running' });
});

test('the verbs on a final script answer with its real verdict', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('exit 5', { waitMs: 20_000 });
  for (const verb of ['scripts.cancel', 'scripts.kill', 'scripts.abandon'] as const)
    expect(await world.client.call(verb, { ticket })).toMatchObject({ verdict: 'exited', exitCode: 5, resultCode: 5 });
});

test('Abandon twice gives the same answer, and the first reason stays', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  const first = await world.client.call('scripts.abandon', { ticket, reason: 'one' });
  const second = await world.client.call('scripts.abandon', { ticket, reason: 'two' });
  expect(second).toMatchObject({ verdict: first.verdict, resultCode: -48 });
  expect(await world.log(ticket)).not.toContain('two');
});

test('a child that left the group by setsid is found and force killed with the tree', async () => {
  await using world = await World.open();
  const { ticket } = await world.start(
    'setsid bash -c "trap \\"\\" TERM; echo escaped; sleep 3600" & (setsid sleep 3600 &) ; trap "" TERM; sleep 3600',
  );
  await world.untilLogged(ticket, 'escaped');
  while ((await world.get(ticket)).processes.length < 3);
  await world.client.call('scripts.kill', { ticket });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
  expect((await world.get(ticket)).processes).toEqual([]);
});

test('a child that outlives a cancelled root keeps the mutex held until Force Kill', async () => {
  await using world = await World.open();
  const { ticket } = await world.start(
    'bash -c "trap \\"\\" TERM; echo child; sleep 3600; :" & trap "exit 3" TERM; wait; wait',
    { isolation: { level: 'full', mutex: 'web' } },
  );
  await world.untilLogged(ticket, 'child');
  await world.client.call('scripts.cancel', { ticket, graceMs: 300, escalate: false });
  await world.until(ticket, (s) => s.condition.key === 'cancel-ignored');
  expect(await world.log(ticket)).toMatch(/W204 PID \d+ .* exited after Cancel, but .* of its tree are still running/);
  expect((await world.client.call('locks.list', {}))[0]?.holders).toHaveLength(1);
  await world.client.call('scripts.kill', { ticket });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed', exitCode: 3 });
});

test('what a script leaves running on purpose does not keep its mutex', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('setsid sleep 3600 & echo service started', {
    isolation: { level: 'full', mutex: 'web' },
    waitMs: 20_000,
  });
  expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
  expect(await world.log(ticket)).toContain('I105 The script exited and left 1 process running');
  expect(await world.client.call('locks.list', {})).toEqual([]);
  for (const p of (await world.get(ticket)).processes) process.kill(p.pid, 'SIGKILL');
});

test('a stopped script can be cancelled: it is woken up to act on the signal', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('trap "exit 6" TERM; echo up; kill -STOP $$; while :; do sleep 0.05; done');
  await world.untilLogged(ticket, 'up');
  await world.client.call('scripts.cancel', { ticket, escalate: false });
  expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'cancelled', exitCode: 6 });
});

test.each(['SIGINT', 'SIGQUIT', 'SIGHUP'] as const)(
  'the configured cancel signal %s is the one that arrives',
  async (cancelSignal) => {
    await using world = await World.open();
    const { ticket } = await world.start(
      `trap "echo got; exit 9" ${cancelSignal.slice(3)}; echo up; while :; do sleep 0.05; done`,
      { cancelSignal },
    );
    await world.untilLogged(ticket, 'up');
    await world.client.call('scripts.cancel', { ticket, escalate: false });
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'cancelled', exitCode: 9 });
  },
);

test('the overall and the no-output limit end a script and say which it was', async () => {
  await using world = await World.open();
  const overall = await world.start('while :; do echo tick; sleep 0.05; done', { timeoutMs: 300, graceMs: 100 });
  const silent = await world.start('echo once; sleep 3600', { noOutputTimeoutMs: 300, graceMs: 100 });
  expect(await world.untilFinal(overall.ticket)).toMatchObject({ verdict: 'timed-out', timeout: 'overall' });
  expect(await world.untilFinal(silent.ticket)).toMatchObject({ verdict: 'timed-out', timeout: 'no-output' });
  expect(await world.log(silent.ticket)).toMatch(/W231 Output limit reached/);
});

test('half of either limit is told, again after new output, and short limits are not', async () => {
  await using world = await World.open();
  const tick = (ticket: string): string =>
    `echo tick; until grep -q W232 runs/${ticket}/events.ndjson; do sleep 0.05; done; echo tick; sleep 3600`;
  const silent = await world.start(tick('silent'), { ticket: 'silent', noOutputTimeoutMs: 3_000, graceMs: 100 });
  const overall = await world.start(tick('overall'), { ticket: 'overall', timeoutMs: 2_000, graceMs: 100 });
  const short = await world.start('sleep 3600', { timeoutMs: 300, graceMs: 100 });
  for (const { ticket } of [silent, overall, short]) await world.untilFinal(ticket);
  const told = async (ticket: string): Promise<string[]> => (await world.log(ticket)).match(/W232 .*/g) ?? [];
  expect(await told(overall.ticket)).toEqual([expect.stringContaining('has run for 1.0 s of 2.0 s')]);
  expect(await told(silent.ticket)).toEqual([
    expect.stringContaining('half of the output limit of 3.0 s'),
    expect.stringContaining('half of the output limit of 3.0 s'),
  ]);
  expect(await told(short.ticket)).toEqual([]);
});

test('a waiter is told once that the holder of its mutex looks stuck, also by the next host', async () => {
  await using world = await World.open();
  const hung = await world.startHung();
  const waiter = await world.start('exit 0', { isolation: { level: 'full', mutex: 'web' } });
  await world.untilLogged(hung.ticket, 'copying');
  await world.client.call('scripts.cancel', { ticket: hung.ticket, escalate: false, graceMs: 50 });
  await world.untilLogged(waiter.ticket, 'W102 ');
  expect(await world.log(waiter.ticket)).toMatch(
    new RegExp(
      `W102 The holder of mutex "web", .*\\(ticket ${hung.ticket}, PID ${hung.pid}\\), looks stuck\\. .*Cancel.*Next: an operator on`,
    ),
  );
  await world.restartHost();
  await world.client.call('scripts.kill', { ticket: hung.ticket });
  await world.untilFinal(waiter.ticket);
  expect((await world.log(waiter.ticket)).match(/W102/g)).toHaveLength(1);
});

test('a waiter gives up after its mutex timeout, names the holder, and never starts', async () => {
  await using world = await World.open();
  const { ticket: holder } = await world.startHung();
  const waiter = await world.start('echo no', { isolation: { level: 'full', mutex: 'web', timeoutMs: 200 } });
  expect(await world.untilFinal(waiter.ticket)).toMatchObject({
    verdict: 'timed-out',
    timeout: 'mutex',
    resultCode: -44,
    pid: null,
  });
  expect(await world.log(waiter.ticket)).toContain(`(ticket ${holder}`);
});

test('shared scripts run side by side; an exclusive one waits for all of them', async () => {
  await using world = await World.open();
  const shared = await Promise.all(
    [1, 2, 3].map(() =>
      world.start('while [ ! -e go ]; do sleep 0.02; done', { isolation: { level: 'none', mutex: 'web' } }),
    ),
  );
  const exclusive = await world.start('echo alone', { isolation: { level: 'full', mutex: 'web' } });
  const late = await world.start('echo late', { isolation: { level: 'none', mutex: 'web' } });
  const [mutex] = await world.client.call('locks.list', {});
  expect(mutex?.holders).toHaveLength(3);
  expect(mutex?.waiters.map((w) => w.ticket)).toEqual([exclusive.ticket, late.ticket]);
  expect(mutex?.waiters[1]?.why).toContain('waits behind');
  writeFileSync(`${world.home}/go`, '');
  for (const { ticket } of [...shared, exclusive, late])
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
});

test('the same ticket never runs twice, though 200 callers ask at once', async () => {
  await using world = await World.open();
  const ticket = 'Deploy-42';
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      world.start('echo run >> runs.txt; sleep 0.1', { ticket: i % 2 ? ticket : ticket.toLowerCase() }),
    ),
  );
  expect(new Set(answers.map((a) => a.ticket.toLowerCase()))).toEqual(new Set(['deploy-42']));
  await world.untilFinal(answers[0]?.ticket ?? '');
  await world.start('echo run >> runs.txt', { ticket });
  expect(readFileSync(`${world.home}/runs.txt`, 'utf8')).toBe('run\n');
});

test('a script with the ticket of one that two remove at the same time keeps its files and its place', async () => {
  await using world = await World.open();
  const pids = join(world.home, 'pids');
  const ticket = 'again';
  try {
    for (let round = 0; round < 10; round += 1) {
      // What holds the output open makes a removal take its time.
      await world.start(`sleep 3600 & echo $! >> '${pids}'`, { ticket });
      await world.untilFinal(ticket);
      const complete = () => world.client.call('scripts.complete', { ticket }).catch(() => undefined);
      const first = complete();
      for (let i = 0; i < round; i += 1) await world.client.call('host.info', {});
      const second = complete();
      await first;
      await world.startHung('web', { ticket });
      await second;
      expect(await world.get(ticket)).toMatchObject({ state: 'running' });
      expect(readdirSync(join(world.home, 'runs', ticket))).toContain('spec.json');
      await world.client.call('scripts.kill', { ticket });
      await world.untilFinal(ticket);
      await world.client.call('scripts.complete', { ticket });
    }
  } finally {
    for (const pid of readFileSync(pids, 'utf8').trim().split('\n')) process.kill(Number(pid), 'SIGKILL');
  }
});

test('complete removes a finished script, refuses a running one, and waits for an orphan', async () => {
  await using world = await World.open();
  const done = await world.start('exit 0', { waitMs: 20_000 });
  expect(await world.client.call('scripts.complete', { ticket: done.ticket })).toEqual({
    removed: true,
    warning: null,
  });
  expect(await world.refusal(world.get(done.ticket))).toMatchObject({ code: 'unknown-ticket' });

  const { ticket } = await world.startHung();
  expect(await world.refusal(world.client.call('scripts.complete', { ticket }))).toMatchObject({ code: 'not-final' });
  await world.untilLogged(ticket, 'copying');
  await world.client.call('scripts.abandon', { ticket });
  expect(await world.client.call('scripts.complete', { ticket })).toMatchObject({
    removed: false,
    warning: expect.stringContaining('W223') as string,
  });
  const gone = new Promise<void>((resolve) => {
    const stop = world.client.on('snapshot', (s) => {
      if (s.scripts.some((x) => x.ticket === ticket)) return;
      stop();
      resolve();
    });
  });
  await world.client.call('scripts.kill', { ticket });
  await gone;
});

test('a decision on an old view, or on another process, is refused with a sentence', async () => {
  await using world = await World.open();
  const seen = await world.startHung();
  await world.untilLogged(seen.ticket, 'copying');
  const target = { ticket: seen.ticket, version: (await world.get(seen.ticket)).version };
  await world.client.call('scripts.cancel', { ...target, escalate: false, graceMs: 50 });
  expect(await world.refusal(world.client.call('scripts.kill', target))).toMatchObject({ code: 'stale-version' });
  expect(
    await world.refusal(
      world.client.call('scripts.kill', { ticket: seen.ticket, process: { pid: seen.pid ?? 0, startTime: '1' } }),
    ),
  ).toMatchObject({ code: 'other-process' });
  expect(await world.log(seen.ticket)).toMatch(
    /W216 Force Kill requested by kim .* was refused: .* Nothing was ended\./,
  );
  expect(await world.get(seen.ticket)).toMatchObject({ pid: seen.pid, verdict: null });
});

test('a script started inside another under the same mutex is a deadlock: it is refused, not waited for', async () => {
  await using world = await World.open();
  const outer = await world.start(
    `exec ${process.execPath} ${new URL('../../dist/cli.js', import.meta.url).pathname} run --mutex web --isolation full -- echo inner`,
    {
      isolation: { level: 'full', mutex: 'web' },
      environment: { ...(process.env as Record<string, string>), UNJAM_HOME: world.home },
    },
  );
  const final = await world.untilFinal(outer.ticket);
  expect(final).toMatchObject({ verdict: 'exited', exitCode: 170 });
  expect(await world.log(outer.ticket)).toContain('a deadlock');
});

test('a notify command is told once, with the verdict and a stable completion id', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('exit 3', {
    notify: ['bash', '-c', 'echo "$UNJAM_TICKET $UNJAM_VERDICT $UNJAM_EXIT_CODE $UNJAM_COMPLETION_ID" >> told.txt'],
    waitMs: 20_000,
  });
  while (!existsSync(`${world.home}/runs/${ticket}/delivered.json`)) await new Promise((r) => setTimeout(r, 10));
  await world.restartHost();
  expect(readFileSync(`${world.home}/told.txt`, 'utf8')).toMatch(
    new RegExp(`^${ticket} exited 3 [0-9a-f-]+:exited\\n$`),
  );
});

test('an address is posted to until it takes the end, with an id that a consumer can drop repeats by', async () => {
  await using world = await World.open();
  const taken: { key: unknown; trace: unknown; body: unknown }[] = [];
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      taken.push({ key: request.headers['idempotency-key'], trace: request.headers['traceparent'], body });
      response.writeHead(taken.length === 1 ? 503 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { ticket } = await world.start('echo one; echo two; exit 3', {
    notify: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/done`],
    environment: { PATH: process.env['PATH'] ?? '', TRACEPARENT: traceparent },
    waitMs: 20_000,
  });
  while (!existsSync(`${world.home}/runs/${ticket}/delivered.json`)) await new Promise((r) => setTimeout(r, 10));
  server.close();
  const body = {
    completionId: taken[0]?.key,
    ticket,
    name: expect.any(String) as string,
    verdict: 'exited',
    exitCode: 3,
    signal: null,
    resultCode: 3,
    lastOutput: 'one\ntwo',
    traceparent,
  };
  expect((await world.client.call('scripts.get', { ticket })).traceparent).toBe(traceparent);
  expect(taken).toEqual([
    { key: expect.stringMatching(/:exited$/) as string, trace: traceparent, body },
    { key: taken[0]?.key, trace: traceparent, body },
  ]);
});

test('the clean-up command runs after a cancel, within its bound', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('trap "exit 1" TERM; echo up; while :; do sleep 0.05; done', {
    cleanup: { command: ['bash', '-c', 'echo cleaning >&2'], timeoutMs: 5_000 },
  });
  await world.untilLogged(ticket, 'up');
  await world.client.call('scripts.cancel', { ticket });
  await world.untilFinal(ticket);
  expect(await world.log(ticket)).toMatch(/cleaning\n[^]*I240 The clean-up command finished/);
});
