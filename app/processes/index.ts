/** Picks the platform. The only place that looks at `process.platform`. */
import type { ProcessControl } from './control.ts';

export type * from './control.ts';
export { findExecutable } from './find-executable.ts';
export { closeAddressToOthers, closeFolderToOthers } from './owner-only.ts';
export { addressFolder, hostAddress, stateDirectory } from './places.ts';

/** A plain Node and a program beside which koffi lies: Electron itself can be neither (Windows only). */
export interface HelperRuntime {
  readonly node: string;
  readonly koffiBeside: string;
}

export async function openProcessControl(helper?: HelperRuntime): Promise<ProcessControl> {
  if (process.platform === 'win32') return (await import('./windows.ts')).openWindows(helper);
  if (process.platform === 'linux') return (await import('./linux.ts')).openLinux();
  throw new Error(`Unjam runs on Windows and Linux; it has no process control for "${process.platform}".`);
}
