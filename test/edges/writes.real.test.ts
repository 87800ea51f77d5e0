/** What a script writes: every byte, in order, in its log and with who follows it, however it opens its output. Linux. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { canMount, SmallDisk } from '../support/small-disk.ts';
import { World } from '../support/world.ts';
import { end, runnerOf, runOf, untilFile } from '../support/wreck.ts';

const onLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;

/** Script, then what its two logs must hold. */
type Case = readonly [name: string, script: string, stdout: string, stderr: string];

const cases: readonly Case[] = [
  ['prints as usual', 'echo one; echo two >&2; printf three', 'one\nthree', 'two\n'],
  [
    'prints a warning to /dev/stdout between other lines',
    'echo one; echo two; echo WARN > /dev/stdout; echo last',
    'one\ntwo\nWARN\nlast\n',
    '',
  ],
  [
    'prints errors to /dev/stderr, as thousands of scripts do',
    'for n in 1 2 3; do echo $n; echo "error $n" > /dev/stderr; done',
    '1\n2\n3\n',
    'error 1\nerror 2\nerror 3\n',
  ],
  ['appends to /dev/stdout', 'echo one; echo two >> /dev/stdout; echo three', 'one\ntwo\nthree\n', ''],
  ['opens /proc/self/fd/2', 'echo one >&2; echo two > /proc/self/fd/2; echo three >&2', '', 'one\ntwo\nthree\n'],
  ['opens /dev/fd/1', 'echo one; echo two > /dev/fd/1; echo three', 'one\ntwo\nthree\n', ''],
  ['uses tee /dev/stderr', 'echo one >&2; echo two | tee /dev/stderr; echo three >&2', 'two\n', 'one\ntwo\nthree\n'],
  ['uses tee -a /dev/stderr', 'echo one | tee -a /dev/stderr >/dev/null; echo two >&2', '', 'one\ntwo\n'],
  ['truncates /dev/stderr', 'echo one >&2; : > /dev/stderr; truncate -s 0 /dev/stderr; echo two >&2', '', expect.stringMatching(/^one\n[^]*two\n$/) as string], // prettier-ignore
  ['prints from awk to "/dev/stderr"', `awk 'BEGIN { print "one" > "/dev/stderr"; print "two" }'`, 'two\n', 'one\n'],
  ['copies with dd of=/dev/stdout', 'echo one; echo two | dd of=/dev/stdout status=none; echo three', 'one\ntwo\nthree\n', ''], // prettier-ignore
  [
    'sends all that follows elsewhere',
    'echo one; exec >kept; echo two; exec >/dev/stderr; echo three',
    'one\n',
    'three\n',
  ],
  ['keeps its output on another descriptor', 'exec 5>&1 >/dev/null; echo lost; echo one >&5; echo two >/dev/fd/5', 'one\ntwo\n', ''], // prettier-ignore
  ['swaps its outputs', 'exec 3>&1 1>&2 2>&3; echo one; echo two >&2', 'two\n', 'one\n'],
  ['closes its output', 'echo one; exec >&- 2>&-; echo two; true', 'one\n', ''],
  ['opens its output for reading and writing', 'exec 3<>/dev/stderr; echo one >&3; echo two >&2', '', 'one\ntwo\n'],
  ['writes bytes that are no text', `printf 'a\\000b\\377c\\r\\n'`, 'a\0b\xffc\r\n', ''],
  [
    'says it through a background child at the very end',
    '(sleep .1; echo late) & echo early; wait',
    'early\nlate\n',
    '',
  ],
  ['leaves the last words to a child that it does not wait for', 'bash -c "echo child; echo grandchild > /dev/stderr" & wait; echo done', 'child\ndone\n', 'grandchild\n'], // prettier-ignore
  ['runs a program in a terminal of its own', 'script -qec "echo in a terminal" /dev/null </dev/null; echo after', 'in a terminal\r\nafter\n', ''], // prettier-ignore
  [
    'makes its output writable for all, as images do',
    'chmod o+w /dev/stdout /dev/stderr; echo one > /dev/stdout',
    'one\n',
    '',
  ],
  ['writes less than a line at a time', 'for n in 1 2 3 4 5; do printf $n; sleep .02; done', '12345', ''],
];

describe.runIf(onLinux)('a script that', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** Its logs and what a follower got, when it has ended by itself. */
  async function outputOf(script: string) {
    const ticket = `t-${createHash('sha256').update(script).digest('hex').slice(0, 12)}`;
    const ran = await world.cli('run', '--ticket', ticket, '--', 'bash', '-c', script);
    const { stdoutPath, stderrPath } = runOf(world, ticket);
    return { ...ran, out: readFileSync(stdoutPath, 'latin1'), err: readFileSync(stderrPath, 'latin1') };
  }

  test.each(cases)('%s loses nothing', async (_, script, stdout, stderr) => {
    expect(await outputOf(script)).toMatchObject({ status: 0, out: stdout, err: stderr });
  });

  test('is followed loses nothing to its follower', async () => {
    const ran = await outputOf('for n in $(seq 200); do echo $n; echo "e $n" > /dev/stderr; done');
    const numbers = Array.from({ length: 200 }, (_, n) => n + 1);
    expect(ran.stdout).toBe(numbers.map((n) => `${n}\n`).join(''));
    expect(ran.stderr).toBe(numbers.map((n) => `e ${n}\n`).join(''));
  });

  test.runIf(isRoot).each([
    ['su', 'su nobody -s /bin/bash -c'],
    ['setpriv', 'setpriv --reuid=65534 --regid=65534 --clear-groups bash -c'],
  ])('runs a part as another user, with %s, loses nothing of that', async (_, as) => {
    const script = `echo one; ${as} 'echo two; echo three > /dev/stdout; echo four > /dev/stderr; : > /dev/stderr'; echo five`;
    expect(await outputOf(script)).toMatchObject({ out: 'one\ntwo\nthree\nfive\n', err: 'four\n' });
  });

  test('has ten thousand small writers loses no line', async () => {
    const ran = await outputOf(
      'for n in $(seq 100); do for m in $(seq 100); do echo $n.$m >/dev/stdout & done; wait; done',
    );
    expect(ran.out.trimEnd().split('\n').sort()).toEqual(
      Array.from({ length: 10_000 }, (_, k) => `${Math.floor(k / 100) + 1}.${(k % 100) + 1}`).sort(),
    );
  }, 600_000); // ten thousand processes: minutes on a busy machine

  test('writes a hundred megabytes loses no byte', async () => {
    const { ticket } = await world.start('seq 1 20000000 | head -c 100000000; echo end');
    await world.untilFinal(ticket);
    const log = readFileSync(runOf(world, ticket).stdoutPath);
    expect(log.length).toBe(100_000_004);
    const first = Array.from({ length: 50_000 }, (_, n) => `${n + 1}\n`).join('');
    expect(log.subarray(0, first.length).toString()).toBe(first);
    expect(log.subarray(-4).toString()).toBe('end\n');
  });

  test('starts a daemon keeps that daemon’s output, and says at complete that it still writes', async () => {
    const { ticket } = await world.start(
      '(setsid bash -c "until [ -e stop ]; do echo tick; sleep .05; done" &); echo up',
    );
    await world.untilFinal(ticket);
    const { stdoutPath } = runOf(world, ticket);
    const size = readFileSync(stdoutPath).length;
    while (readFileSync(stdoutPath).length < size + 25) await delay(20);
    expect(existsSync(stdoutPath)).toBe(true);
  });
});

/** Of a script's output: the shell that looks after the drains, and the two drains. */
function drainsOf(world: World, ticket: string): { shell: ProcessIdentity; cats: ProcessIdentity[] } {
  const shell = runOf(world, ticket).readStarted()!.scope.drain!;
  const group = world.control.snapshot().filter((p) => p.session === shell.pid);
  return { shell, cats: group.filter((p) => p.identity.name === 'cat').map((p) => p.identity) };
}

describe.runIf(onLinux)('output is recorded on when', () => {
  const counting =
    'n=0; until [ -e stop ]; do n=$((n+1)); echo $n; echo "e $n" > /dev/stderr; sleep .01; done; echo end';

  async function counted(wreck: (world: World, ticket: string) => Promise<void>, mayLose = 0): Promise<void> {
    await using world = await World.open();
    const { ticket } = await world.start(counting);
    const run = runOf(world, ticket);
    const grown = async (): Promise<void> => {
      for (const size = readFileSync(run.stdoutPath).length; readFileSync(run.stdoutPath).length < size + 60;)
        await delay(10);
    };
    await grown();
    await wreck(world, ticket);
    await grown();
    const { root } = run.readStarted()!.scope;
    writeFileSync(join(world.home, 'stop'), '');
    while (world.control.liveness(root) !== 'dead') await delay(5);
    while (!readFileSync(run.stdoutPath, 'utf8').endsWith('end\n')) await delay(5);
    const numbers = (path: string): number[] =>
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .filter((line) => line !== 'end')
        .map((line) => Number(/^(?:e )?(\d+)$/.exec(line)?.[1]));
    for (const path of [run.stdoutPath, run.stderrPath]) {
      const written = numbers(path);
      expect(written).toEqual([...written].sort((a, b) => a - b));
      expect(written.at(-1)! - written.length).toBeLessThanOrEqual(mayLose);
    }
  }

  test('the host is killed', () => counted((world) => world.killHost()));

  test('the runner is killed', () => counted((world, ticket) => end(world, runnerOf(world, ticket))));

  test('host and runner are killed', () =>
    counted(async (world, ticket) => {
      await world.killHost();
      await end(world, runnerOf(world, ticket));
    }));

  test.runIf(canMount)('the disk was full, but for what it refused; that is said, and no echo fails', async () => {
    await using disk = await SmallDisk.open();
    const { world, elsewhere } = disk;
    const many = `head -c 100000 /dev/zero | tr '\\0' x`;
    const { ticket } = await world.start(
      `cd ${elsewhere}; echo first; until [ -e full ]; do sleep .05; done; for n in 1 2 3; do ${many} || : >failed; done; : >written; until [ -e free ]; do sleep .05; done; echo again >/dev/stderr; echo; echo last`,
    );
    await world.untilLogged(ticket, 'first');
    disk.fill();
    writeFileSync(join(elsewhere, 'full'), '');
    await untilFile(join(elsewhere, 'written'));
    disk.free();
    writeFileSync(join(elsewhere, 'free'), '');
    expect(await world.untilFinal(ticket)).toMatchObject({ exitCode: 0 });
    const { stdoutPath, stderrPath } = runOf(world, ticket);
    expect(readFileSync(stdoutPath, 'utf8')).toMatch(/^first\nx*\nlast\n$/);
    expect(readFileSync(stderrPath, 'utf8')).toBe('again\n');
    expect(existsSync(join(elsewhere, 'failed'))).toBe(false);
    expect(await world.log(ticket)).toContain('W242');
  });

  test('somebody kills every cat, but for what they had read at that moment', () =>
    counted((world, ticket) => end(world, ...drainsOf(world, ticket).cats), 3));

  test('somebody kills the shell that looks after them', () =>
    counted((world, ticket) => end(world, drainsOf(world, ticket).shell)));
});
