/**
 * Closes what Unjam keeps to other users of the machine. File modes do nothing on Windows: a folder in %ProgramData% can
 * be read by everybody, and a pipe of libuv has the default access list, under which every user may connect for reading
 * and so occupy an instance, and the network may too (nodejs/node#47086: no option).
 */
import { describeError } from './errors.ts';
import { bind, type Handle, type Out } from './ffi.ts';
import { closeHandle, isHandle, withLastError } from './kernel.ts';
import { userSid } from './token.ts';

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
const localFree = bind<(memory: Handle) => Handle>('kernel32', 'uintptr_t', 'LocalFree', 'uintptr_t');

const readControl = 0x20000;
const writeDac = 0x40000;
const openExisting = 3;
const dacl = 0x4;
const protectedDacl = 0x80000000;

/**
 * Nobody through the network; the owner, SYSTEM and administrators everything. The owner must stay in: the server opens
 * its next instance under this list, and would hang without it (measured).
 */
const pipeAccess = 'D:P(D;;GA;;;NU)(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BA)';

/**
 * Call once after `listen`. It connects for a moment, which the server sees as a client that says nothing. Null when
 * done, else what went wrong: the bearer token still guards the pipe then.
 */
export function restrictPipe(path: string): string | null {
  const opened = withLastError(() => createFile(path, readControl | writeDac, 3, null, openExisting, 0, null));
  if (!isHandle(opened.result)) return `the pipe cannot be opened: ${describeError(opened.error)}`;
  try {
    return withDescriptor(pipeAccess, (descriptor) => setKernelObjectSecurity(opened.result, dacl, descriptor));
  } finally {
    closeHandle(opened.result);
  }
}

/**
 * Gives a folder, and what will be made in it, to the calling user, SYSTEM and administrators alone; nothing is inherited
 * from the folder above. Existing files inside keep their lists, so call it right after the folder was made. Null when
 * done, else what went wrong.
 */
export function restrictFolder(path: string): string | null {
  const sid = userSid(process.pid);
  if (sid === null) return 'the calling user cannot be determined';
  const list = ['SY', 'BA', sid].map((who) => `(A;OICI;FA;;;${who})`).join('');
  return withDescriptor(`D:P${list}`, (descriptor) => setFileSecurity(path, (dacl | protectedDacl) >>> 0, descriptor));
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
