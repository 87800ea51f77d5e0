/** What a script gets of its caller, and what the host keeps of whoever happened to start it: nothing. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of bash in which `unjam` is the built command. */
function shell(world: World, line: string, environment: NodeJS.ProcessEnv = {}): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['-c', `unjam() { "${process.execPath}" "${world.program}" "$@"; }; ${line}`],
      { cwd: world.home, env: { ...process.env, UNJAM_HOME: world.home, ...environment } },
      (error, stdout, stderr) =>
        resolve({ status: error ? (typeof error.code === 'number' ? error.code : null) : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

test('umask and niceness are the caller’s, not those of who started the host', async () => {
  await using world = await World.empty();
  expect((await shell(world, '( umask 077; nice -n 10 unjam ps )')).status).toBe(0);
  expect((await shell(world, `umask 027; unjam run -- bash -c 'umask; nice'`)).stdout).toMatch(/^0027\n/);
  const own = Number((await shell(world, 'nice')).stdout);
  expect((await shell(world, `nice -n 5 unjam run -- nice`)).stdout).toBe(`${own + 5}\n`);
});

test('the host has no descriptor, no variable and no folder of who started it', async () => {
  await using world = await World.empty();
  const begun = await shell(world, '( exec 200>lock; flock 200; unjam ps ); flock -n lock true', {
    RUNNER_TRACKING_ID: 'github_1',
    SECRET_B: 'hunter2',
  });
  expect(begun.status).toBe(0);
  const host = `/proc/${world.hostPid}`;
  const environment = readFileSync(`${host}/environ`, 'latin1');
  expect(environment).not.toContain('hunter2');
  expect(environment).not.toContain('RUNNER_TRACKING_ID');
  expect(environment).toContain(`UNJAM_HOME=${world.home}`);
  expect(readlinkSync(`${host}/cwd`)).toBe('/');
  expect(readdirSync(`${host}/fd`).map((fd) => readlinkSync(`${host}/fd/${fd}`))).not.toContain(join(world.home, 'lock')); // prettier-ignore
});

test('run passes its standard input on: a here-document, a pipe, a pipe that goes on, a file from where it was read', async () => {
  await using world = await World.open();
  writeFileSync(join(world.home, 'abc'), 'a\nb\nc\n');
  expect((await shell(world, `unjam run -- bash <<< 'echo deployed'`)).stdout).toBe('deployed\n');
  expect((await shell(world, 'seq 100000 | unjam run -- wc -l')).stdout).toBe('100000\n');
  expect((await shell(world, `{ echo 1; sleep 0.3; echo 2; } | unjam run -- cat`)).stdout).toBe('1\n2\n');
  expect((await shell(world, `{ read x; unjam run -- cat; } < abc`)).stdout).toBe('b\nc\n');
});

test('start hands a pipe and a file on as well, and reads nothing that its script does not read', async () => {
  await using world = await World.open();
  const { ticket } = { ticket: (await shell(world, `echo piped | unjam start -- cat`)).stdout.trim() };
  await world.untilFinal(ticket);
  expect(await world.log(ticket)).toContain('piped\n');
  writeFileSync(join(world.home, 'hosts'), 'h1\nh2\n');
  expect((await shell(world, 'while read h; do unjam run -- echo "deploy $h"; done < hosts')).stdout).toBe(
    'deploy h1\ndeploy h2\n',
  );
});

test('a socket as standard input, as Node gives it, is passed on, and one without end holds nothing up', async () => {
  await using world = await World.open();
  const run = (...words: string[]) =>
    spawn(process.execPath, [world.program, 'run', '--', ...words], {
      env: { ...process.env, UNJAM_HOME: world.home },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  const cat = run('cat');
  let said = '';
  cat.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said === 'one\n') cat.stdin.end('two\n');
  });
  cat.stdin.write('one\n');
  expect(await new Promise((resolve) => cat.once('close', resolve))).toBe(0);
  expect(said).toBe('one\ntwo\n');
  const silent = run('true');
  expect(await new Promise((resolve) => silent.once('close', resolve))).toBe(0);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('unjam-input-'))).toEqual([]);
});

test('what was piped in survives the death of host and wrapper', async () => {
  await using world = await World.open();
  const run = spawn(
    'bash',
    ['-c', `{ echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; } | "${process.execPath}" "${world.program}" run --ticket piped -- cat`], // prettier-ignore
    { cwd: world.home, env: { ...process.env, UNJAM_HOME: world.home }, stdio: 'ignore', detached: true },
  );
  await world.until('piped', (s) => s.lastOutputAt !== null);
  await shell(world, `pkill -KILL -P ${run.pid ?? 0} -f '^[^ ]*node '`);
  await world.killHost();
  writeFileSync(join(world.home, 'go'), '');
  await world.startHost();
  expect((await world.untilFinal('piped')).exitCode).toBe(0);
  expect(await world.log('piped')).toContain('one\ntwo\n');
});

test('a closed reader or a full disk ends in no stack trace; run goes on and returns the script’s code', async () => {
  await using world = await World.open();
  const headed = await shell(
    world,
    `set -o pipefail; unjam run -- bash -c 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done; touch done; exit 7' | head -1`,
  );
  expect(headed).toMatchObject({ status: 7, stdout: '1\n' });
  expect(existsSync(join(world.home, 'done'))).toBe(true);
  expect(headed.stderr).toBe('unjam: Standard output is lost: nobody reads it any more. The script keeps running; waiting for its end.\n'); // prettier-ignore
  const { ticket } = await world.start('seq 200000', { waitMs: 10_000 });
  expect(await shell(world, `set -o pipefail; unjam logs ${ticket} | head -1`)).toEqual({ status: 141, stdout: '1\n', stderr: '' }); // prettier-ignore
  const full = await shell(world, 'unjam ps > /dev/full');
  expect(full.status).toBe(1);
  expect(full.stderr).toMatch(/^unjam: Standard output could not be written: ENOSPC[^\n]*\n$/);
});

test.each([
  ['SIGHUP', 129],
  ['SIGQUIT', 131],
] as const)('%s: run leaves with %i and says that the script keeps running', async (signal, status) => {
  await using world = await World.open();
  const run = spawn(process.execPath, [world.program, 'run', '--ticket', 'left', '--', 'bash', '-c', 'echo up; sleep 3600'], { env: { ...process.env, UNJAM_HOME: world.home }, stdio: ['ignore', 'pipe', 'pipe'] }); // prettier-ignore
  await new Promise((resolve) => run.stdout.once('data', resolve));
  let said = '';
  run.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  run.kill(signal);
  expect(await new Promise((resolve) => run.once('close', resolve))).toBe(status);
  expect(said).toContain('the script keeps running');
  expect((await world.get('left')).state).toBe('running');
});

test('SIGTERM: run cancels the script, and the history says which signal it was', async () => {
  await using world = await World.open();
  const run = spawn(process.execPath, [world.program, 'run', '--ticket', 'ended', '--', 'bash', '-c', 'echo up; sleep 3600'], { env: { ...process.env, UNJAM_HOME: world.home }, stdio: ['ignore', 'pipe', 'pipe'] }); // prettier-ignore
  await new Promise((resolve) => run.stdout.once('data', resolve));
  run.kill('SIGTERM');
  expect(await new Promise((resolve) => run.once('close', resolve))).toBe(171);
  expect((await world.cli('history', '--ticket', 'ended')).stdout).toContain('received SIGTERM');
});

test('run says how a script ended that did not end by itself', async () => {
  await using world = await World.open();
  const killed = await shell(world, `unjam run -- bash -c 'kill -KILL $$'`);
  expect(killed).toMatchObject({ status: 137, stdout: '' });
  expect(killed.stderr).toContain('Ended by SIGKILL');
});

test('without a home, or with one that is relative, every command means the same place', async () => {
  await using world = await World.empty();
  const at = (environment: NodeJS.ProcessEnv, line: string) =>
    shell(world, `unset UNJAM_HOME; ${line}`, { HOME: world.home, XDG_STATE_HOME: '', ...environment });
  const place = join(world.home, '.local/state/unjam');
  expect((await at({ XDG_STATE_HOME: 'relative' }, `unjam run -- bash -c 'echo $UNJAM_HOME'`)).stdout).toBe(
    `${place}\n`,
  );
  const { host } = JSON.parse(readFileSync(join(place, 'host.json'), 'utf8')) as { host: { pid: number } };
  process.kill(host.pid);
});
