/** What the installer would carry: packed for Windows around a stand-in for Electron, then taken apart again. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { extractFile, listPackage, statFile } from '@electron/asar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appId } from '../../main/process/instance.ts';
import { copyPrefix, prepareWine, stopServer, wineEnvironment } from '../support/wine-setup.ts';
import { packFor, repository, versionOf, type Packed } from './staging.ts';
import { fuseNames, readFuses } from './stand-in.ts';

let packed: Packed;
let archive: string;
let exe: Buffer;
let files: string[];

beforeAll(() => {
  packed = packFor('win32');
  if (packed.missing !== null) return;
  archive = join(packed.unpacked, 'resources', 'app.asar');
  exe = readFileSync(join(packed.unpacked, 'Unjam.exe'));
  files = listPackage(archive, { isPack: false }).map((file) => file.replaceAll('\\', '/').slice(1));
}, 300_000);

afterAll(() => rmSync(packed.staging, { recursive: true, force: true }));

const textOf = (file: string) => extractFile(archive, join(...file.split('/'))).toString();

const promise = (name: string, body: (unpacked: string) => void) =>
  test(name, (context) => {
    if (packed.missing !== null) return context.skip(packed.missing);
    body(packed.unpacked);
  });

describe('the archive', () => {
  promise('holds the program, the preload, the console and the icons', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'dist/main/main.js',
        'dist/main/preload.cjs',
        'dist/renderer/index.html',
        'assets/icons/app.png',
        'assets/tray/stuck-dark.ico',
        'assets/tray/stuck-dark@2x.png',
        'node_modules/koffi/index.js',
        'node_modules/koffi/src/koffi/index.js',
        'node_modules/koffi/src/koffi/src/static.cjs',
      ]),
    );
  });

  promise('holds no source, map, test, secret or development package', () => {
    expect(
      files.filter((file) =>
        /\.(ts|svelte|map|md)$|^assets\/.*\.svg$|\.test\.|(^|\/)\.|(^|\/)(test|docs|renderer\/src|app)\//.test(file),
      ),
    ).toEqual([]);
    const packages = files.filter(
      (file) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(file) && !/^node_modules\/@[^/]+$/.test(file),
    );
    expect(packages.sort()).toEqual(['node_modules/@koromix/koffi-win32-x64', 'node_modules/koffi']);
  });

  promise('holds a preload that needs exactly one module: electron', () => {
    const preload = textOf('dist/main/preload.cjs');
    expect(preload.match(/\brequire\s*\([^)]*\)/g)).toEqual(['require("electron")']);
    expect(preload).not.toMatch(/^import\b|\bimport\s*\(|\bBuffer\b|\bprocess\./m);
  });

  promise('imports nothing at run time but Electron, koffi and Node itself', () => {
    const scripts = files.filter((file) => /^dist\/(main|chunks)\/.*\.js$/.test(file));
    const imported = scripts.flatMap((file) =>
      [
        ...textOf(file).matchAll(
          /^(?:import|export)\b[^'"\n]*?from\s*["']([^."'][^"']*)["']|^import\s*["']([^."'][^"']*)["']/gm,
        ),
      ].map((found) => found[1] ?? found[2] ?? ''),
    );
    expect([...new Set(imported)].filter((name) => !isBuiltin(name)).sort()).toEqual(
      imported.includes('koffi') ? ['electron', 'koffi'] : ['electron'],
    );
  });

  promise('holds every file that the program imports', () => {
    for (const file of files.filter((name) => /^dist\/(main|chunks)\/.*\.js$/.test(name)))
      for (const [, target = ''] of textOf(file).matchAll(/(?:from\s*|import\s*\(?\s*)["'](\.[^"']+)["']/g))
        expect(files).toContain(posix.join(file, '..', target));
  });

  promise('holds no chunk that nothing imports: what an earlier build left is not packed', (unpacked) => {
    const places = [files.filter((name) => name.startsWith('dist/chunks/')).map((name) => posix.basename(name))];
    const runtime = join(unpacked, 'resources', 'runtime', 'dist');
    places.push(readdirSync(join(runtime, 'chunks')));
    const programs = ['cli.js', 'cli.cjs', 'runner.cjs'].map((name) => readFileSync(join(runtime, name), 'utf8'));
    for (const chunks of places) {
      const bodies = chunks.map((name) => readFileSync(join(runtime, 'chunks', name), 'utf8'));
      const everything = [...programs, textOf('dist/main/main.js'), ...bodies].join('\n');
      expect(chunks.filter((name) => !everything.includes(`/${name}`))).toEqual([]);
    }
  });

  promise('leaves koffi’s library outside, where Windows can load it', () => {
    const library = files.find((file) => file.endsWith('.node'));
    expect(library).toMatch(/^node_modules\/@koromix\/koffi-win32-x64\//);
    expect(statFile(archive, join(...(library ?? '').split('/')))).toMatchObject({ unpacked: true });
    expect(existsSync(join(`${archive}.unpacked`, ...(library ?? '').split('/')))).toBe(true);
  });
});

describe('the program', () => {
  promise('has all nine fuses as decided', () => {
    const fuses = readFuses(exe);
    expect(Object.keys(fuses)).toEqual([...fuseNames]);
    expect(fuses).toEqual({
      RunAsNode: false,
      EnableCookieEncryption: true,
      EnableNodeOptionsEnvironmentVariable: false,
      EnableNodeCliInspectArguments: false,
      EnableEmbeddedAsarIntegrityValidation: true,
      OnlyLoadAppFromAsar: true,
      LoadBrowserProcessSpecificV8Snapshot: false,
      GrantFileProtocolExtraPrivileges: false,
      WasmTrapHandlers: true,
    });
  });

  promise('carries the hash of its archive, so that a changed one is not loaded', () => {
    expect(exe.includes(Buffer.from('ELECTRONASAR', 'utf16le'))).toBe(true);
    const record = /\[\{"file":"resources\\\\app\.asar","alg":"SHA256","value":"([0-9a-f]{64})"\}\]/.exec(
      exe.toString('latin1'),
    );
    // The hash is over the archive's header, which holds the hash of each file.
    const bytes = readFileSync(archive);
    const header = bytes.subarray(16, 16 + bytes.readUInt32LE(12));
    expect(record?.[1]).toBe(createHash('sha256').update(header).digest('hex'));
  });

  promise('asks for no administrator rights', () => {
    expect(exe.toString('latin1')).not.toMatch(/requestedExecutionLevel[^>]*(requireAdministrator|highestAvailable)/);
  });
});

describe('the runtime of the CLI and of the runners', () => {
  promise('lies beside the application with its own Node, its bundles and koffi', (unpacked) => {
    const runtime = join(unpacked, 'resources', 'runtime');
    for (const file of [
      'node.exe',
      'unjam.cmd',
      'package.json',
      'dist/cli.js',
      'dist/runner.cjs',
      'dist/setup.js',
      'dist/renderer/index.html',
      'node_modules/koffi/index.js',
    ])
      expect([file, existsSync(join(runtime, file))]).toEqual([file, true]);
    expect(readdirSync(join(runtime, 'node_modules', '@koromix'))).toEqual(['koffi-win32-x64']);
    expect(readFileSync(join(runtime, 'unjam.cmd'), 'latin1')).toBe('@"%~dp0node.exe" "%~dp0dist\\cli.js" %*\r\n');
  });

  test('answers on Windows, and reaches the system through koffi', { timeout: 300_000 }, async (context) => {
    if (packed.missing !== null) return context.skip(packed.missing);
    const setup = await prepareWine().catch((error: unknown) => context.skip(`no Wine: ${String(error)}`));
    if (!setup.version.startsWith('wine-10')) return context.skip(`${setup.version} cannot run Node 24`);
    const prefix = join(packed.staging, 'prefix');
    await copyPrefix(setup.template, prefix);
    const runtime = join(packed.unpacked, 'resources', 'runtime');
    const windows = (path: string) => `Z:${path.replaceAll('/', '\\')}`;
    const run = (...command: string[]) => {
      // To a file: Wine does not take the sockets that Node makes for a pipe.
      const file = join(runtime, '..', 'said.txt');
      const output = openSync(file, 'w');
      const env = wineEnvironment(setup, prefix);
      const { status } = spawnSync(setup.wine, command, {
        cwd: join(runtime, 'dist'),
        env,
        stdio: ['ignore', output, 'ignore'],
        timeout: 120_000,
      });
      closeSync(output);
      return [status, readFileSync(file, 'utf8').trim()];
    };
    const command = run('cmd.exe', '/c', windows(join(runtime, 'unjam.cmd')), '--version');
    const koffi = run(windows(join(runtime, 'node.exe')), '-p', "typeof require('koffi').load('kernel32.dll').func");
    await stopServer(setup, prefix);
    expect([command, koffi]).toEqual([
      [0, version()],
      [0, 'function'],
    ]);
  });
});

describe('the configuration', () => {
  test('names the program for Windows as the program names itself, and pins Electron', () => {
    const yml = readFileSync(join(repository, 'electron-builder.yml'), 'utf8');
    expect(/^appId: (\S+)/m.exec(yml)?.[1]).toBe(appId);
    expect(/^electronVersion: (\S+)/m.exec(yml)?.[1]).toBe(versionOf('electron'));
    const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    expect(devDependencies['electron']).toBe(versionOf('electron'));
    const runtime = readFileSync(join(repository, 'assets', 'runtime', 'package.json'), 'utf8');
    expect(JSON.parse(runtime)).toEqual({ name: 'unjam', version: version(), private: true, type: 'module' });
    expect(yml).toMatch(/toolsets:\n {2}nsis: '1\.2\.1'/);
  });

  test('signs libraries as it signs programs: koffi’s is one', () => {
    const yml = readFileSync(join(repository, 'electron-builder.yml'), 'utf8');
    expect(/^win:\n(?: .*\n)*? {2}signExts: (.*?)(?: #.*)?$/m.exec(yml)?.[1]).toBe('[.node]');
  });

  test('packs within a minute', (context) => {
    if (packed.missing !== null) return context.skip(packed.missing);
    expect(packed.packMs).toBeLessThan(60_000);
  });
});

function version(): string {
  return (JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }).version;
}
