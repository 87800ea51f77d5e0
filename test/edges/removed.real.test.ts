/** Somebody removes the state directory, or parts of it, while scripts run: never two holders, and what is lost is said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { World } from '../support/world.ts';
import { end, rootOf, runnerOf, runOf, untilFile } from '../support/wreck.ts';

const onLinux = process.platform === 'linux';
const db = { level: 'full', mutex: 'db' } as const;

/** While others write into it. */
const remove = (folder: string): void => rmSync(folder, { recursive: true, maxRetries: 50, retryDelay: 5 });

/** A folder that no test removes: what scripts wait for and tell lies there. */
function elsewhere(): string {
  const folder = join(tmpdir(), `unjam-elsewhere-${process.pid}-${Math.random().toString(36).slice(2)}`);
  mkdirSync(folder);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A script that prints all the time until `stop` is there, and exits with 7. */
const ticking = (at: string): string => `cd ${at}; until [ -e stop ]; do echo tick; sleep .05; done; exit 7`;

/** The folder of the world's own commands is removed here. */
const fromRoot = (world: World, ...args: string[]) => world.cliAt('/', {}, ...args);

/** What a command says once it says `text`. */
async function said(world: World, text: string, ...args: string[]): Promise<string> {
  for (;;) {
    const { stdout, stderr } = await fromRoot(world, ...args);
    if (`${stdout}${stderr}`.includes(text)) return stdout + stderr;
  }
}

const untilHostSays = async (world: World, text: string): Promise<void> => {
  while (!world.hostLog.includes(text)) await new Promise((r) => setTimeout(r, 20));
};

describe.runIf(onLinux)('the whole state directory, while a script holds a mutex', () => {
  test('no second one gets in, not even at once, and the script can be seen and ended as before', async () => {
    await using world = await World.open();
    const at = elsewhere();
    const { ticket, pid } = await world.start(ticking(at), { isolation: db });
    remove(world.home);
    const second = await fromRoot(world, 'hold', '--mutex', 'db', '--mutex-timeout', '1s', '--', 'echo', 'SECOND');
    expect(second).toMatchObject({ status: 172, stdout: '' });
    expect(second.stderr).toContain(ticket);
    expect(await said(world, ticket, 'ps')).toContain(String(pid));
    await said(world, 'tick', 'logs', ticket);
    expect(await said(world, 'W244', 'logs', ticket)).toContain('what the logs held before is lost');
    await untilHostSays(world, 'W395');
    world.connect();
    const next = await world.start('echo "fence $UNJAM_FENCE"', { isolation: db });
    writeFileSync(join(at, 'stop'), '');
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
    expect(await world.untilFinal(next.ticket)).toMatchObject({ exitCode: 0 });
    expect(await world.log(next.ticket)).toContain('fence 2');
  });

  test('scripts that wait go on waiting', async () => {
    await using world = await World.open();
    const at = elsewhere();
    await world.start(ticking(at), { isolation: db });
    for (const name of ['a', 'b']) await world.start(`echo ${name} >>${join(at, 'order')}`, { isolation: db });
    remove(world.home);
    await untilHostSays(world, 'W395');
    expect(existsSync(join(at, 'order'))).toBe(false);
    writeFileSync(join(at, 'stop'), '');
    await expect
      .poll(() => (existsSync(join(at, 'order')) ? readFileSync(join(at, 'order'), 'utf8') : world.hostLog), {
        timeout: 60_000,
      })
      .toHaveLength(4);
  });

  test.each([
    ['is removed', remove],
    ['gives way to another', (home: string) => (renameSync(home, `${home}.away`), mkdirSync(home, { mode: 0o700 }))],
  ])('%s while its host is suspended: a new host finds the script, and the old one goes', async (_, act) => {
    await using world = await World.open();
    onTestFinished(() => rmSync(`${world.home}.away`, { recursive: true, force: true }));
    const { ticket } = await world.start('sleep 3600', { isolation: db });
    const old = world.control.identify(world.hostPid);
    process.kill(world.hostPid, 'SIGSTOP');
    act(world.home);
    expect(await said(world, ticket, 'ps')).toContain('Running');
    expect(world.hostPid).not.toBe(old?.pid);
    process.kill(old?.pid ?? 0, 'SIGCONT');
    while (old && world.control.liveness(old) !== 'dead') await new Promise((r) => setTimeout(r, 20));
    expect(world.hostLog).toContain('another host serves it now');
    expect(await fromRoot(world, 'kill', ticket, '--yes')).toMatchObject({ status: 0 });
  });

  test('what a finished script has left running holds nothing', async () => {
    await using world = await World.open();
    const at = elsewhere();
    const daemon = `setsid sleep 3600 >/dev/null 2>&1 & echo $! >${join(at, 'pid')}`;
    const { ticket } = await world.start(daemon, { isolation: db });
    await world.untilFinal(ticket);
    const pid = Number(readFileSync(join(at, 'pid'), 'utf8'));
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    await world.killHost();
    remove(world.home);
    const next = await fromRoot(world, 'hold', '--mutex', 'db', '--mutex-timeout', '1s', '--', 'echo', 'next');
    expect(next.stdout).toBe('next\n');
  });
});

test.runIf(onLinux)('the whole state directory, while nothing runs: its host ends, and makes none anew', async () => {
  await using world = await World.open();
  const host = world.control.identify(world.hostPid);
  remove(world.home);
  while (host && world.control.liveness(host) !== 'dead') await new Promise((r) => setTimeout(r, 20));
  expect(world.hostLog).toContain('was removed, and nothing runs');
  expect(existsSync(world.home)).toBe(false);
});

describe.runIf(onLinux)('by what the host is found', () => {
  test.each(['host.json', 'token', 'host.sock', 'host', 'host.json token host.sock host'])(
    '%s: it stands again, and it is said',
    async (names) => {
      await using world = await World.open();
      const { ticket } = await world.start('sleep 3600');
      for (const name of names.split(' ')) remove(join(world.home, name));
      await untilHostSays(world, 'W395');
      expect((await world.cli('ps')).stdout).toContain(ticket);
    },
  );
});

describe.runIf(onLinux)('the run directory of a script that runs', () => {
  test.each([
    ['all of it', /./],
    ['its logs, as a cleaner of *.log does', /\.log$/],
    ['its records', /\.json$/],
  ])('%s: it goes on being recorded, its exit code arrives, and the loss is said', async (_, which) => {
    await using world = await World.open();
    const at = elsewhere();
    const { ticket } = await world.start(ticking(at), { isolation: db });
    await world.untilLogged(ticket, 'tick');
    const { path } = runOf(world, ticket);
    for (const name of readdirSync(path)) if (which.test(name)) remove(join(path, name));
    await said(world, 'W244', 'history', '--ticket', ticket);
    await said(world, 'tick', 'logs', ticket, '--stream', 'stdout');
    expect(await world.get(ticket)).toMatchObject({ state: 'running' });
    writeFileSync(join(at, 'stop'), '');
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
  });

  test('while it is followed: the follower gets all that is recorded since', async () => {
    await using world = await World.open();
    const at = elsewhere();
    const script = `cd ${at}; seq 3000; n=0; until [ -e stop ]; do n=$((n+1)); echo "tick $n"; sleep .05; done; echo end`;
    const { ticket } = await world.start(script, { isolation: db });
    const follower = spawn(process.execPath, [world.program, 'logs', ticket, '--follow', '--stream', 'stdout'], {
      env: { ...process.env, UNJAM_HOME: world.home },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let seen = '';
    follower.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
    const over = new Promise((resolve) => follower.once('close', resolve));
    const until = async (isTrue: () => boolean): Promise<void> => {
      while (!isTrue()) await new Promise((r) => setTimeout(r, 10));
    };
    await until(() => seen.includes('tick 3'));
    const { path, stdoutPath } = runOf(world, ticket);
    remove(path);
    await until(() => existsSync(stdoutPath) && readFileSync(stdoutPath, 'utf8').includes('tick'));
    const place = seen.length;
    await until(() => seen.slice(place).includes('tick'));
    writeFileSync(join(at, 'stop'), '');
    await over;
    expect(seen).toContain(readFileSync(stdoutPath, 'utf8'));
    expect(seen.endsWith('end\n')).toBe(true);
  });

  test('at the moment when it ends: its exit code arrives', async () => {
    await using world = await World.open();
    const at = elsewhere();
    const { ticket } = await world.start(ticking(at), { isolation: db });
    const [runner, root] = [runnerOf(world, ticket), rootOf(world, ticket)];
    process.kill(runner.pid, 'SIGSTOP');
    writeFileSync(join(at, 'stop'), '');
    while (world.control.liveness(root) !== 'dead') await new Promise((r) => setTimeout(r, 10));
    remove(runOf(world, ticket).path);
    process.kill(runner.pid, 'SIGCONT');
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
  });

  test('when its runner has died too: the host makes it anew, and Force Kill ends the script', async () => {
    await using world = await World.open();
    const { ticket } = await world.start('sleep 3600', { isolation: db });
    const root = rootOf(world, ticket);
    await end(world, runnerOf(world, ticket));
    remove(runOf(world, ticket).path);
    await untilFile(join(runOf(world, ticket).path, 'started.json'));
    expect(await fromRoot(world, 'kill', ticket, '--yes')).toMatchObject({ status: 0 });
    expect(world.control.liveness(root)).toBe('dead');
  });

  test('of one that waits, just before it is its turn: it runs', async () => {
    await using world = await World.open();
    const at = elsewhere();
    await world.start(ticking(at), { isolation: db });
    const { ticket } = await world.start(`echo ran >${join(at, 'ran')}`, { isolation: db });
    remove(runOf(world, ticket).path);
    writeFileSync(join(at, 'stop'), '');
    await untilFile(join(at, 'ran'));
  });

  test('of a finished one: it is not listed any more', async () => {
    await using world = await World.open();
    const { ticket } = await world.start('true');
    await world.untilFinal(ticket);
    await untilFile(join(runOf(world, ticket).path, 'tree.json'));
    remove(runOf(world, ticket).path);
    await said(world, 'No scripts', 'ps', '--all');
  });
});

test.runIf(onLinux)('the journal: it stands again with all that it held, and it is said', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('true');
  await world.untilFinal(ticket);
  for (const name of readdirSync(world.home)) if (name.startsWith('journal')) rmSync(join(world.home, name));
  await untilHostSays(world, 'W390 Somebody had removed the journal');
  await world.restartHost();
  expect((await world.cli('history', '--json')).stdout).toContain(ticket);
});

test.runIf(onLinux)('the mutexes, while a wrapper holds one without any host: no second command gets in', async () => {
  await using world = await World.empty();
  const at = elsewhere();
  const wait = `cd ${at}; : >up; until [ -e stop ]; do sleep .05; done`;
  const environment = { ...process.env, UNJAM_HOME: world.home };
  const holder: ChildProcess = spawn(
    process.execPath,
    [world.program, 'hold', '--mutex', 'db', '--', 'bash', '-c', wait],
    { env: environment, stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => holder.once('exit', resolve));
  await untilFile(join(at, 'up'));
  remove(world.home);
  const second = ['hold', '--mutex', 'db', '--mutex-timeout', '500ms', '--', 'echo', 'SECOND'];
  expect(await fromRoot(world, ...second)).toMatchObject({ status: 172, stdout: '' });
  writeFileSync(join(at, 'stop'), '');
  expect(await ended).toBe(0);
  expect(await fromRoot(world, ...second)).toMatchObject({ status: 0, stdout: 'SECOND\n' });
});

describe.runIf(onLinux)('somebody removes the files of a mutex', () => {
  const removeAll = (world: World): void => {
    for (const folder of readdirSync(join(world.home, 'mutexes'))) remove(join(world.home, 'mutexes', folder));
  };

  test('while a script holds it: no second one gets in, the fence goes on, and it is said', async () => {
    await using world = await World.open();
    const first = await world.start('until [ -e stop ]; do sleep .05; done', {
      isolation: { level: 'full', mutex: 'db' },
    });
    removeAll(world);
    const second = await world.start('echo "fence $UNJAM_FENCE"', { isolation: { level: 'full', mutex: 'db' } });
    await world.untilLogged(second.ticket, 'W110');
    expect(await world.get(second.ticket)).toMatchObject({ state: 'queued', holder: { ticket: first.ticket } });
    expect((await world.cli('locks')).stdout).toContain('db');
    writeFileSync(join(world.home, 'stop'), '');
    expect(await world.untilFinal(second.ticket)).toMatchObject({ exitCode: 0 });
    expect(await world.log(second.ticket)).toContain('fence 2');
  });

  test('while scripts wait for it: they go on waiting', async () => {
    await using world = await World.open();
    const isolation = { level: 'full', mutex: 'db' } as const;
    await world.start('until [ -e stop ]; do sleep .05; done', { isolation });
    const waiters = [
      await world.start('echo a >>order', { isolation }),
      await world.start('echo b >>order', { isolation }),
    ];
    removeAll(world);
    for (let said = ''; !waiters.every(({ ticket }) => said.includes(ticket));)
      said = (await world.cli('locks')).stdout;
    writeFileSync(join(world.home, 'stop'), '');
    for (const { ticket } of waiters) expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited' });
    expect(readFileSync(join(world.home, 'order'), 'utf8').split('\n').sort()).toEqual(['', 'a', 'b']);
  });

  test('and asks nothing: the runner puts its hold back, and `locks` shows it again', async () => {
    await using world = await World.open();
    const { ticket } = await world.start('sleep 3600', { isolation: { level: 'full', mutex: 'db' } });
    removeAll(world);
    for (let said = ''; !said.includes(ticket);) said = (await world.cli('locks')).stdout;
  });
});

test('a mutex that a later version wrote: nobody gets in, the host says which file and what to do, the others go on', async () => {
  await using world = await World.open();
  await world.cli('run', '--mutex', 'db', '--', 'true');
  const [mutex = ''] = readdirSync(join(world.home, 'mutexes'));
  const folder = join(world.home, 'mutexes', mutex);
  const last = readdirSync(folder).sort().at(-1)!;
  const state = JSON.parse(readFileSync(join(folder, last), 'utf8')) as { version: number };
  const version = state.version + 1;
  const newest = join(folder, `s.${String(version).padStart(12, '0')}.json`);
  writeFileSync(newest, JSON.stringify({ ...state, version, schema: 2 }));
  const why = `"${newest}" is damaged or of another version of Unjam: "schema"`;
  const refused = await world.cli('run', '--mutex', 'db', '--', 'echo', 'IN');
  expect(refused.stdout).toBe('');
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain(why);
  expect(refused.stderr).toContain('Use the version of Unjam that wrote it.');
  expect((await world.cli('hold', '--mutex', 'db', '--', 'echo', 'IN')).stdout).toBe('');
  expect((await world.cli('run', '--mutex', 'web', '--', 'echo', 'in')).stdout).toBe('in\n');
  expect((await world.cli('ps', '--all')).status).toBe(0);
  const doctor = await world.cli('doctor');
  expect(doctor.stdout + doctor.stderr).toContain(why);
  await untilHostSays(world, why);

  rmSync(folder, { recursive: true });
  expect((await world.cli('run', '--mutex', 'db', '--', 'echo', 'in')).stdout).toBe('in\n');
  expect((await world.cli('doctor')).stdout).not.toContain(why);
});
