/** Twenty ways in which a process stays behind its script: Force Kill ends each, or its exit status says that it did not. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { World } from '../support/world.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const asOther = 'setpriv --reuid=61234 --regid=61234 --clear-groups';

/** Each ends in a `sleep N`, and N names it among all processes of the machine; null when nothing keeps the script itself. */
const ways: readonly (readonly [string, string])[] = [
  ['a daemon in a session of its own', 'setsid -f sleep N'],
  ['a double fork', '( ( sleep N & ) & )'],
  ['nohup', 'nohup sleep N >/dev/null 2>&1 &'],
  ['another user', `${asOther} sleep N &`],
  ['another user in a session of its own', `setsid -f ${asOther} sleep N`],
  ['another pid namespace', 'unshare -pf sleep N &'],
  ['other mounts and another network', 'unshare -mn sleep N &'],
  ['a child that ignores every polite signal', `(trap '' TERM INT HUP QUIT; exec sleep N) &`],
  ['a stopped child', 'sleep N & until grep -q sleep /proc/$!/comm; do :; done; kill -STOP $!'],
  ['twenty at once', 'for i in $(seq 20); do (sleep N &); done'],
  ['a parent of a zombie', `bash -c 'true & exec sleep N' &`],
  ['one that keeps the output open', 'setsid -f sleep N </dev/null'],
  ['one that keeps nothing open', 'setsid -f sleep N </dev/null >/dev/null 2>&1'],
  ['one that calls itself something else', `bash -c 'exec -a [kworker/0:1] sleep N' &`],
  ['a process group of its own', 'timeout 99999 sleep N &'],
  ['job control', 'set -m; sleep N & set +m'],
  ['an empty environment', 'env -i /bin/sleep N &'],
  ['another root folder', 'chroot / sleep N &'],
  [
    'one that starts another when it is told to end',
    `bash -c 'trap "setsid -f sleep N; exit" TERM; touch /dev/null; setsid -f sleep N; while :; do /bin/sleep 1; done' &`,
  ],
  ['the lowest priority', 'nice -n 19 sleep N &'],
];

let next = 4_100_000 + (process.pid % 10_000) * 100;

/** PIDs of living processes with that argument. */
function living(argument: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
        return words.at(-2) === argument && !words.includes('-c');
      } catch {
        return false;
      }
    });
}

describe.runIf(isRoot)('what stays behind as', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const left = async (way: string, end: string, options: Parameters<World['start']>[1] = {}) => {
    const argument = String((next += 1));
    const { ticket } = await world.start(`${way.replaceAll(/\bN\b/g, argument)}\necho ready\n${end}`, options);
    await world.untilLogged(ticket, 'ready');
    while (living(argument).length === 0) await new Promise((r) => setTimeout(r, 10));
    return { ticket, argument };
  };
  const killed = async (ticket: string, argument: string): Promise<void> => {
    const { status, stdout, stderr } = await world.cli('kill', ticket, '--yes');
    const alive = living(argument);
    for (const pid of alive) process.kill(pid, 'SIGKILL');
    expect({ status, alive }, stdout + stderr).toEqual({ status: 0, alive: [] });
  };

  test.each(ways)('%s is ended with its script', async (_, way) => {
    const { ticket, argument } = await left(way, 'sleep 3600');
    await killed(ticket, argument);
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
  });

  test.each(ways.filter(([name]) => !name.includes('when it is told')))(
    '%s can be seen and ended when its script has exited by itself',
    async (_, way) => {
      const { ticket, argument } = await left(way, 'exit 3');
      await world.untilFinal(ticket);
      expect(living(argument)).not.toEqual([]);
      await killed(ticket, argument);
      expect(await world.get(ticket)).toMatchObject({ verdict: 'exited', exitCode: 3 });
    },
  );

  test('a child of a script whose shell was killed by somebody is ended', async () => {
    const { ticket, argument } = await left('sleep N &', 'kill -9 $$');
    await world.untilFinal(ticket);
    await killed(ticket, argument);
  });

  test('what a clean-up command started is ended before the mutex is free', async () => {
    const argument = String((next += 1));
    const cleanup = { command: ['bash', '-c', `setsid -f sleep ${argument}; sleep 3600`], timeoutMs: 500 } as const;
    const { ticket } = await world.start('echo ready; sleep 3600', {
      isolation: { level: 'full', mutex: 'cleaned' },
      cleanup: { ...cleanup, command: [...cleanup.command] },
    });
    await world.untilLogged(ticket, 'ready');
    const second = await world.start(`echo "$(pgrep -fc 'sleep ${argument}$')"`, {
      isolation: { level: 'full', mutex: 'cleaned' },
    });
    await world.cli('kill', ticket, '--yes');
    expect(await world.untilFinal(second.ticket)).toMatchObject({ verdict: 'exited' });
    expect(living(argument)).toEqual([]);
  });
});
