/** Builds all of Unjam into a folder that is empty before: for packing, where nothing of an earlier build may come along. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..');

/** Each build of `npm run build`: its configuration and mode, and where below `dist` it puts its files. */
const builds = [
  ['vite.config.ts', 'production', 'renderer'],
  ['vite.node.config.ts', 'production', ''],
  ['vite.program.config.ts', 'runner', ''],
  ['vite.program.config.ts', 'cli', ''],
  ['vite.preload.config.ts', 'production', 'main'],
] as const;

/** `dist` is an absolute path; what is in it is removed. */
export function buildInto(dist: string): void {
  rmSync(dist, { recursive: true, force: true });
  const vite = join(repository, 'node_modules', 'vite', 'bin', 'vite.js');
  for (const [config, mode, folder] of builds)
    execFileSync(
      process.execPath,
      [vite, 'build', '-c', config, '--mode', mode, '--outDir', join(dist, folder), '--emptyOutDir', 'false'],
      { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'] },
    );
}
