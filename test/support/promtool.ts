/** Debian's promtool, unpacked into `.cache` at its first use: its package would start a server. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unpackDebian } from './debian-packages.ts';

const cached = resolve(import.meta.dirname, '../../.cache/promtool');

/** Debian has the tools that unpack it; another system may have promtool itself. */
export const canHavePromtool =
  existsSync('/etc/debian_version') || spawnSync('promtool', ['--version']).error === undefined;

/** Path of promtool. */
export async function promtool(): Promise<string> {
  if (!existsSync('/etc/debian_version')) return 'promtool';
  if (existsSync(cached)) return cached;
  mkdirSync(join(cached, '..'), { recursive: true });
  const work = mkdtempSync(`${cached}-`);
  try {
    const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
    await unpackDebian(['prometheus'], { suite: 'bookworm', architecture, work, tree: join(work, 'tree') });
    renameSync(join(work, 'tree/usr/bin/promtool'), cached);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return cached;
}
