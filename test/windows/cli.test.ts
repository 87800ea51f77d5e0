/** The whole product as a person meets it: `unjam …` starts its host, that one the runner, that one the script. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import type { Finished } from '../support/wine.ts';
import { useWindows } from './support/runtime.ts';

const run = useWindows();

function unjam(...args: string[]): Promise<Finished> {
  const { windows } = run;
  return windows.run('cli', args, { env: { UNJAM_HOME: windows.path(join(windows.folder, 'home')) } }).finish();
}

const simulant = (kind: string, ...args: string[]): string[] => [
  '--',
  run.windows.node,
  `${run.windows.programs}\\simulant.js`,
  kind,
  ...args,
];

interface Row {
  readonly ticket: string;
  readonly state: string;
  readonly verdict: string | null;
  readonly exitCode: number | null;
  readonly mutex: string | null;
}

async function status(ticket: string): Promise<Row> {
  return JSON.parse((await unjam('status', ticket, '--json')).stdout) as Row;
}

async function start(...args: string[]): Promise<string> {
  const { stdout, stderr } = await unjam('start', ...args);
  expect(stderr).toBe('');
  return stdout.trim();
}

describe('unjam', () => {
  test('run shows the script’s output and exits with its code', async () => {
    const began = performance.now();
    const first = await unjam('run', ...simulant('later', '20', '77'));
    console.log(
      `unjam run with the start of the host, ${run.windows.version}: ${Math.round(performance.now() - began)} ms`,
    );
    expect(first).toMatchObject({ code: 77, stdout: 'ready\n' });
    expect(await unjam('run', ...simulant('exit', '0'))).toMatchObject({ code: 0 });
  });

  test('run takes a batch file by its name and its arguments as they are', async () => {
    const { windows } = run;
    // Wine 8's cmd loses it, see launch.test.ts.
    const percent = windows.wineMajor === 8 ? '100' : '100%';
    await writeFile(
      join(windows.folder, 'deploy.cmd'),
      `@"${windows.node}" "${windows.programs}\\simulant.js" arguments %*\r\n@exit /b 5\r\n`,
    );
    const { code, stdout } = await unjam(
      'run',
      '--cwd',
      windows.path(windows.folder),
      '--',
      '.\\deploy',
      'a b',
      percent,
      'x&y',
    );
    expect(stdout).toBe(`["a b","${percent}","x&y"]\n`);
    expect(code).toBe(5);
  });

  test('logs finds and shows what a script wrote in the console’s code page; --raw gives its bytes', async () => {
    const bytes = Buffer.from([0x47, 0x72, 0x81, 0x94, 0x84, 0x0a]);
    const { code, stderr } = await unjam('run', '--ticket', 'oem', ...simulant('bytes', bytes.toString('hex')));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { text } = await run.scenario<{ text: string }>('files', 'output as text', { hex: bytes.toString('hex') });
    expect(text).not.toContain('\ufffd');
    expect((await unjam('logs', 'oem', '--search', text.trim())).stdout).toContain(text);
    expect((await unjam('logs', 'oem', '--raw')).stdout).toBe(bytes.toString());
  });

  test('kill ends a hung script and frees the mutex for the next one', async () => {
    const hung = await start('--mutex', 'Web', '--isolation', 'full', ...simulant('stubborn'));
    const next = await start('--mutex', 'web', '--isolation', 'full', ...simulant('exit', '3'));
    expect(await status(next)).toMatchObject({ state: 'queued', mutex: 'web' });
    const killed = await unjam('kill', hung, '--yes', '--reason', 'test');
    expect(killed).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/W211 .*\n.*I212 Force Kill: its process ended/),
    });
    expect(await unjam('logs', next, '--follow')).toMatchObject({ code: 0 });
    expect(await status(hung)).toMatchObject({ state: 'final', verdict: 'killed', exitCode: 137 });
    // As Windows sees them at the other end of the pipe: no "(as …)", no "(unverified)".
    expect((await unjam('logs', hung)).stdout).toMatch(/Force Kill requested by [^()]+ \(cli\) at/);
    expect(await status(next)).toMatchObject({ state: 'final', verdict: 'exited', exitCode: 3 });
  });

  test('hold runs a command in its own terminal while it holds the mutex, and passes its exit code', async () => {
    const hung = await start('--mutex', 'Hold', '--isolation', 'full', ...simulant('stubborn'));
    const waits = unjam('hold', '--mutex', 'hold', ...simulant('later', '20', '77'));
    const gaveUp = await unjam('hold', '--mutex', 'hold', '--timeout', '10ms', ...simulant('exit', '0'));
    expect(gaveUp).toMatchObject({ code: 172, stdout: '' });
    expect(gaveUp.stderr).toMatch(/Gave up waiting for mutex "hold"/);
    await unjam('kill', hung, '--yes');
    expect(await waits).toMatchObject({ code: 77, stdout: 'ready\n' });
    expect(await unjam('hold', '--mutex', 'HOLD', ...simulant('exit', '3'))).toMatchObject({ code: 3, stderr: '' });
  });

  test('cancel sends Ctrl-C', async () => {
    const ticket = await start(...simulant('polite'));
    await expect
      .poll(async () => (await unjam('logs', ticket, '--raw')).stdout, { timeout: 20_000 })
      .toContain('ready');
    await unjam('cancel', ticket);
    const { stdout } = await unjam('logs', ticket, '--follow');
    expect(stdout).toMatch(/Sent Ctrl-C to the console of PID \d+/);
    expect(await status(ticket)).toMatchObject({ state: 'final', verdict: 'cancelled', exitCode: 23 });
  });

  test('goes on after its host was killed: the next one adopts the script, and ends it', async () => {
    const ticket = await start('--mutex', 'Api', '--isolation', 'full', ...simulant('stubborn'));
    const { host } = JSON.parse(await readFile(join(run.windows.folder, 'home/host.json'), 'utf8')) as {
      host: ProcessIdentity;
    };
    await run.scenario('processes', 'end', { identity: JSON.stringify(host) });
    expect(await status(ticket)).toMatchObject({ state: 'running', mutex: 'Api' });
    await unjam('kill', ticket, '--yes');
    await unjam('logs', ticket, '--follow');
    expect(await status(ticket)).toMatchObject({ state: 'final', verdict: 'killed', exitCode: 137 });
  });

  test('abandon frees the mutex at once and leaves the process alone', async () => {
    const hung = await start('--mutex', 'Db', '--isolation', 'full', ...simulant('stubborn'));
    const next = await start('--mutex', 'Db', '--isolation', 'full', ...simulant('exit', '0'));
    expect((await unjam('abandon', hung, '--yes')).stderr).toBe('');
    expect(await unjam('logs', next, '--follow')).toMatchObject({ code: 0 });
    expect(await status(next)).toMatchObject({ verdict: 'exited', exitCode: 0 });
    expect(await status(hung)).toMatchObject({ verdict: 'abandoned', orphan: true });
    await unjam('kill', hung, '--yes');
    await expect
      .poll(async () => ((await status(hung)) as Row & { orphan: boolean }).orphan, { timeout: 20_000 })
      .toBe(false);
  });

  test('run refuses a batch file where cmd.exe cannot work: it would run in the Windows folder', async () => {
    const folder = `\\\\?\\${run.windows.path(run.windows.folder)}`;
    await writeFile(join(run.windows.folder, 'unc.cmd'), '@echo %cd%\r\n');
    const { code, stdout, stderr } = await unjam('run', '--cwd', folder, '--', '.\\unc.cmd');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('cmd.exe cannot work in');
  });
});

describe('a policy in the registry', () => {
  test('holds for a host that starts: Force Kill is refused, in the words of the policy', async () => {
    const home = run.windows.path(join(run.windows.folder, 'home of a policy'));
    const cli = (...args: string[]): Promise<Finished> =>
      run.windows.run('cli', args, { env: { UNJAM_HOME: home } }).finish();
    await run.scenario('system', 'policy');
    try {
      const { stdout } = await cli('start', ...simulant('stubborn'));
      const ticket = stdout.trim();
      const { code, stderr } = await cli('kill', ticket, '--yes');
      expect(stderr).toContain(
        'Force Kill is switched off on this host by its administrator (policy DisableForceKill)',
      );
      expect(code).not.toBe(0);
      const { root } = JSON.parse((await cli('status', ticket, '--json')).stdout) as { root?: ProcessIdentity };
      expect(root?.pid ?? 1).toBeGreaterThan(0);
    } finally {
      await run.scenario('system', 'policy', { remove: 'yes' });
    }
  });
});
