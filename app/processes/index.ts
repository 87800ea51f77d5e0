/** Picks the platform. The only place that looks at `process.platform`. */
import type { ProcessControl } from './control.ts';
import type { ForeignProcesses } from './foreign.ts';
import type { ConnectionOwner, Peer } from './peer.ts';
import type { WriteEntry } from './system-log.ts';
import type { RegistryValue } from './registry-value.ts';
import { userName } from './user-name.ts';

export type * from './control.ts';
export type * from './foreign.ts';
export type * from './peer.ts';
export type * from './registry-value.ts';
export { findExecutable } from './find-executable.ts';
export { accountId, administratorIds, ownerIds, ownPeer } from './accounts.ts';
export { launchProblem } from './launch-problem.ts';
export { scriptFileProblem, wordProblem } from './script-file.ts';
export { readMachineRecord, recordPath, writeMachineRecord } from './machine-record.ts';
export { openInput, type Surroundings } from './surroundings.ts';
export { ProgramFiles } from './program-files.ts';
export {
  closeAddressToOthers,
  closeFolderToOthers,
  folderOwner,
  folderProblem,
  socketFolderProblem,
  wayProblem,
} from './owner-only.ts';
export { addressFolder, home, hostAddress, stateDirectory } from './places.ts';
export { SystemLog } from './system-log.ts';

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

/**
 * All values of a key below HKEY_LOCAL_MACHINE (Windows only); null when there is no such key.
 * @throws Error when it cannot be read, which is not the same
 */
export async function machineKey(path: string): Promise<Readonly<Record<string, RegistryValue>> | null> {
  return (await import('./windows/registry.ts')).readMachineKey(path);
}

/** What is asked of processes that Unjam did not start. */
export async function openForeignProcesses(control: ProcessControl, helper?: HelperRuntime): Promise<ForeignProcesses> {
  return process.platform === 'win32'
    ? (await import('./windows/foreign.ts')).openForeign(control, helper)
    : (await import('./linux/foreign.ts')).openForeign(control);
}

/** Null where what a host writes on stderr reaches the system's log by itself (journald). */
export async function openSystemLog(): Promise<WriteEntry | null> {
  return process.platform === 'win32' ? (await import('./windows/event-log.ts')).eventLog() : null;
}

/** The user that this process runs as, as the system says it: `root`, `CONTOSO\\kim`. Never throws. */
export async function currentUser(): Promise<string> {
  if (process.platform !== 'win32') return userName();
  try {
    const { user } = (await import('./windows/token.ts')).ownerOf(process.pid);
    if (user !== null) return user;
  } catch {
    // Said in the name.
  }
  return `${userName()} (unverified)`;
}

/** `address` is the host's, for connections over a named pipe; null for a server that has only TCP. */
export async function openConnectionOwner(address: string | null): Promise<ConnectionOwner> {
  const ownerOf =
    process.platform === 'win32'
      ? (await import('./windows/connection-owner.ts')).openConnectionOwner(address)
      : await (await import('./linux/connection-owner.ts')).openConnectionOwner();
  return (socket) => {
    try {
      return ownerOf(socket);
    } catch {
      return null; // a function that this system lacks: a connection is not refused for it
    }
  };
}

/** Who serves the address to which a connection has just been made. */
export async function openServerOwner(): Promise<(address: string) => Peer> {
  return process.platform === 'win32'
    ? (await import('./windows/server-owner.ts')).serverOwner
    : (await import('./linux/server-owner.ts')).serverOwner;
}
