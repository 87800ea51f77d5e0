/**
 * `npm run package`: builds apart from `dist`, where old files lie for hosts that still run from them, and packs that.
 * Options are electron-builder's.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildInto } from './build.ts';

const repository = join(import.meta.dirname, '..');
buildInto(join(repository, '.cache', 'package', 'dist')); // electron-builder.yml takes it from there
const builder = join(repository, 'node_modules', 'electron-builder', 'cli.js');
const { status } = spawnSync(process.execPath, [builder, ...process.argv.slice(2)], {
  cwd: repository,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
