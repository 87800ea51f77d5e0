/**
 * Closes a named pipe to other users. libuv makes its pipes with the default access list, under which every user of the
 * machine may connect for reading and so occupy an instance, and the network may too (nodejs/node#47086: no option).
 */
import { describeError } from './errors.ts';
import { bind, type Handle, type Out } from './ffi.ts';
import { closeHandle, isHandle, withLastError } from './kernel.ts';

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
const localFree = bind<(memory: Handle) => Handle>('kernel32', 'uintptr_t', 'LocalFree', 'uintptr_t');

/** Nobody through the network; the owner, SYSTEM and administrators everything. The owner must stay in: the server opens its next instance with this list. */
const ownerOnly = 'D:P(D;;GA;;;NU)(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BA)';

const readControl = 0x20000;
const writeDac = 0x40000;
const openExisting = 3;
const daclInformation = 4;

/**
 * Call once after `listen`. It connects for a moment, which the server sees as a client that says nothing. Null when
 * done, else what went wrong: the bearer token still guards the pipe then.
 */
export function restrictPipe(path: string): string | null {
  const opened = withLastError(() => createFile(path, readControl | writeDac, 3, null, openExisting, 0, null));
  if (!isHandle(opened.result)) return `the pipe cannot be opened: ${describeError(opened.error)}`;
  const descriptor: Out = [0];
  try {
    const made = withLastError(() => toDescriptor(ownerOnly, 1, descriptor, null));
    if (!made.result || descriptor[0] === null) return `the access list cannot be made: ${describeError(made.error)}`;
    const list = descriptor[0];
    const set = withLastError(() => setKernelObjectSecurity(opened.result, daclInformation, list));
    localFree(list);
    return set.result ? null : `the access list cannot be set: ${describeError(set.error)}`;
  } finally {
    closeHandle(opened.result);
  }
}
