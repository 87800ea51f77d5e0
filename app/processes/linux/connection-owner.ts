/** Whose process is at the other end of a connection: the kernel noted it when the connection was made. */
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import type { Peer } from '../peer.ts';
import { read, userName } from './proc.ts';

type GetSocketOption = (fd: number, level: number, name: number, value: Buffer, size: [number]) => number;

/** asm-generic/socket.h, as on x86-64 and arm64. */
const [solSocket, soPeerCred, soPeerGroups] = [1, 17, 59];
/** struct ucred: pid, uid, gid. */
const ucredBytes = 12;
/** NGROUPS_MAX is 65,536; nobody with a role is in more than these. */
const groupsBytes = 4 * 4_096;
const nobody = 0xffff_ffff;

const isLittleEndian = endianness() === 'LE';
const number = (from: Buffer, at: number): number => (isLittleEndian ? from.readUInt32LE(at) : from.readUInt32BE(at));

/** Null when the system does not tell. */
export async function openConnectionOwner(): Promise<(socket: Socket) => Peer | null> {
  const getSocketOption = await bindGetSocketOption();
  return (socket) => {
    const { remoteAddress = '', remotePort, localAddress = '', localPort } = socket;
    if (remotePort === undefined || localPort === undefined) return unixPeer(getSocketOption, socket);
    const uid = tcpUid(read, {
      client: { address: remoteAddress, port: remotePort },
      server: { address: localAddress, port: localPort },
    });
    return uid === null ? null : { user: userName(uid), ids: [`uid:${uid}`], pid: null };
  };
}

/** Null where koffi has no build for this machine; connections are then not verified, and say so. */
async function bindGetSocketOption(): Promise<GetSocketOption | null> {
  try {
    const { default: koffi } = await import('koffi');
    const program = koffi.load(null); // libc is in it
    return program.func('int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32 *)');
  } catch {
    return null;
  }
}

/**
 * SO_PEERCRED and SO_PEERGROUPS, unix(7): who called connect(2) or listen(2), with its groups at that time. Node has no
 * function for it, and its file descriptor in `_handle`.
 */
function unixPeer(getSocketOption: GetSocketOption | null, socket: Socket): Peer | null {
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
  if (getSocketOption === null || fd < 0) return null;
  const option = (name: number, bytes: number): Buffer | null => {
    const value = Buffer.alloc(bytes);
    const size: [number] = [bytes];
    return getSocketOption(fd, solSocket, name, value, size) === 0 ? value.subarray(0, size[0]) : null;
  };
  const credentials = option(soPeerCred, ucredBytes);
  if (credentials?.length !== ucredBytes) return null;
  const [pid, uid, gid] = [number(credentials, 0), number(credentials, 4), number(credentials, 8)];
  if (uid === nobody) return null;
  const groups = option(soPeerGroups, groupsBytes) ?? Buffer.alloc(0);
  const gids = [gid, ...Array.from({ length: groups.length / 4 }, (_, i) => number(groups, 4 * i))];
  return { user: userName(uid), ids: [`uid:${uid}`, ...new Set(gids.map((g) => `gid:${g}`))], pid };
}

interface End {
  readonly address: string;
  readonly port: number;
}

/**
 * The user of the client's socket of a connection over the loopback, from /proc/net/tcp and tcp6 (proc(5)). Both ends
 * must fit with address and port: another user may have bound the same port to another address of 127.0.0.0/8. A socket
 * that nobody owns any more has inode 0 and stands there with uid 0: it is not root's.
 */
export function tcpUid(
  readText: (path: string) => string | null,
  { client, server }: { readonly client: End; readonly server: End },
): number | null {
  const [from, to] = [entryOf(client), entryOf(server)];
  if (from === null || to === null) return null;
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of (readText(path) ?? '').split('\n')) {
      const [, local = '', remote = '', , , , , uid, , inode] = line.trim().split(/\s+/);
      if (!from.includes(local) || !to.includes(remote)) continue;
      if (inode !== undefined && inode !== '0') return Number(uid);
    }
  return null;
}

/** As it stands there: the address as one number in the kernel's byte order, plain and mapped into IPv6. */
function entryOf({ address, port }: End): readonly string[] | null {
  const bytes = address
    .replace(/^::ffff:/i, '')
    .split('.')
    .map(Number);
  if (bytes.length !== 4 || bytes[0] !== 127 || bytes.some((b) => !Number.isInteger(b) || b < 0 || b > 255))
    return null;
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
  const ordered = isLittleEndian ? bytes.toReversed() : bytes;
  const ipv4 = `${ordered.map((b) => hex(b, 2)).join('')}:${hex(port, 4)}`;
  return [ipv4, `0000000000000000${isLittleEndian ? 'FFFF0000' : '0000FFFF'}${ipv4}`];
}
