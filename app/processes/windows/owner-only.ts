/**
 * Closes what Unjam keeps to other users of the machine. File modes do nothing on Windows: a folder in %ProgramData% can
 * be read by everybody, and a pipe of libuv has the default access list, under which every user may connect for reading
 * and so occupy an instance, and the network may too (nodejs/node#47086: no option).
 */
import { readdirSync } from 'node:fs';
import type { Closing } from '../closing.ts';
import { describeError } from './errors.ts';
import { bind, type Handle, type Out } from './ffi.ts';
import {
  administrators,
  type FileSecurity,
  securityOf,
  strangers,
  system,
  type Volume,
  volumeOf,
} from './file-security.ts';
import { closeHandle, createFile, isHandle, withLastError } from './kernel.ts';
import { nameOfSid, peerOf, userSid } from './token.ts';

const toDescriptor = bind<(text: string, revision: number, descriptor: Out, size: null) => number>(
  'advapi32',
  'int32',
  'ConvertStringSecurityDescriptorToSecurityDescriptorW',
  'str16',
  'uint32',
  '_Out_ uintptr_t *',
  'void *',
);
const setKernelObjectSecurity = bind<(object: Handle, kind: number, descriptor: Handle) => number>(
  'advapi32',
  'int32',
  'SetKernelObjectSecurity',
  'uintptr_t',
  'uint32',
  'uintptr_t',
);
const setFileSecurity = bind<(path: string, kind: number, descriptor: Handle) => number>(
  'advapi32',
  'int32',
  'SetFileSecurityW',
  'str16',
  'uint32',
  'uintptr_t',
);
const localFree = bind<(memory: Handle) => Handle>('kernel32', 'uintptr_t', 'LocalFree', 'uintptr_t');

const readControl = 0x20000;
const writeDac = 0x40000;
const openExisting = 3;
const dacl = 0x4;
const protectedDacl = 0x80000000;

/**
 * The owner, SYSTEM and administrators everything; the accounts with a role reading and writing. The owner must stay in:
 * the server opens its next instance under this list, and would hang without it (measured). Network logons are not
 * denied: WinRM and SSH sessions are such, and a host that was started in one would shut itself out. Clients of other
 * machines are refused by their computer's name (`connection-owner.ts`). Pure.
 */
export const pipeAccess = (accounts: readonly string[]): string =>
  ['D:P(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BA)', ...accounts.filter(isSid).map((sid) => `(A;;GRGW;;;${sid})`)].join('');

const isSid = (id: string): boolean => /^S-1(-\d+)+$/.test(id);

/**
 * SYSTEM, administrators and the folder's owner everything, nothing from above. The owner and not the caller: a run as
 * SYSTEM must not shut out the user whose folder it is. Pure.
 */
export function folderAccess(owner: string): string {
  const who = ['SY', 'BA', ...([system, administrators].includes(owner) ? [] : [owner])];
  return `D:P${who.map((one) => `(A;OICI;FA;;;${one})`).join('')}`;
}

/**
 * Call once after `listen`. It connects for a moment, which the server sees as a client that says nothing. Null when
 * done, else what went wrong: the bearer token still guards the pipe then.
 */
export function restrictPipe(path: string, accounts: readonly string[] = []): string | null {
  const opened = withLastError(() => createFile(path, readControl | writeDac, 3, null, openExisting, 0, null));
  if (!isHandle(opened.result)) return `the pipe cannot be opened: ${describeError(opened.error)}`;
  try {
    return withDescriptor(pipeAccess(accounts), (descriptor) =>
      setKernelObjectSecurity(opened.result, dacl, descriptor),
    );
  } finally {
    closeHandle(opened.result);
  }
}

/** SYSTEM, administrators and the folder's owner alone, and nothing from above. Null when done, else what went wrong. */
export function restrictFolder(path: string, owner: string): string | null {
  const set = (descriptor: Handle): number => setFileSecurity(path, (dacl | protectedDacl) >>> 0, descriptor);
  return withDescriptor(folderAccess(owner), set);
}

/**
 * The state directory, which must exist. One that inherits nothing, and that nobody else can write, is left as it is,
 * whoever calls. Existing files inside keep their lists, so call it right after the folder was made.
 */
export function closeFolder(path: string): Closing {
  const self = userSid(process.pid);
  const security = securityOf(path);
  const volume = volumeOf(path);
  if (self === null || security === null)
    return { refused: null, said: notClosed('its owner and access list cannot be read') };
  const isEmpty = readdirSync(path).length === 0;
  const refused = stateProblem({ security, volume, self, isEmpty, nameOf: nameOfSid });
  if (refused !== null) return { refused, said: null };
  if (volume?.isRemote) return { refused: null, said: remoteSentence };
  if (security.isProtected && strangers(security, [self]).length === 0) return { refused: null, said: null };
  const open = restrictFolder(path, security.owner ?? self);
  return { refused: null, said: open && notClosed(open) };
}

const notClosed = (why: string): string => `The state directory could not be closed to other users: ${why}.`;

const remoteSentence =
  'The state directory lies on a network drive: its server decides who can read and write it, and two machines with one MachineGuid (copies of one disk image) would take each other’s processes for ended. Next: put it on a local drive (UNJAM_HOME).';

interface StateFacts {
  readonly security: FileSecurity;
  readonly volume: Volume | null;
  readonly self: string;
  readonly isEmpty: boolean;
  readonly nameOf: (sid: string) => string;
}

/** Why what lies in a state directory is not to be believed: somebody else could have put it there. Pure. */
export function stateProblem({ security, volume, self, isEmpty, nameOf }: StateFacts): string | null {
  if (volume !== null && !volume.keepsAccessLists)
    return `it lies on a volume with ${volume.fileSystem || 'an unknown file system'}, which keeps no access lists: everybody on this machine could write it`;
  // The accounts of a server are not this machine's.
  if (volume?.isRemote) return null;
  const { owner } = security;
  if (owner !== null && strangers({ ...security, writers: [] }, [self]).length > 0)
    return `it belongs to ${nameOf(owner)}`;
  const [other] = strangers(security, [self]);
  // What has just been made, and inherits from above, is closed now.
  return other === undefined || isEmpty ? null : `${nameOf(other)} can write it`;
}

/**
 * SID of the user that a folder belongs to; null when Windows does not tell. What an elevated administrator makes belongs
 * to the group of administrators: for a process that is one of them it is its own.
 */
export function folderOwner(path: string): string | null {
  const owner = securityOf(path)?.owner ?? null;
  const [self, ...groups] = peerOf(process.pid)?.ids ?? [];
  const isAdministrators = owner === administrators || owner === system;
  return isAdministrators && self !== undefined && groups.includes(administrators) ? self : owner;
}

function withDescriptor(text: string, apply: (descriptor: Handle) => number): string | null {
  const descriptor: Out = [0];
  const made = withLastError(() => toDescriptor(text, 1, descriptor, null));
  if (!made.result || descriptor[0] === null) return `the access list cannot be made: ${describeError(made.error)}`;
  const list = descriptor[0];
  const set = withLastError(() => apply(list));
  localFree(list);
  return set.result ? null : `the access list cannot be set: ${describeError(set.error)}`;
}
