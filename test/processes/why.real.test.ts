/** `unjam why` on real processes: each waits for something else, and is named with what was measured. */
import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../app/contract/methods.ts';
import { World } from '../support/world.ts';

type Key = Diagnosis['findings'][number]['key'];

/** Asks until the class is found: a process needs a moment to come to where it waits. */
async function untilFound(world: World, ticket: string, key: Key): Promise<Diagnosis['findings'][number]> {
  for (;;) {
    const { findings } = await world.client.call('scripts.why', { ticket });
    const found = findings.find((f) => f.key === key);
    if (found) return found;
    if ((await world.get(ticket)).state === 'final') throw new Error(JSON.stringify(findings));
  }
}

describe.runIf(process.platform === 'linux')('a script that', () => {
  test.each<[string, string, Key, RegExp]>([
    [
      'waits for its child',
      'sleep 3600; :',
      'waits-for-child',
      /PID \d+ \(bash\) waits for its child PID \d+ \(sleep\)/,
    ],
    ['sleeps', 'exec sleep 3600', 'waits-for-timer', /\(sleep\) is in a timed sleep.*in clock_nanosleep/],
    ['computes', 'while :; do :; done', 'cpu-busy', /PID \d+ \(bash\) is using CPU: \d+ ms of CPU in \d+ ms/],
    ['is stopped', 'kill -STOP $$; :', 'stopped', /PID (\d+) \(bash\) is stopped.*kill -CONT \1/],
    [
      'waits for a pipe within itself',
      'sleep 3600 | cat; :',
      'waits-for-pipe',
      /\(cat\) waits for data from a pipe \(descriptor 0\); the other end is open in PID \d+ \(sleep\)/,
    ],
    [
      'writes into a pipe that nobody empties',
      'yes | sleep 3600; :',
      'waits-for-pipe',
      /\(yes\) waits for room in a pipe \(descriptor 1\).*PID \d+ \(sleep\)/,
    ],
    [
      'waits for a named pipe that nobody opens',
      'mkfifo p; read line < p; :',
      'waits-for-pipe',
      /other end of a named pipe.*in openat, waits in wait_for_partner/,
    ],
    [
      'waits for input on a pipe that it keeps open itself',
      'mkfifo p; exec 0<> p; read line; :',
      'waits-for-input',
      /\(bash\) waits for its standard input, a pipe/,
    ],
    [
      'waits for a lock',
      'flock held -c "echo has; sleep 3600" & while [ ! -e held ]; do :; done; sleep 0.1; exec flock held true',
      'waits-for-lock',
      /\(flock\) waits for a lock \(flock\)/,
    ],
  ])('%s', async (_, script, key, says) => {
    await using world = await World.open();
    const { ticket } = await world.start(script);
    const found = await untilFound(world, ticket, key);
    expect([found.text, ...found.evidence, found.advice].join(' ')).toMatch(says);
  });

  test('waits for an answer from the network is named with the address', async () => {
    await using world = await World.open();
    const { ticket } = await world.start(
      `exec node -e 'const net=require("net");const s=net.createServer(()=>{}).listen(0,"127.0.0.1",()=>{const c=require("child_process").spawn("bash",["-c","exec 5<>/dev/tcp/127.0.0.1/"+s.address().port+"; read -u 5 line"],{stdio:"inherit"})})'`,
    );
    const found = await untilFound(world, ticket, 'waits-for-network');
    expect(found.text).toMatch(/PID \d+ \(bash\) waits for 127\.0\.0\.1:\d+ \(descriptor 5\)/);
  });

  test('waits for a mutex: the holder, and what to look at next', async () => {
    await using world = await World.open();
    const { ticket, pid } = await world.startHung();
    const waiter = await world.start('echo next', { isolation: { level: 'full', mutex: 'web' } });
    const { findings } = await world.client.call('scripts.why', { ticket: waiter.ticket });
    expect(findings).toMatchObject([{ key: 'waits-for-mutex', pids: [pid] }]);
    expect(findings[0]?.advice).toContain(`unjam why ${ticket}`);
    const printed = await world.cli('why', waiter.ticket);
    expect(printed.stdout).toMatch(
      /Has been waiting \d+ s for mutex "web"; "Deploy web \/ step 4" \(ticket .*position 1 of 1/s,
    );
    expect(printed.status).toBe(0);
  });

  test('ignores Cancel: which process ignores which signal', async () => {
    await using world = await World.open();
    const { ticket, pid } = await world.startHung();
    await world.untilLogged(ticket, 'copying');
    await world.client.call('scripts.cancel', { ticket, graceMs: 50, escalate: false });
    await world.until(ticket, (s) => s.condition.key === 'cancel-ignored');
    const found = await untilFound(world, ticket, 'cancel-ignored');
    expect(found.evidence).toContain(`PID ${pid} (bash) ignores SIGTERM`);
    const json = await world.cli('why', ticket, '--json');
    expect((JSON.parse(json.stdout) as Diagnosis).findings[0]).toMatchObject({ key: 'cancel-ignored' });
  });

  test('has a stopped runner', async () => {
    await using world = await World.open();
    const { ticket } = await world.startHung();
    const { runnerPid } = await world.get(ticket);
    process.kill(runnerPid ?? 0, 'SIGSTOP');
    expect((await untilFound(world, ticket, 'runner-stopped')).advice).toContain(`kill -CONT ${runnerPid}`);
    process.kill(runnerPid ?? 0, 'SIGCONT');
  });

  test('has a runner that gives no sign', async () => {
    await using world = await World.open();
    const { ticket } = await world.startHung();
    const heartbeat = join((await world.get(ticket)).runDirectory, 'heartbeat');
    for (let found = false; !found;) {
      utimesSync(heartbeat, 0, Date.now() / 1000 - 90); // the runner may touch it between this and the look
      const { findings } = await world.client.call('scripts.why', { ticket });
      found = findings.some((f) => f.key === 'runner-silent' && /no sign of life for 1 min 3\d s/.test(f.text));
    }
  });

  test('has ended: nothing is measured, and its verdict is said', async () => {
    await using world = await World.open();
    const { ticket } = await world.start('exit 3', { waitMs: 20_000 });
    const { findings, processes } = await world.client.call('scripts.why', { ticket });
    expect(findings.map((f) => f.key)).toEqual(['finished']);
    expect(findings[0]?.text).toContain('(exited)');
    expect(processes).toEqual([]);
  });
});

test('an unknown ticket is refused', async () => {
  await using world = await World.open();
  expect(await world.refusal(world.client.call('scripts.why', { ticket: 'none' }))).toMatchObject({
    code: 'unknown-ticket',
  });
  expect(existsSync(join(world.home, 'runs', 'none'))).toBe(false);
});
