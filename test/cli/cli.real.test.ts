import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MutexView, ScriptView } from '../../app/contract/methods.ts';
import { root, World } from '../support/world.ts';

const json = <T>(text: string): T => JSON.parse(text) as T;

test('start prints the ticket alone, starts a host by itself, and ps, locks, status and logs show the rest', async () => {
  await using world = await World.empty();
  const first = await world.cli(
    'start',
    '--name',
    'Deploy web',
    '--mutex',
    'web',
    '--isolation',
    'full',
    '--',
    'bash',
    '-c',
    'trap "" TERM INT; echo copying; sleep 3600 & wait; sleep 3600',
  );
  expect(first).toMatchObject({ status: 0, stderr: '' });
  const hung = first.stdout.trim();
  expect(hung).toMatch(/^[\w.-]+$/);
  const waiter = json<ScriptView>(
    (
      await world.cli(
        'start',
        '--json',
        '--name',
        'Deploy api',
        '--mutex',
        'web',
        '--isolation',
        'full',
        '--',
        'bash',
        '-c',
        'echo api deployed',
      )
    ).stdout,
  ).ticket;

  const rows = json<{ scripts: ScriptView[] }>((await world.cli('ps', '--json')).stdout).scripts;
  expect(rows.map((r) => r.ticket)).toEqual([hung, waiter]);
  for (const field of [
    'ticket',
    'name',
    'state',
    'verdict',
    'exitCode',
    'pid',
    'mutex',
    'isolation',
    'blocks',
    'waitingFor',
    'queuePosition',
    'startedAt',
    'lastOutputAt',
    'stuck',
    'orphan',
  ])
    expect(rows[0]).toHaveProperty(field);
  expect(rows[0]).toMatchObject({ state: 'running', blocks: 1, verdict: null, exitCode: null, queuePosition: null });
  expect(rows[1]).toMatchObject({ state: 'queued', queuePosition: 1, waitingFor: hung });
  const table = (await world.cli('ps')).stdout;
  expect(table).toMatch(new RegExp(`${hung} .*${rows[0]?.pid} .*blocks 1`));
  expect(table).toMatch(/1 of 1 .*"Deploy web"/);

  const [mutex] = json<{ mutexes: MutexView[] }>((await world.cli('locks', '--json')).stdout).mutexes;
  expect(mutex).toMatchObject({
    name: 'web',
    paused: false,
    holders: [{ ticket: hung, level: 'full', fence: 1 }],
    waiters: [{ ticket: waiter, level: 'full', position: 1 }],
  });
  expect((await world.cli('logs', waiter)).stdout).toContain(
    `Waiting for mutex "web". Held by "Deploy web" (ticket ${hung}`,
  );

  expect((await world.cli('abandon', hung, '--reason', 'INC-1')).status).toBe(0);
  world.connect();
  await world.untilFinal(waiter);
  expect((await world.cli('logs', waiter, '--raw')).stdout).toBe('api deployed\n');
  expect((await world.cli('kill', hung)).status).toBe(0);
  await world.until(hung, (s) => !s.orphan);
  expect((await world.cli('status', hung)).stdout).toContain('abandoned');
  expect((await world.cli('history')).stdout).toMatch(/W221 ABANDONED/);
  expect((await world.cli('complete', hung)).status).toBe(0);
  expect((await world.cli('status', hung)).status).toBe(1);
});

test('run follows the log, keeps both streams apart, and exits with the script’s code', async () => {
  await using world = await World.empty();
  const result = await world.cli('run', '--', 'bash', '-c', 'echo out; echo err >&2; exit 42');
  expect(result).toEqual({ status: 42, stdout: 'out\n', stderr: 'err\n' });
});

test('logs print bytes as they were: stderr marked, --raw without any mark, also when they are no text', async () => {
  await using world = await World.open();
  const { ticket } = await world.start(
    "printf 'a\\xff\\x00b\\r\\n'; sleep 0.2; echo oops >&2; sleep 0.2; printf 'end'",
    { waitMs: 10_000 },
  );
  await world.until(ticket, (s) => s.state === 'final');
  const raw = await new Promise<Buffer>((resolve) =>
    execFile(
      process.execPath,
      [join(root, 'dist/cli.js'), 'logs', ticket, '--raw'],
      { env: { ...process.env, UNJAM_HOME: world.home }, encoding: 'buffer' },
      (_e, stdout) => resolve(stdout),
    ),
  );
  expect(raw.toString('latin1')).toBe('a\xff\x00b\r\noops\nend');
  expect((await world.cli('logs', ticket)).stdout).toContain('E| oops\n');
  expect((await world.cli('logs', ticket, '--stream', 'stderr')).stdout).toBe('oops\n');
  expect((await world.cli('logs', ticket, '--search', 'oop')).stdout).toBe('oops\n');
});

test('Ctrl-C of run cancels the script; twice ends it', async () => {
  await using world = await World.open();
  const started = async (script: string) => {
    const child = spawn(
      process.execPath,
      [join(root, 'dist/cli.js'), 'run', '--grace', '1h', '--', 'bash', '-c', script],
      { env: { ...process.env, UNJAM_HOME: world.home }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  };
  const polite = await started('trap "exit 5" INT TERM; echo up; while :; do sleep 0.05; done');
  const politeExit = new Promise((resolve) => polite.once('exit', resolve));
  polite.kill('SIGINT');
  expect(await politeExit).toBe(171);

  const deaf = await started('trap "" INT TERM; echo up; sleep 3600');
  const deafExit = new Promise((resolve) => deaf.once('exit', resolve));
  const told = new Promise((resolve) =>
    deaf.stderr.on('data', (text: Buffer) => String(text).includes('W201') && resolve(null)),
  );
  deaf.kill('SIGINT');
  await told;
  deaf.kill('SIGINT');
  expect(await deafExit).toBe(171);
});

test('run goes on through the death of its host', async () => {
  await using world = await World.open();
  const result = world.cli(
    'run',
    '--ticket',
    'through',
    '--',
    'bash',
    '-c',
    'echo one; while [ ! -e go ]; do sleep 0.02; done; echo two; exit 6',
  );
  while (!existsSync(join(world.home, 'runs/through/started.json'))) await new Promise((r) => setTimeout(r, 10));
  await world.killHost();
  const second = await world.cli('start', '--', 'touch', 'go');
  expect(second.status).toBe(0);
  expect(await result).toMatchObject({ status: 6, stdout: 'one\ntwo\n' });
});

test('the caller’s environment and folder reach the script; isolation may come from the environment', async () => {
  await using world = await World.empty();
  mkdirSync(join(world.home, 'work'));
  const result = await world.cliWith(
    {
      FLAVOUR: 'vanilla',
      UNJAM_ISOLATION_LEVEL: 'FullIsolation',
      UNJAM_MUTEX_NAME: 'RunningScript',
      UNJAM_MUTEX_TIMEOUT: '00:30:00',
    },
    'run',
    '--cwd',
    'work',
    '--env',
    'A.B=c d',
    '--',
    'bash',
    '-c',
    'echo $FLAVOUR $UNJAM_MUTEX $UNJAM_FENCE $(pwd); env | grep "^A[.]B"',
  );
  expect(result.stdout).toBe(`vanilla RunningScript 1 ${join(world.home, 'work')}\nA.B=c d\n`);
});

test.each([
  [['frobnicate'], 2, 'unknown command'],
  [['start'], 2, 'missing-command'],
  [['start', '--mutex-timeout', '10s', '--', 'true'], 2, 'isolation-incomplete'],
  [['start', '--isolation', 'full', '--', 'true'], 2, 'isolation-incomplete'],
  [['start', '--isolation', 'most', '--mutex', 'm', '--', 'true'], 2, 'bad-input'],
  [['start', '--mutex', 'a\nb', '--isolation', 'full', '--', 'true'], 2, 'bad-mutex-name'],
  [['start', '--mutex', 'm', '--isolation', 'full', '--mutex-timeout', '5ms', '--', 'true'], 2, 'bad-input'],
  [['start', '--mutex', 'm', '--isolation', 'full', '--mutex-timeout', '2d', '--', 'true'], 2, 'bad-input'],
  [['start', '--timeout', 'soon', '--', 'true'], 2, 'bad-input'],
  [['start', '--ticket', '../etc', '--', 'true'], 2, 'bad-ticket'],
  [['start', '--cancel-signal', 'SIGFOO', '--', 'true'], 2, 'bad-input'],
  [['start', '--env', 'novalue', '--', 'true'], 2, 'bad-input'],
  [['start', '--', 'no-such-command-here'], 1, 'command-not-found'],
  [['start', '--cwd', '/no/such/folder', '--', 'true'], 1, 'folder-not-found'],
  [['status', 'nobody'], 1, 'unknown-ticket'],
  [['cancel', 'nobody'], 1, 'unknown-ticket'],
  [['logs', 'nobody'], 1, 'unknown-ticket'],
  [['locks', 'resume', 'nobody'], 1, 'unknown-mutex'],
] as const)('unjam %j exits with %i and says why and what next', async (args, status, said) => {
  await using world = await World.empty();
  const result = await world.cli(...args);
  expect(result.status).toBe(status);
  expect(result.stderr).toContain(said);
  expect(result.stderr).toMatch(/Next:/);
  expect(result.stdout).toBe('');
  if (existsSync(join(world.home, 'runs'))) expect((await world.cli('ps', '--all')).stdout).toBe('No scripts.\n');
});

test('a state directory that cannot be written is an error that names it', async () => {
  await using world = await World.empty();
  const file = join(world.home, 'file');
  (await import('node:fs')).writeFileSync(file, '');
  chmodSync(file, 0o400);
  const result = await world.cliWith({ UNJAM_HOME: join(file, 'state') }, 'start', '--', 'true');
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('state-directory');
  expect(result.stderr).toContain(join(file, 'state'));
});

test('doctor tries a real script under a mutex, leaves nothing behind, and finds a disabled kill', async () => {
  await using world = await World.empty();
  const fit = await world.cli('doctor');
  expect(fit.stdout).toMatch(/ok {3}script: a script ran under a mutex/);
  expect(fit.status).toBe(0);
  expect((await world.cli('ps', '--all')).stdout).toBe('No scripts.\n');

  await using ill = await World.open({ UNJAM_DEBUG_DISABLE_KILL: '1' });
  const result = await ill.cli('doctor');
  expect(result.status).toBe(1);
  expect(result.stdout).toMatch(/BAD {2}kill: .*\n {5}Next: Unset it/);
});
