/** Who owns a file or folder and who may change it, and what its volume can keep. */
import { dirname } from 'node:path';
import { sidText } from './accounts.ts';
import { attempt, bind, type Out, wideText } from './ffi.ts';
import { nameOfSid } from './token.ts';

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
const getVolumePathName = bind<(path: string, volume: Buffer, size: number) => number>(
  'kernel32',
  'int32',
  'GetVolumePathNameW',
  'str16',
  '_Out_ void *',
  'uint32',
);
const getVolumeInformation = bind<
  (
    volume: string,
    name: null,
    size: number,
    serial: null,
    longest: null,
    flags: Out,
    system: Buffer,
    bytes: number,
  ) => number
>(
  'kernel32',
  'int32',
  'GetVolumeInformationW',
  'str16',
  'void *',
  'uint32',
  'void *',
  'void *',
  '_Out_ uint32 *',
  '_Out_ void *',
  'uint32',
);
const getDriveType = bind<(volume: string) => number>('kernel32', 'uint32', 'GetDriveTypeW', 'str16');

export const [system, administrators] = ['S-1-5-18', 'S-1-5-32-544'];
const trustedInstaller = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464';
const everybody = 'S-1-1-0';
/** Stands for the owner in a list: the owner itself is looked at. */
const creatorOwner = ['S-1-3-0', 'S-1-3-4'];

/** FILE_ADD_FILE, FILE_DELETE_CHILD, DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_WRITE, GENERIC_ALL */
const change = 0x5000_0000 | 0x000d_0000 | 0x42;
/** FILE_APPEND_DATA; of a folder FILE_ADD_SUBDIRECTORY, which everybody has at the root of a volume. */
const append = 0x4;

export interface FileSecurity {
  /** SID. */
  readonly owner: string | null;
  /** Inherits nothing. */
  readonly isProtected: boolean;
  /** SIDs of all that may change it, append to it, or exchange what lies in it. */
  readonly writers: readonly string[];
}

/** Null when Windows does not tell. */
export function securityOf(path: string, mask = change | append): FileSecurity | null {
  const descriptor = Buffer.alloc(65_536);
  const [ownerInformation, dacl] = [0x1, 0x4];
  if (!getFileSecurity(path, ownerInformation | dacl, descriptor, descriptor.length, [0])) return null;
  return parseSecurity(descriptor, mask);
}

/**
 * SECURITY_DESCRIPTOR_RELATIVE: control flags at 2, offsets of the owner's SID at 4 and of the list at 16. What a list
 * denies is not counted: it takes nothing from who is named elsewhere. Pure.
 */
export function parseSecurity(descriptor: Buffer, mask = change | append): FileSecurity {
  const [daclPresent, daclProtected] = [0x4, 0x1000];
  const control = descriptor.readUInt16LE(2);
  const [owner, list] = [descriptor.readUInt32LE(4), descriptor.readUInt32LE(16)];
  return {
    owner: owner === 0 ? null : sidText(descriptor.subarray(owner)),
    isProtected: (control & daclProtected) !== 0,
    // No list at all lets everybody do everything.
    writers: (control & daclPresent) === 0 || list === 0 ? [everybody] : writersOf(descriptor.subarray(list), mask),
  };
}

/** ACL: a count at 4, entries from 8; an entry: type, flags, size, rights at 4, the SID at 8. */
function writersOf(list: Buffer, mask: number): string[] {
  const [allowed, allowedCallback, inheritOnly] = [0, 9, 0x8];
  const writers = new Set<string>();
  for (let i = 0, at = 8; i < list.readUInt16LE(4); i += 1, at += list.readUInt16LE(at + 2)) {
    const [type, flags] = [list.readUInt8(at), list.readUInt8(at + 1)];
    if ((type !== allowed && type !== allowedCallback) || (flags & inheritOnly) !== 0) continue;
    if ((list.readUInt32LE(at + 4) & mask) !== 0) writers.add(sidText(list.subarray(at + 8)));
  }
  return [...writers];
}

/** Who besides `trusted`, the system and administrators could have changed what has this owner and list. Pure. */
export function strangers({ owner, writers }: FileSecurity, trusted: readonly string[] = []): string[] {
  const known = [system, administrators, trustedInstaller, ...creatorOwner, ...trusted];
  return [...new Set([...(owner === null ? [] : [owner]), ...writers])].filter((sid) => !known.includes(sid));
}

/** Why SYSTEM must not run a program: who else could exchange it, or a folder on the way to it. Null when nobody can. */
export function programProblem(program: string): string | null {
  for (let path = program; ; path = dirname(path)) {
    const isRoot = dirname(path) === path;
    const security = securityOf(path, isRoot ? change : change | append);
    if (security === null) return `the access list of "${path}" cannot be read`;
    const [stranger] = strangers(security);
    if (stranger !== undefined) return `"${path}" can be changed by ${nameOfSid(stranger)}`;
    if (isRoot) return null;
  }
}

export interface Volume {
  /** `NTFS`, `ReFS`, `exFAT`. */
  readonly fileSystem: string;
  readonly keepsAccessLists: boolean;
  readonly isRemote: boolean;
}

/** Of a file or folder that exists; null when Windows does not tell. */
export function volumeOf(path: string): Volume | null {
  const [volume, fileSystem] = [Buffer.alloc(1_024), Buffer.alloc(128)];
  const flags: Out = [0];
  const [persistentAcls, remote] = [0x8, 4];
  return attempt(() => {
    if (!getVolumePathName(path, volume, 512)) return null;
    const root = wideText(volume);
    if (!getVolumeInformation(root, null, 0, null, null, flags, fileSystem, 64)) return null;
    return {
      fileSystem: wideText(fileSystem),
      keepsAccessLists: (Number(flags[0]) & persistentAcls) !== 0,
      isRemote: getDriveType(root) === remote,
    };
  });
}
