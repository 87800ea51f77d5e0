/**
 * Where the plain Node is that runs the CLI and the runners: this program itself cannot, because its fuse RunAsNode is
 * off. assets/runtime/README.md says why the installer moves it out of the installation folder.
 */
import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';

export interface RuntimePlace {
  readonly platform: NodeJS.Platform;
  readonly packaged: boolean;
  readonly version: string;
  /** `process.resourcesPath`. */
  readonly resources: string;
  /** Folder of the built programs, for a build that is not packed. */
  readonly dist: string;
  readonly env: NodeJS.ProcessEnv;
  readonly exists?: (path: string) => boolean;
}

/**
 * How to start a runner.
 * @throws Error when the installation lacks its runtime: falling back on this program would open a second window instead.
 */
export function runnerCommand(place: RuntimePlace): { readonly file: string; readonly args: readonly string[] } {
  const { join } = place.platform === 'win32' ? win32 : posix;
  const exists = place.exists ?? existsSync;
  const node = place.platform === 'win32' ? 'node.exe' : 'node';
  if (!place.packaged) return { file: place.env['npm_node_execpath'] ?? node, args: [join(place.dist, 'runner.js')] };
  const shared = place.env['CommonProgramW6432'] ?? place.env['CommonProgramFiles'];
  const folders = [
    ...(place.platform === 'win32' && shared !== undefined ? [join(shared, 'Unjam', place.version)] : []),
    join(place.resources, 'runtime'),
  ];
  const folder = folders.find((one) => exists(join(one, node)) && exists(join(one, 'runner.js')));
  if (folder === undefined) throw new Error(`The runtime is in none of ${folders.join(', ')}. Install Unjam again.`);
  return { file: join(folder, node), args: [join(folder, 'runner.js')] };
}
