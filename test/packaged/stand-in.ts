/**
 * A STAND-IN for Electron's distribution, so that packing is proven on every commit where the real one cannot be had: a
 * plain Node with its signature removed, given the marks that electron-builder looks for. It is not
 * Electron, cannot start the application, and is never published.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the fuses are in Electron's program: https://github.com/electron/fuses, `SENTINEL`. */
const fuseSentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/** Electron 45's wire in its order; `@electron/fuses` 1.8, which electron-builder brings, knows the first eight. */
export const fuseNames = [
  'RunAsNode',
  'EnableCookieEncryption',
  'EnableNodeOptionsEnvironmentVariable',
  'EnableNodeCliInspectArguments',
  'EnableEmbeddedAsarIntegrityValidation',
  'OnlyLoadAppFromAsar',
  'LoadBrowserProcessSpecificV8Snapshot',
  'GrantFileProtocolExtraPrivileges',
  'WasmTrapHandlers',
] as const;

/** As Electron ships them: '1' on, '0' off. */
const shipped = '101000011';

export function makeStandIn(platform: 'win32' | 'linux', node: string, folder: string): void {
  mkdirSync(join(folder, 'locales'), { recursive: true });
  mkdirSync(join(folder, 'resources'), { recursive: true });
  const exe = join(folder, platform === 'win32' ? 'electron.exe' : 'electron');
  // electron-builder edits the program's resources on Windows, and refuses to do that to a signed one.
  if (platform === 'win32')
    execFileSync('osslsigncode', ['remove-signature', '-in', node, '-out', exe], { stdio: 'ignore' });
  else copyFileSync(node, exe);
  const bytes = readFileSync(exe);
  const wire = Buffer.concat([Buffer.from(fuseSentinel), Buffer.from([1, fuseNames.length]), Buffer.from(shipped)]);
  // Overwrites a piece of a licence text inside the program, so that nothing moves.
  const at = bytes.indexOf('Permission is hereby granted, free of charge');
  if (at < 0) throw new Error('no place for the fuses in this node.exe');
  wire.copy(bytes, at);
  writeFileSync(exe, bytes);
  writeFileSync(join(folder, 'locales', 'en-US.pak'), '');
  writeFileSync(join(folder, 'LICENSE'), 'stand-in');
}

export function readFuses(exe: Buffer): Record<string, boolean> {
  const at = exe.indexOf(fuseSentinel);
  if (at < 0 || exe.indexOf(fuseSentinel, at + 1) >= 0) throw new Error('not exactly one fuse wire');
  const wire = exe.subarray(at + fuseSentinel.length);
  return Object.fromEntries(
    Array.from({ length: wire[1] ?? 0 }, (_, i) => [fuseNames[i] ?? `fuse ${i}`, wire[2 + i] === '1'.charCodeAt(0)]),
  );
}

/** Fetches a package's files through npm, once; later runs take them from .cache. Throws when npm cannot. */
export function fetchPackage(name: string, version: string, cache: string): string {
  const folder = join(cache, `${name.replaceAll('/', '-')}-${version}`);
  if (existsSync(join(folder, 'package', 'package.json'))) return join(folder, 'package');
  mkdirSync(folder, { recursive: true });
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', `${name}@${version}`, '--json', '--pack-destination', folder], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 120_000,
    }),
  ) as [{ filename: string }];
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', folder]);
  return join(folder, 'package');
}

export function copy(from: string, to: string): void {
  mkdirSync(join(to, '..'), { recursive: true });
  copyFileSync(from, to);
}
