/** Builds all of Unjam into a folder that is empty before: for packing, where nothing of an earlier build may come along. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..');

/** Each configuration of `npm run build`, and where below `dist` it puts its files. */
const builds = [
  ['vite.config.ts', 'renderer'],
  ['vite.node.config.ts', ''],
  ['vite.runner.config.ts', ''],
  ['vite.preload.config.ts', 'main'],
] as const;

/** `dist` is an absolute path; what is in it is removed. */
export function buildInto(dist: string): void {
  rmSync(dist, { recursive: true, force: true });
  const vite = join(repository, 'node_modules', 'vite', 'bin', 'vite.js');
  for (const [config, folder] of builds)
    execFileSync(
      process.execPath,
      [vite, 'build', '-c', config, '--outDir', join(dist, folder), '--emptyOutDir', 'false'],
      { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'] },
    );
}
