/**
 * Closes what Unjam keeps to other users of the machine. File modes do nothing on Windows: a folder in %ProgramData% can
 * be read by everybody, and a pipe of libuv has the default access list, under which every user may connect for reading
 * and so occupy an instance, and the network may too (nodejs/node#47086: no option).
 */
import { sidText } from './accounts.ts';
import { describeError } from './errors.ts';
import { bind, type Handle, type Out } from './ffi.ts';
import { closeHandle, isHandle, withLastError } from './kernel.ts';
import { peerOf, userSid } from './token.ts';

const createFile = bind<
  (
    name: string,
    rights: number,
    share: number,
    security: null,
    creation: number,
    flags: number,
    template: null,
  ) => Handle
>('kernel32', 'uintptr_t', 'CreateFileW', 'str16', 'uint32', 'uint32', 'void *', 'uint32', 'uint32', 'void *');
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
const getFileSecurity = bind<(path: string, kind: number, descriptor: Buffer, size: number, needed: Out) => number>(
  'advapi32',
  'int32',
  'GetFileSecurityW',
  'str16',
  'uint32',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *',
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
  const administrators = ['S-1-5-18', 'S-1-5-32-544'];
  const who = ['SY', 'BA', ...(administrators.includes(owner) ? [] : [owner])];
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

/**
 * Gives a folder, and what will be made in it, to its owner, SYSTEM and administrators alone; nothing is inherited from
 * the folder above. Done once: a folder that inherits nothing already is left as it is, whoever calls. Existing files
 * inside keep their lists, so call it right after the folder was made. Null when done, else what went wrong.
 */
export function restrictFolder(path: string): string | null {
  const current = securityOf(path);
  if (current?.isProtected) return null;
  const owner = current?.owner ?? userSid(process.pid);
  if (owner === null) return 'its owner cannot be determined';
  const set = (descriptor: Handle): number => setFileSecurity(path, (dacl | protectedDacl) >>> 0, descriptor);
  return withDescriptor(folderAccess(owner), set);
}

/**
 * SID of the user that a folder belongs to; null when Windows does not tell. What an elevated administrator makes belongs
 * to the group of administrators: for a process that is one of them it is its own.
 */
export function folderOwner(path: string): string | null {
  const owner = securityOf(path)?.owner ?? null;
  const [self, ...groups] = peerOf(process.pid)?.ids ?? [];
  const isAdministrators = owner === 'S-1-5-32-544' || owner === 'S-1-5-18';
  return isAdministrators && self !== undefined && groups.includes('S-1-5-32-544') ? self : owner;
}

function securityOf(path: string): { readonly owner: string | null; readonly isProtected: boolean } | null {
  const descriptor = Buffer.alloc(8_192);
  const ownerInformation = 0x1;
  if (!getFileSecurity(path, ownerInformation | dacl, descriptor, descriptor.length, [0])) return null;
  return parseSecurity(descriptor);
}

/** SECURITY_DESCRIPTOR_RELATIVE: revision, control flags at 2, offset of the owner's SID at 4. Pure. */
export function parseSecurity(descriptor: Buffer): { readonly owner: string | null; readonly isProtected: boolean } {
  const daclProtected = 0x1000;
  const owner = descriptor.readUInt32LE(4);
  return {
    owner: owner === 0 ? null : sidText(descriptor.subarray(owner)),
    isProtected: (descriptor.readUInt16LE(2) & daclProtected) !== 0,
  };
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
