/** Whose process serves a named pipe: asked before anything is sent to it. */
import { bind, type Handle, type Out } from './ffi.ts';
import { closeHandle, isHandle } from './kernel.ts';
import type { Peer } from '../peer.ts';
import { peerOf } from './token.ts';

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
const getNamedPipeServerProcessId = bind<(pipe: Handle, pid: Out) => number>(
  'kernel32',
  'int32',
  'GetNamedPipeServerProcessId',
  'uintptr_t',
  '_Out_ uint32 *',
);

const readAttributes = 0x80;
const openExisting = 3;
/** SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION: a server that is not ours may see who we are, and not act as us. */
const identificationOnly = 0x0011_0000;

/** Null when it cannot be told. It connects for a moment, which the server sees as a client that says nothing. */
export function serverOwner(address: string): Peer | null {
  const pipe = createFile(address, readAttributes, 3, null, openExisting, identificationOnly, null);
  if (!isHandle(pipe)) return null;
  try {
    const pid: Out = [0];
    return getNamedPipeServerProcessId(pipe, pid) && pid[0] ? peerOf(Number(pid[0])) : null;
  } finally {
    closeHandle(pipe);
  }
}
