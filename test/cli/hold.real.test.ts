/** `unjam hold`: a mutex around a command without any host, which stays held as long as the command lives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MutexState } from '../../app/domain/mutex.ts';
import { Mutexes } from '../../app/locks/index.ts';
import { root, World } from '../support/world.ts';

const program = join(root, 'dist/cli.js');
const waits = 'echo $$ > pid; while [ ! -e go ]; do sleep 0.02; done; exit 5';
const go = (world: World): void => writeFileSync(join(world.home, 'go'), '');

/** The mutex as the files have it; no host is asked. */
const read = (world: World): MutexState => new Mutexes(join(world.home, 'mutexes'), world.control).open('web').read();

interface Wrapper {
  readonly child: ChildProcess;
  readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

function wrap(world: World, command: readonly string[], ...options: string[]): Wrapper {
  const child = spawn(process.execPath, [program, 'hold', '--mutex', 'web', ...options, '--', ...command], {
    env: { ...process.env, UNJAM_HOME: world.home },
    cwd: world.home,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const status = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ended = Promise.all([status, text(child.stdout), text(child.stderr)]).then(([s, stdout, stderr]) => ({
    status: s,
    stdout,
    stderr,
  }));
  return { child, ended };
}

const secret = 'hunter2-hold';

/** A wrapper whose command runs, and the command's pid. */
async function running(world: World, before: readonly string[] = []): Promise<Wrapper & { pid: number }> {
  const wrapper = wrap(world, [...before, 'bash', '-c', waits]);
  while (!existsSync(join(world.home, 'pid')) || readFileSync(join(world.home, 'pid'), 'utf8') === '') await delay(5);
  const pid = Number(readFileSync(join(world.home, 'pid'), 'utf8'));
  onTestFinished(() => {
    const identity = world.control.identify(pid);
    if (identity) world.control.end(identity);
  });
  return { ...wrapper, pid };
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await delay(5);
};

describe.skipIf(process.platform === 'win32')('unjam hold', () => {
  test('hands on input, output and exit code, says nothing when it need not wait, and starts no host', async () => {
    await using world = await World.empty();
    const { child, ended } = wrap(world, ['bash', '-c', 'cat; echo "$UNJAM_MUTEX $UNJAM_FENCE"; echo e >&2; exit 7']);
    child.stdin?.end('in\n');
    expect(await ended).toEqual({ status: 7, stdout: 'in\nweb 1\n', stderr: 'e\n' });
    expect(read(world)).toMatchObject({ holders: [], queue: [], fence: 1 });
    expect(existsSync(join(world.home, 'host.json'))).toBe(false);
  });

  test('waits in the queue, says whom it waits for, and runs when that one has ended', async () => {
    await using world = await World.empty();
    const first = await running(world);
    const second = wrap(world, ['echo', 'mine']);
    await until(() => read(world).queue.length === 1);
    const third = wrap(world, ['true'], '--timeout', '50ms', '--name', 'impatient');
    expect(await third.ended).toMatchObject({ status: 172, stdout: '' });
    expect((await third.ended).stderr).toMatch(/Gave up waiting for mutex "web".*held by "bash -c/);
    go(world);
    expect(await first.ended).toMatchObject({ status: 5 });
    expect(await second.ended).toMatchObject({ status: 0, stdout: 'mine\n' });
    const { stderr } = await second.ended;
    expect(stderr).toMatch(/Waiting for mutex "web"\. Held by "bash -c .*PID \d+/);
    expect(stderr).toMatch(/acquired .* after waiting/);
  });

  test('is shown by a host as a holder that nobody supervises, its command without secrets; scripts and wrappers keep each other out', async () => {
    await using world = await World.open();
    const { ended, pid } = await running(world, ['env', `DB_PASSWORD=${secret}`]);
    const script = await world.start('exit 4', { isolation: { level: 'full', mutex: 'WEB' } });
    expect(await world.client.call('locks.list', {})).toMatchObject([
      { holders: [{ pid, level: 'full', fence: 1, unsupervised: true }], waiters: [{ ticket: script.ticket }] },
    ]);
    const shown = (await world.cli('locks')).stdout;
    expect(shown).toContain('by "unjam hold": not supervised');
    // It is named after its command.
    expect(shown).toContain('env DB_PASSWORD=[hidden] bash -c');
    expect(`${shown} ${JSON.stringify(read(world))} ${world.hostLog}`).not.toContain(secret);
    expect(await world.get(script.ticket)).toMatchObject({ state: 'queued', blocks: 0, holder: { pid } });
    const behind = wrap(world, ['true']);
    await until(() => read(world).queue.length === 2);
    go(world);
    expect(await ended).toMatchObject({ status: 5 });
    expect(await world.untilFinal(script.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
    expect(await behind.ended).toMatchObject({ status: 0 });
  });

  test('when the wrapper is killed the mutex stays held while the command lives, and is free afterwards', async () => {
    await using world = await World.empty();
    const { child, pid } = await running(world);
    child.kill('SIGKILL');
    const next = wrap(world, ['true']);
    await until(() => read(world).queue.length === 1);
    const mutex = new Mutexes(join(world.home, 'mutexes'), world.control).open('web');
    for (let looks = 0; looks < 3; looks += 1)
      expect(await mutex.reap()).toMatchObject({ holders: [{ scope: { root: { pid } } }], queue: [{}] });
    expect(next.child.exitCode).toBeNull();
    go(world);
    expect(await next.ended).toMatchObject({ status: 0 });
    expect(world.control.identify(pid)).toBeNull();
  });

  test('while wrappers are killed at any moment, commands never overlap, and none is left waiting', async () => {
    await using world = await World.empty();
    const log = join(world.home, 'log');
    writeFileSync(log, '');
    const command = 'echo "B $0" >> log; sleep 0.02; echo "E $0" >> log';
    const all = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await delay(i * 40);
        const { child, ended } = wrap(world, ['bash', '-c', command, String(i)]);
        if (i % 3 !== 0) setTimeout(() => child.kill('SIGKILL'), 20 + Math.random() * 400);
        return ended;
      }),
    );
    const mutex = new Mutexes(join(world.home, 'mutexes'), world.control).open('web');
    while ((await mutex.reap()).holders.length > 0) await delay(10); // a command whose wrapper is gone
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    const inOrder = lines.flatMap((line, i) => (i % 2 === 0 ? [line, line.replace('B', 'E')] : []));
    expect(lines).toEqual(inOrder);
    expect(new Set(lines).size).toBe(lines.length);
    for (const [i, { status }] of all.entries()) if (i % 3 === 0) expect(status, String(i)).toBe(0);
    expect(mutex.read()).toMatchObject({ holders: [], queue: [] });
  });

  test('hands SIGTERM on to its command and stays until that has gone', async () => {
    await using world = await World.empty();
    const { child, ended, pid } = await running(world);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 143 });
    expect(world.control.identify(pid)).toBeNull();
    expect(read(world).holders).toEqual([]);
  });

  test('leaves the queue when it is interrupted while it waits, and runs nothing', async () => {
    await using world = await World.empty();
    await running(world);
    const { child, ended } = wrap(world, ['touch', 'ran']);
    await until(() => read(world).queue.length === 1);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ status: 130 });
    expect((await ended).stderr).toContain('The command was not run.');
    expect(read(world).queue).toEqual([]);
    expect(existsSync(join(world.home, 'ran'))).toBe(false);
  });

  test('inside another one it is a deadlock, unless it asks to run under that hold', async () => {
    await using world = await World.empty();
    const inner = (...options: string[]): string =>
      `"${process.execPath}" "${program}" hold --mutex web ${options.join(' ')} -- bash -c 'echo fence $UNJAM_FENCE'`;
    const refused = await wrap(world, ['bash', '-c', inner()]).ended;
    expect(refused).toMatchObject({ status: 170, stdout: '' });
    expect(refused.stderr).toContain('a deadlock');
    const joined = await wrap(world, ['bash', '-c', inner('--inherit-hold')]).ended;
    expect(joined).toMatchObject({ status: 0, stdout: 'fence 2\n' });
    expect(joined.stderr).toContain('NOT isolated from each other');
    expect(await wrap(world, ['true'], '--inherit-hold').ended).toMatchObject({ status: 170 });
  });

  test('a hold that an operator takes away is told, and gives nothing back that is another’s', async () => {
    await using world = await World.empty();
    const { ended } = await running(world);
    const mutex = new Mutexes(join(world.home, 'mutexes'), world.control).open('web');
    const [held] = read(world).holders;
    await mutex.abandon(held?.id ?? '', { user: 'kim', via: 'cli' }, null, false);
    const next = wrap(world, ['sleep', '600']);
    await until(() => read(world).holders[0]?.scope !== undefined && read(world).holders[0]?.scope !== null);
    expect(read(world).abandoned).toHaveLength(1);
    go(world);
    expect((await ended).stderr).toContain('was taken away while the command ran');
    expect(read(world)).toMatchObject({ holders: [{ fence: 2 }], abandoned: [] });
    next.child.kill('SIGTERM');
    await next.ended;
  });

  test.each([
    [['--isolation', 'half', '--mutex', 'web'], 'not an isolation level', 2],
    [['--mutex', 'a\nb'], 'one line of visible characters', 2],
    [[], 'no mutex to hold', 2],
    [['--mutex', 'web', '--timeout', '5ms'], 'out of range', 2],
  ])('refuses %j and runs nothing', async (options, sentence, status) => {
    await using world = await World.empty();
    const refused = await world.cli('hold', ...options, '--', 'touch', 'ran');
    expect(refused).toMatchObject({ status, stdout: '' });
    expect(refused.stderr).toContain(sentence);
    expect(existsSync(join(world.home, 'ran'))).toBe(false);
    expect(await world.cli('hold', '--mutex', 'web', '--', 'no-such-command')).toMatchObject({ status: 1 });
  });

  test('an operator takes the mutex from it: the next one runs beside it, and everybody is told', async () => {
    await using world = await World.open();
    const { ended, pid } = await running(world);
    const { ticket } = read(world).holders[0] ?? { ticket: '' };
    const next = await world.start('exit 4', { isolation: { level: 'full', mutex: 'web' } });
    const locked = await world.cli('locks');
    expect(locked.stdout).toContain(`(${ticket}, PID ${pid}) full`);
    expect(locked.stdout).toContain(`to take the mutex away: unjam abandon ${ticket}`);
    const said = await world.cli('abandon', ticket, '--reason', 'INC-7');
    expect(said).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).toMatch(new RegExp(`orphan .* \\(${ticket}, PID ${pid}\\) abandoned by`));
    expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
    const [entry] = (await world.client.call('history.list', { ticket })).filter((e) => e.code === 'W221');
    expect(entry?.text).toMatch(
      new RegExp(
        `^The hold of .*"unjam hold"\\) was ABANDONED by .*reason "INC-7"\\. Unjam released mutex "web"\\. NOTHING WAS ENDED: .*PID ${pid} `,
      ),
    );
    await expect(world.client.call('locks.abandon', { ticket })).rejects.toThrow('No command under "unjam hold"');
    go(world);
    const { status, stderr } = await ended;
    expect(status).toBe(5);
    expect(stderr).toContain('was taken away while the command ran: it was not isolated to its end');
    await until(() => read(world).abandoned.length === 0);
  });
});
