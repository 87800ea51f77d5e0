/** Who serves a named pipe: asked before anything is sent to it. */
import { sidText } from './accounts.ts';
import { attempt, bind, type Handle, type Out } from './ffi.ts';
import { closeHandle, createFile, isHandle, withLastError } from './kernel.ts';
import type { Peer } from '../peer.ts';
import { nameOfSid, peerOf } from './token.ts';

const waitNamedPipe = bind<(name: string, ms: number) => number>(
  'kernel32',
  'int32',
  'WaitNamedPipeW',
  'str16',
  'uint32',
);
const getNamedPipeServerProcessId = bind<(pipe: Handle, pid: Out) => number>(
  'kernel32',
  'int32',
  'GetNamedPipeServerProcessId',
  'uintptr_t',
  '_Out_ uint32 *',
);
const getKernelObjectSecurity = bind<
  (object: Handle, kind: number, descriptor: Buffer, size: number, needed: Out) => number
>('advapi32', 'int32', 'GetKernelObjectSecurity', 'uintptr_t', 'uint32', '_Out_ void *', 'uint32', '_Out_ uint32 *');

/** FILE_READ_ATTRIBUTES | READ_CONTROL */
const rights = 0x80 | 0x2_0000;
const openExisting = 3;
/** SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION: a server that is not ours may see who we are, and not act as us. */
const identificationOnly = 0x0011_0000;
const pipeBusy = 231;
const [attempts, busyMs] = [3, 200];

interface Account {
  readonly sid: string;
  readonly user: string;
}

/**
 * Never null: who cannot be told has no id, and is believed by nobody. It connects for a moment, which the server sees as
 * a client that says nothing; all ends of one name are one object with one owner, for as long as any of them is open.
 */
export function serverOwner(address: string): Peer {
  const pipe = open(address);
  if (pipe === null) return serverFrom(null, null);
  try {
    const pid: Out = [0];
    const known = attempt(() => getNamedPipeServerProcessId(pipe, pid)) && pid[0] ? Number(pid[0]) : null;
    return serverFrom(ownerOf(pipe), known === null ? null : peerOf(known));
  } finally {
    closeHandle(pipe);
  }
}

/**
 * An ordinary user may not look into another user's process, but into a pipe that it may open: its owner is the account
 * that made it, or Administrators, and nobody can give it to somebody else. Both must agree where both are told. Pure.
 */
export function serverFrom(owner: Account | null, process: Peer | null): Peer {
  if (process === null)
    return owner === null
      ? { user: 'somebody whom Windows does not name', ids: [], pid: null }
      : { user: owner.user, ids: [owner.sid], pid: null };
  if (owner === null || process.ids.includes(owner.sid)) return process;
  return { user: `${process.user}, at a pipe of ${owner.user}`, ids: [], pid: process.pid };
}

/** All ends may be taken for a moment; null when it cannot be opened. */
function open(address: string): Handle | null {
  for (let i = 0; i < attempts; i += 1) {
    const opened = withLastError(() => createFile(address, rights, 3, null, openExisting, identificationOnly, null));
    if (isHandle(opened.result)) return opened.result;
    if (opened.error !== pipeBusy) return null;
    waitNamedPipe(address, busyMs);
  }
  return null;
}

/** SECURITY_DESCRIPTOR_RELATIVE has the offset of the owner's SID at 4. */
function ownerOf(pipe: Handle): Account | null {
  const descriptor = Buffer.alloc(1_024);
  const ownerInformation = 1;
  if (!attempt(() => getKernelObjectSecurity(pipe, ownerInformation, descriptor, descriptor.length, [0]))) return null;
  const offset = descriptor.readUInt32LE(4);
  if (offset === 0) return null;
  const sid = sidText(descriptor.subarray(offset));
  return { sid, user: nameOfSid(sid) };
}
