/** Takes the right to terminate from everybody, the owner included: a real "access denied" without another user. */
import { bind, type Handle, type Out } from '../../../app/processes/windows/ffi.ts';
import { closeHandle, isHandle, withProcess } from '../../../app/processes/windows/kernel.ts';

const convert = bind<(text: string, revision: number, descriptor: Out, size: Out) => number>(
  'advapi32',
  'int32',
  'ConvertStringSecurityDescriptorToSecurityDescriptorW',
  'str16',
  'uint32',
  '_Out_ uintptr_t *',
  '_Out_ uint32 *',
);
const setKernelObjectSecurity = bind<(object: Handle, kind: number, descriptor: Handle) => number>(
  'advapi32',
  'int32',
  'SetKernelObjectSecurity',
  'uintptr_t',
  'uint32',
  'uintptr_t',
);

export function denyTermination(pid: number): boolean {
  const descriptor: Out = [0];
  if (!convert('D:(D;;0x1;;;WD)(A;;0x1FFFFE;;;WD)', 1, descriptor, [0])) return false;
  const writeDac = 0x40000;
  const dacl = 4;
  return withProcess(
    pid,
    writeDac,
    (handle) => setKernelObjectSecurity(handle, dacl, descriptor[0]!) !== 0,
    () => false,
  );
}

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
const toText = bind<(descriptor: Buffer, revision: number, kind: number, text: [string | null], size: null) => number>(
  'advapi32',
  'int32',
  'ConvertSecurityDescriptorToStringSecurityDescriptorW',
  'void *',
  'uint32',
  'uint32',
  '_Out_ str16 *',
  'void *',
);

/** The access list of a file or folder in SDDL. */
export function accessListOf(path: string): string | null {
  const descriptor = Buffer.alloc(4096);
  const dacl = 4;
  if (!getFileSecurity(path, dacl, descriptor, descriptor.length, [0])) return null;
  const text: [string | null] = [null];
  return toText(descriptor, 1, dacl, text, null) ? text[0] : null;
}

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

/** Opens a file as a scanner does that lets nobody delete it. */
export function holdWithoutDelete(path: string): Handle {
  const [genericRead, shareReadAndWrite, openExisting] = [0x80000000, 3, 3];
  const handle = createFile(path, genericRead, shareReadAndWrite, null, openExisting, 0, null);
  if (!isHandle(handle)) throw new Error(`${path} could not be held`);
  return handle;
}

const getKernelObjectSecurity = bind<
  (object: Handle, kind: number, descriptor: Buffer, size: number, needed: Out) => number
>('advapi32', 'int32', 'GetKernelObjectSecurity', 'uintptr_t', 'uint32', '_Out_ void *', 'uint32', '_Out_ uint32 *');

/** Of a pipe, in SDDL: its access list, and the account that made it. */
export const pipeListOf = (name: string): string | null => pipeSecurity(name, 4);
export const pipeOwnerOf = (name: string): string | null => pipeSecurity(name, 1);

function pipeSecurity(name: string, kind: number): string | null {
  const [readControl, openExisting] = [0x2_0000, 3];
  const handle = createFile(name, readControl, 3, null, openExisting, 0, null);
  if (!isHandle(handle)) return null;
  try {
    const descriptor = Buffer.alloc(4096);
    if (!getKernelObjectSecurity(handle, kind, descriptor, descriptor.length, [0])) return null;
    const text: [string | null] = [null];
    return toText(descriptor, 1, kind, text, null) ? text[0] : null;
  } finally {
    closeHandle(handle);
  }
}

const copyMemory = bind<(to: Buffer, from: Handle, bytes: number) => void>(
  'kernel32',
  'void',
  'RtlMoveMemory',
  '_Out_ void *',
  'uintptr_t',
  'size_t',
);

/** An access list in SDDL as the bytes that Windows makes of it. */
export function descriptorOf(text: string): Buffer {
  const [descriptor, size]: [Out, Out] = [[0], [0]];
  if (!convert(text, 1, descriptor, size)) throw new Error(`${text} is no access list`);
  const bytes = Buffer.alloc(Number(size[0]));
  copyMemory(bytes, descriptor[0]!, bytes.length);
  return bytes;
}
