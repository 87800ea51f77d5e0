/** Picks the platform. The only place that looks at `process.platform`. */
import type { ProcessControl } from './control.ts';

export type * from './control.ts';
export { findExecutable } from './find-executable.ts';
export { addressFolder, hostAddress, stateDirectory } from './places.ts';

export async function openProcessControl(): Promise<ProcessControl> {
  if (process.platform === 'win32') return (await import('./windows.ts')).openWindows();
  if (process.platform === 'linux') return (await import('./linux.ts')).openLinux();
  throw new Error(`Unjam runs on Windows and Linux; it has no process control for "${process.platform}".`);
}
