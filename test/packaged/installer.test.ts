/**
 * What assets/installer/installer.nsh does to the runtimes, run for real: compiled by makensis into a small installer,
 * which Wine runs. The rest of the installer is electron-builder's template.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { copyPrefix, prepareWine, stopServer, wineEnvironment, type WineSetup } from '../support/wine-setup.ts';

const repository = join(import.meta.dirname, '..', '..');
// Debian's package, unpacked beside the system where it is not installed: apt-get download nsis nsis-common; dpkg -x.
const local = join(repository, '.cache', 'nsis', 'usr');
const makensis = existsSync(join(local, 'bin', 'makensis')) ? join(local, 'bin', 'makensis') : 'makensis';
let folder: string;
let wine: WineSetup;
let env: NodeJS.ProcessEnv;
let missing: string | null = null;
/** Stands in for node.exe: it ends at once with what it does not know, and stays for as long as it is told. */
let standIn: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-installer-'));
  if (spawnSync(makensis, ['-VERSION']).error !== undefined) missing = 'makensis is not installed';
  else
    try {
      wine = await prepareWine();
      await copyPrefix(wine.template, join(folder, 'prefix'));
      env = {
        ...wineEnvironment(wine, join(folder, 'prefix')),
        ...(makensis === 'makensis' ? {} : { NSISDIR: join(local, 'share', 'nsis') }),
      };
      standIn = join(folder, 'prefix', 'drive_c', 'windows', 'system32', 'ping.exe');
    } catch (error) {
      missing = `no Wine: ${String(error)}`;
    }
}, 300_000);

afterAll(async () => {
  if (missing === null) await stopServer(wine, join(folder, 'prefix'));
  rmSync(folder, { recursive: true, force: true });
});

const installed = () => join(folder, 'prefix', 'drive_c', 'Program Files', 'Unjam');
const runtimes = () => join(folder, 'prefix', 'drive_c', 'Program Files', 'Common Files', 'Unjam');
const data = () => join(folder, 'prefix', 'drive_c', 'ProgramData', 'Unjam');
const versions = () =>
  existsSync(runtimes())
    ? readdirSync(runtimes())
        .filter((name) => name !== 'bin')
        .sort()
    : [];

beforeEach((context) => {
  if (missing !== null) context.skip(missing);
  rmSync(installed(), { recursive: true, force: true });
  rmSync(runtimes(), { recursive: true, force: true });
  rmSync(data(), { recursive: true, force: true });
});

test('the runtime moves out of the folder whose processes an update ends', () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  expect(versions()).toEqual(['1.0.0']);
  expect(readFileSync(join(runtimes(), '1.0.0', 'runner.cjs'), 'utf8')).toBe('1.0.0');
  expect(existsSync(join(installed(), 'resources', 'runtime'))).toBe(false);
});

test('an update removes a version that nobody uses', () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  unpack('2.0.0');
  run('customInstall', '2.0.0');
  expect(versions()).toEqual(['2.0.0']);
});

test('an update leaves a version in which a runner lives whole, until it has ended', async () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  await live('1.0.0');
  unpack('2.0.0');
  run('customInstall', '2.0.0');
  expect(versions()).toEqual(['1.0.0', '2.0.0']);
  expect(readdirSync(join(runtimes(), '1.0.0')).sort()).toEqual(['node.exe', 'runner.cjs']);
  expect(runs(join(runtimes(), '1.0.0', 'node.exe'))).toBeDefined();
  await ended('1.0.0');
  unpack('2.0.1');
  run('customInstall', '2.0.1');
  expect(versions()).toEqual(['2.0.1']);
});

test('a repair keeps the runtime of a living runner and replaces an unused one', async () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  await live('1.0.0');
  unpack('1.0.0', 'repaired');
  run('customInstall', '1.0.0');
  expect(readFileSync(join(runtimes(), '1.0.0', 'runner.cjs'), 'utf8')).toBe('1.0.0');
  await ended('1.0.0');
  unpack('1.0.0', 'repaired');
  run('customInstall', '1.0.0');
  expect(readFileSync(join(runtimes(), '1.0.0', 'runner.cjs'), 'utf8')).toBe('repaired');
});

test('what was writable where it came from is not, where SYSTEM runs it; the state directory is closed', () => {
  unpack('1.0.0');
  const from = join(installed(), 'resources', 'runtime');
  for (const path of [from, join(from, 'node.exe'), join(from, 'runner.cjs')]) chmodSync(path, 0o777);
  expect(run('customInstall', '1.0.0')).toBe(0);
  // Wine keeps access lists as modes; administrators become the group.
  const open = everythingIn(runtimes()).filter((path) => (statSync(path).mode & 0o002) !== 0);
  expect(open).toEqual([]);
  expect(everythingIn(runtimes()).length).toBeGreaterThan(4);
  expect(statSync(data()).mode & 0o007).toBe(0);
});

test('a command of one name runs the version that was installed last, from a closed folder', () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  const command = join(runtimes(), 'bin', 'unjam.cmd');
  expect(readFileSync(command, 'latin1')).toContain('"%~dp0..\\1.0.0\\node.exe" "%~dp0..\\1.0.0\\dist\\cli.js" %*');
  unpack('2.0.0');
  run('customInstall', '2.0.0');
  expect(readFileSync(command, 'latin1')).toContain('"%~dp0..\\2.0.0\\node.exe"');
  expect(readdirSync(join(runtimes(), 'bin'))).toEqual(['unjam.cmd']);
  run('customUnInstall', '2.0.0');
  expect(existsSync(runtimes())).toBe(false);
});

test('that command passes arguments and the exit code on, and ends its batch file before it starts the program', () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  // A program that Windows has: what it answers shows what it was given.
  copyFileSync(
    join(folder, 'prefix', 'drive_c', 'windows', 'system32', 'cmd.exe'),
    join(runtimes(), '1.0.0', 'node.exe'),
  );
  const command = join(runtimes(), 'bin', 'unjam.cmd');
  const line = readFileSync(command, 'latin1').replace('"%~dp0..\\1.0.0\\dist\\cli.js"', '/d /c');
  writeFileSync(command, line);
  const output = join(folder, 'command.txt');
  const file = openSync(output, 'w');
  const { status } = spawnSync(wine.wine, ['cmd', '/d', '/c', windowsPath(command), 'exit', '7'], {
    env,
    stdio: ['ignore', file, 'ignore'],
    timeout: 60_000,
  });
  closeSync(file);
  expect({ status, output: readFileSync(output, 'utf8') }).toEqual({ status: 7, output: '' });
});

test('another folder than one below Program Files is refused; one of an earlier version is left for it', () => {
  const place = join(folder, 'prefix', 'drive_c', 'place.txt');
  rmSync(place, { force: true });
  expect(run('customInit', '1.0.0', { args: ['/D=C:\\Tools\\Unjam'] })).toBe(11);
  expect(existsSync(place)).toBe(false);
  expect(run('customInit', '1.0.0')).toBe(0);
  expect(readFileSync(place, 'latin1')).toBe('C:\\Program Files\\Unjam');
});

test('removing Unjam while scripts run says so by its exit code, and leaves the runtime that they run from whole', async () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  await live('1.0.0');
  expect(run('customUnInstall', '1.0.0', { args: ['/S'] })).toBe(10);
  expect(readdirSync(join(runtimes(), '1.0.0')).sort()).toEqual(['node.exe', 'runner.cjs']);
  expect(eventSource()).not.toBe('');
  expect(existsSync(join(runtimes(), 'bin', 'unjam.cmd'))).toBe(false);
  expect(existsSync(data())).toBe(true);
  await ended('1.0.0');
});

test('"Start at sign-in" goes with Unjam', () => {
  const key = 'HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run';
  const reg = (...args: string[]): number | null =>
    spawnSync(wine.wine, ['reg', ...args], { env, stdio: 'ignore', timeout: 60_000 }).status;
  expect(reg('add', key, '/v', 'Unjam.Desktop', '/d', 'x', '/f')).toBe(0);
  expect(reg('add', key, '/v', 'Other', '/d', 'x', '/f')).toBe(0);
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  run('customUnInstall', '1.0.0', { updating: true });
  expect(reg('query', key, '/v', 'Unjam.Desktop')).toBe(0);
  run('customUnInstall', '1.0.0');
  expect(reg('query', key, '/v', 'Unjam.Desktop')).not.toBe(0);
  expect(reg('query', key, '/v', 'Other')).toBe(0);
});

test('removing Unjam removes unused runtimes and ends no script; an update that removes the old version touches none', async () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  run('customUnInstall', '1.0.0', { updating: true });
  expect(versions()).toEqual(['1.0.0']);
  await live('1.0.0');
  run('customUnInstall', '1.0.0');
  expect(versions()).toEqual(['1.0.0']);
  expect(runs(join(runtimes(), '1.0.0', 'node.exe'))).toBeDefined();
  await ended('1.0.0');
  run('customUnInstall', '1.0.0');
  expect(existsSync(runtimes())).toBe(false);
});

test('the service is installed where it was asked for, again by every update while there is one, and goes first', () => {
  const program = recorder();
  const calls = (): string[] => {
    const file = join(folder, 'prefix', 'drive_c', 'calls.txt');
    const lines = existsSync(file) ? readFileSync(file, 'latin1').split('\n').filter(Boolean) : [];
    rmSync(file, { force: true });
    return lines
      .filter((line) => line.includes('cli.js'))
      .map((line) => line.replace(/^.*Common Files\\Unjam\\([\d.]+)\\dist\\cli\.js" /, '$1 '));
  };
  const answer = (code: number): void => writeFileSync(join(folder, 'prefix', 'drive_c', 'code.txt'), String(code));
  const record = (...args: string[]): void => void spawnSync(wine.wine, ['reg', ...args, '/reg:64', '/f'], { env, stdio: 'ignore', timeout: 60_000 }); // prettier-ignore
  const key = 'HKLM\\SOFTWARE\\Unjam';
  record('delete', key);
  answer(0);
  calls();
  unpack('1.0.0', '1.0.0', program);
  expect(run('customInstall', '1.0.0')).toBe(0);
  expect(calls()).toEqual(['1.0.0 serve --stop']);
  unpack('1.0.0', '1.0.0', program);
  expect(run('customInstall', '1.0.0', { args: ['/S', '/SERVICE'] })).toBe(0);
  expect(calls()).toEqual(['1.0.0 serve --stop', '1.0.0 service install']);
  record('add', key, '/v', 'Host', '/t', 'REG_SZ', '/d', '{}');
  unpack('2.0.0', '2.0.0', program);
  expect(run('customInstall', '2.0.0')).toBe(0);
  expect(calls()).toEqual(['2.0.0 serve --stop', '2.0.0 service install']);
  expect(versions()).toEqual(['2.0.0']);
  answer(1);
  unpack('2.0.1', '2.0.1', program);
  expect(run('customInstall', '2.0.1')).toBe(12);
  expect(calls()).toContain('2.0.1 service install');
  expect(readFileSync(join(runtimes(), 'bin', 'unjam.cmd'), 'latin1')).toContain('2.0.1');
  expect(run('customUnInstall', '2.0.1')).toBe(0);
  expect(calls()).toEqual(['2.0.1 service remove', '2.0.1 serve --stop']);
  expect(stays()).toContain('could not be removed');
  record('delete', key);
});

test('what stays after a removal is said, and only that', async () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  await live('1.0.0');
  expect(run('customUnInstall', '1.0.0')).toBe(10);
  expect(stays().split('\r\n')).toEqual([
    'Unjam is removed. This stays:',
    '',
    'C:\\ProgramData\\Unjam: what scripts of this machine did',
    'C:\\Program Files\\Common Files\\Unjam: scripts run from there; it goes when Windows starts again',
  ]);
  await ended('1.0.0');
  rmSync(data(), { recursive: true });
  expect(run('customUnInstall', '1.0.0')).toBe(0);
  expect(stays()).toBe('');
});

test('the source of the Event Log is there with its message file, and goes with Unjam, but not with an update', () => {
  unpack('1.0.0');
  run('customInstall', '1.0.0');
  expect(eventSource()).toMatch(/EventMessageFile\s+REG_EXPAND_SZ\s+%SystemRoot%\\System32\\EventCreate\.exe/);
  expect(eventSource()).toMatch(/TypesSupported\s+REG_DWORD\s+0x7/);
  run('customUnInstall', '1.0.0', { updating: true });
  expect(eventSource()).not.toBe('');
  run('customUnInstall', '1.0.0');
  expect(eventSource()).toBe('');
});

test(
  'the tray is asked to end before it is ended, and given the time to; no program of the working folder runs',
  { timeout: 300_000 },
  async () => {
    const setup = wine;
    const prefix = join(folder, 'prefix-10');
    await copyPrefix(setup.template, prefix);
    // Wine's notepad stands in for it: a program with a window, which ends by itself when that is closed.
    const own = { env: wineEnvironment(setup, prefix), stdio: 'ignore' } as const;
    const tray = spawn(setup.wine, ['notepad'], own);
    const ended = new Promise<number | null>((resolve) => tray.once('exit', resolve));
    const template = join(repository, 'node_modules', 'app-builder-lib', 'templates', 'nsis', 'include');
    const program = compile('unjamCloseTray', '1.0.0', {
      before: [
        '!define APP_EXECUTABLE_FILENAME "notepad.exe"',
        '!define PRODUCT_NAME "Unjam"',
        '!define APP_GUID "unjam-test"',
        '!define INSTALL_MODE_PER_ALL_USERS',
        '!include "FileFunc.nsh"',
        `!addincludedir "${template}"`,
      ],
      // The template's own part is compiled with it, so that the two fit; Wine has no PowerShell to run it.
      after: [
        '!include "allowOnlyOneInstallerInstance.nsh"',
        'LangString appRunning 1033 "running"',
        'LangString appClosing 1033 "closing"',
        'LangString appCannotBeClosed 1033 "cannot be closed"',
        'Section /o "template"',
        '  !insertmacro CHECK_APP_RUNNING',
        'SectionEnd',
      ],
    });
    // Where an installer is downloaded to, others may have put programs with the names of Windows' own.
    const downloads = join(folder, 'downloads');
    mkdirSync(downloads);
    for (const name of ['tasklist', 'taskkill', 'findstr', 'cmd'])
      copyFileSync(recorder(), join(downloads, `${name}.exe`));
    try {
      // Until its window is there, nothing can be asked of it: the installer finds it or not, and is run again.
      await expect
        .poll(
          () => {
            execFileSync(setup.wine, [program], { ...own, cwd: downloads, timeout: 60_000 });
            return tray.exitCode;
          },
          { timeout: 60_000 },
        )
        .toBe(0);
      expect(await ended).toBe(0);
      expect(existsSync(join(prefix, 'drive_c', 'calls.txt'))).toBe(false);
    } finally {
      await stopServer(setup, prefix);
    }
  },
);

/** The folder, and every file and folder in it. */
const everythingIn = (path: string): string[] => [
  path,
  ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name)),
];

const windowsPath = (path: string): string => `Z:${path.replaceAll('/', '\\')}`;

/** What the registry has of it; empty when there is nothing. */
function eventSource(): string {
  const key = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Unjam';
  const file = join(folder, 'registry.txt');
  const output = openSync(file, 'w');
  const { status } = spawnSync(wine.wine, ['reg', 'query', key], { env, stdio: ['ignore', output, 'ignore'] });
  closeSync(output);
  return status === 0 ? readFileSync(file, 'utf8') : '';
}

/** What the removal said that it left. */
const stays = (): string => readFileSync(join(folder, 'prefix', 'drive_c', 'stays.txt'), 'latin1');

/** A program that notes how it was called, and ends with the code that a file names. */
function recorder(): string {
  const [script, program] = [join(folder, 'recorder.nsi'), join(folder, 'recorder.exe')];
  const lines = [
    'Unicode true',
    'Target amd64-unicode',
    'Name "recorder"',
    `OutFile "${program}"`,
    'RequestExecutionLevel user',
    'SilentInstall silent',
    'Section',
    "  System::Call 'kernel32::GetCommandLineW() w .R5'",
    '  FileOpen $0 "C:\\calls.txt" a',
    '  FileSeek $0 0 END',
    '  FileWrite $0 "$R5$\\n"',
    '  FileClose $0',
    '  FileOpen $0 "C:\\code.txt" r',
    '  FileRead $0 $1',
    '  FileClose $0',
    '  SetErrorLevel $1',
    'SectionEnd',
  ];
  writeFileSync(script, lines.join('\n'));
  execFileSync(makensis, ['-V1', '-WX', script], { env });
  return program;
}

/** What electron-builder's template has unpacked before it calls customInstall. */
function unpack(version: string, content = version, program = standIn): void {
  const runtime = join(installed(), 'resources', 'runtime');
  mkdirSync(runtime, { recursive: true });
  copyFileSync(program, join(runtime, 'node.exe'));
  writeFileSync(join(runtime, 'runner.cjs'), content);
  if (program === standIn) return;
  mkdirSync(join(runtime, 'dist'));
  writeFileSync(join(runtime, 'dist', 'cli.js'), content);
}

/** The exit code of the small installer. */
function run(macro: Macro, version: string, { updating = false, args = [] as string[] } = {}): number | null {
  const program = compile(macro, version, { updating });
  return spawnSync(wine.wine, [program, ...args], { env, stdio: 'ignore', timeout: 120_000 }).status;
}

type Macro = 'customInit' | 'customInstall' | 'customUnInstall' | 'unjamCloseTray';

/** A small installer that does what the macro does; `before` and `after` are lines of its script. */
function compile(
  macro: Macro,
  version: string,
  { updating = false, before = [] as string[], after = [] as string[] },
): string {
  const script = join(folder, 'small.nsi');
  const program = join(folder, 'small.exe');
  writeFileSync(
    script,
    [
      'Unicode true',
      'Target amd64-unicode',
      'Name "small"',
      `OutFile "${program}"`,
      'RequestExecutionLevel user',
      'SilentInstall silent',
      '!include "LogicLib.nsh"',
      ...before,
      `!define VERSION "${version}"`,
      `!define isUpdated '"${updating ? 'yes' : 'no'}" == "yes"'`, // the template's looks for --updated
      `!include "${join(repository, 'assets', 'installer', 'installer.nsh')}"`,
      'Section',
      ...(macro === 'customInit' ? [] : ['  StrCpy $INSTDIR "$PROGRAMFILES64\\Unjam"']),
      `  !insertmacro ${macro}`,
      ...(macro === 'customInit'
        ? ['  FileOpen $0 "C:\\place.txt" w', '  FileWrite $0 "$INSTDIR"', '  FileClose $0']
        : []),
      ...(macro === 'customUnInstall'
        ? ['  FileOpen $0 "C:\\stays.txt" w', '  FileWrite $0 "$R2"', '  FileClose $0']
        : []),
      'SectionEnd',
      ...after,
    ].join('\n'),
  );
  execFileSync(makensis, ['-V1', '-WX', script], { env });
  return program;
}

/** A process whose program is the runtime's node.exe; a runner is nothing else to Windows. Returns its pid under Linux. */
async function live(version: string): Promise<number> {
  const program = join(runtimes(), version, 'node.exe');
  spawn(wine.wine, [program, '-n', '120', '127.0.0.1'], { env, stdio: 'ignore' });
  let pid: number | undefined;
  await expect.poll(() => (pid = runs(program)), { timeout: 30_000 }).toBeDefined();
  return pid ?? -1;
}

/** The process that has the program mapped, which is what keeps Windows from opening it to write. */
function runs(program: string): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        return readFileSync(`/proc/${pid}/maps`, 'utf8').includes(program);
      } catch {
        return false;
      }
    });
}

async function ended(version: string): Promise<void> {
  const program = join(runtimes(), version, 'node.exe');
  const pid = runs(program);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  await expect.poll(() => runs(program), { timeout: 30_000 }).toBeUndefined();
}
