/** Whose process is at the other end of a connection: the kernel noted it when the connection was made. */
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import { read, userName } from './proc.ts';

type GetSocketOption = (fd: number, level: number, name: number, value: Buffer, size: [number]) => number;

/** asm-generic/socket.h, as on x86-64 and arm64. */
const [solSocket, soPeerCred] = [1, 17];
/** struct ucred: pid, uid, gid. */
const ucredBytes = 12;

/** Null when the system does not tell. */
export async function openConnectionOwner(): Promise<(socket: Socket) => string | null> {
  const getSocketOption = await bindGetSocketOption();
  return (socket) => {
    const { remoteAddress, remotePort, localPort } = socket;
    const uid =
      remotePort === undefined || localPort === undefined
        ? peerUid(getSocketOption, socket)
        : tcpUid(read, { address: remoteAddress ?? '', port: remotePort, to: localPort });
    return uid === null ? null : userName(uid);
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

/** SO_PEERCRED, unix(7): who called connect(2). Node has no function for it, and its file descriptor in `_handle`. */
function peerUid(getSocketOption: GetSocketOption | null, socket: Socket): number | null {
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
  if (getSocketOption === null || fd < 0) return null;
  const credentials = Buffer.alloc(ucredBytes);
  const size: [number] = [ucredBytes];
  if (getSocketOption(fd, solSocket, soPeerCred, credentials, size) !== 0 || size[0] !== ucredBytes) return null;
  const uid = endianness() === 'LE' ? credentials.readUInt32LE(4) : credentials.readUInt32BE(4);
  return uid === 0xffff_ffff ? null : uid;
}

/**
 * The user of the client's socket of a connection over the loopback, from /proc/net/tcp and tcp6 (proc(5)). A socket
 * that nobody owns any more has inode 0 and stands there with uid 0: it is not root's.
 */
export function tcpUid(
  readText: (path: string) => string | null,
  client: { readonly address: string; readonly port: number; readonly to: number },
): number | null {
  const ipv4 = client.address.replace(/^::ffff:/i, '');
  if (!ipv4.startsWith('127.')) return null;
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of (readText(path) ?? '').split('\n')) {
      const [, local = '', remote = '', , , , , uid, , inode] = line.trim().split(/\s+/);
      if (!local.endsWith(`:${hex(client.port)}`) || !remote.endsWith(`:${hex(client.to)}`)) continue;
      if (isLoopback(local) && inode !== undefined && inode !== '0') return Number(uid);
    }
  return null;
}

/** 127.x.x.x in the byte order of a little-endian kernel, or mapped into IPv6. */
const isLoopback = (local: string): boolean => /^(?:0{16}F{4}0{4})?[0-9A-F]{6}7F:/i.test(local);
