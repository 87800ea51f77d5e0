/**
 * Whose process is at the other end of a connection. For TCP the table of connections names the process. For a named
 * pipe libuv keeps the handle to itself (libuv/libuv#2255), so the server ends of the pipe are looked for among the
 * handles of this process: the one that has just been connected and belongs to no socket yet is the one asked about.
 */
import type { Socket } from 'node:net';
import type { Peer } from '../peer.ts';
import { attempt, bind, type Handle, type Out, wideText } from './ffi.ts';
import { PipeEnds, type PipeEnd } from './pipe-ends.ts';
import { peerOf } from './token.ts';

const ntQueryObject = bind<(object: Handle, kind: number, buffer: Buffer, size: number, needed: Out) => number>(
  'ntdll',
  'int32',
  'NtQueryObject',
  'uintptr_t',
  'int',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *',
);
const ntQueryInformationFile = bind<
  (file: Handle, status: Buffer, buffer: Buffer, size: number, kind: number) => number
>('ntdll', 'int32', 'NtQueryInformationFile', 'uintptr_t', '_Out_ void *', '_Out_ void *', 'uint32', 'int');
const getNamedPipeClientProcessId = bind<(pipe: Handle, pid: Out) => number>(
  'kernel32',
  'int32',
  'GetNamedPipeClientProcessId',
  'uintptr_t',
  '_Out_ uint32 *',
);
/** ERROR_PIPE_LOCAL (229) for a client of this machine. */
const getNamedPipeClientComputerName = bind<(pipe: Handle, name: Buffer, bytes: number) => number>(
  'kernel32',
  'int32',
  'GetNamedPipeClientComputerNameW',
  'uintptr_t',
  '_Out_ void *',
  'uint32',
);
const getProcessHandleCount = bind<(process: Handle, count: Out) => number>(
  'kernel32',
  'int32',
  'GetProcessHandleCount',
  'intptr_t',
  '_Out_ uint32 *',
);
const getExtendedTcpTable = bind<
  (table: Buffer, size: [number], sorted: number, family: number, kind: number, reserved: number) => number
>('iphlpapi', 'uint32', 'GetExtendedTcpTable', '_Out_ void *', '_Inout_ uint32 *', 'int32', 'uint32', 'int', 'uint32');

const objectBasicInformation = 0;
const fileNameInformation = 9;
const filePipeLocalInformation = 24;
/** NamedPipeState of FILE_PIPE_LOCAL_INFORMATION. */
const connectedStates = [3, 4];
/**
 * What libuv asks for when it makes a server end: reading, writing and WRITE_DAC. Asking the handle manager for it is
 * safe for every handle; a question to the file of somebody's blocking read would wait for that read.
 */
const serverEndAccess = 0x0016_019f;
const handlesMax = 1 << 18;
/** Wine does not count handles; there the search ends after so many numbers without one. */
const missesMax = 1_024;

/** Null when the system does not tell. `pipe` is the path of the host's named pipe. Ask as soon as a socket is accepted. */
export function openConnectionOwner(pipe: string | null): (socket: Socket) => Peer | null {
  const name = pipe?.replace(/^\\\\[.?]\\pipe/i, '').toLowerCase() ?? null;
  const ends = new PipeEnds(peerOf);
  return (socket) => {
    const { remoteAddress = '', remotePort, localAddress = '', localPort } = socket;
    if (remotePort !== undefined && localPort !== undefined) {
      const pid = tcpClient(endpoint(remoteAddress, remotePort), endpoint(localAddress, localPort));
      return pid === null ? null : peerOf(pid);
    }
    if (name === null) return null;
    const { owner, release } = ends.accept(connectedEnds(name));
    socket.once('close', release);
    return owner;
  };
}

/** Address and port in network order, as in the table; another user may have the same port at another loopback address. */
function endpoint(address: string, port: number): Buffer {
  const bytes = address
    .replace(/^::ffff:/i, '')
    .split('.')
    .map(Number);
  return Buffer.from([...bytes, 0, 0, 0, 0].slice(0, 4).concat([port >> 8, port & 0xff]));
}

/** The process with the client's side of a connection over the loopback; null when there is none. */
function tcpClient(client: Buffer, server: Buffer): number | null {
  const [ipv4, ownerPidAll, insufficientBuffer] = [2, 5, 122];
  const size: [number] = [65_536];
  let table = Buffer.alloc(size[0]);
  let answer = getExtendedTcpTable(table, size, 0, ipv4, ownerPidAll, 0);
  for (let again = 0; answer === insufficientBuffer && again < 5; again += 1) {
    size[0] += 4_096; // it may have grown meanwhile
    table = Buffer.alloc(size[0]);
    answer = getExtendedTcpTable(table, size, 0, ipv4, ownerPidAll, 0);
  }
  if (answer !== 0) return null;
  // MIB_TCPROW_OWNER_PID: state, local address and port, remote address and port, pid; ports in network order.
  for (let i = 0, at = 4; i < table.readUInt32LE(0); i += 1, at += 24)
    if (isAt(table, at + 4, client) && isAt(table, at + 12, server)) return table.readUInt32LE(at + 20) || null;
  return null;
}

/** Each is four bytes of address, then a port in the first two of four. */
const isAt = (table: Buffer, at: number, end: Buffer): boolean => table.subarray(at, at + 6).equals(end);

function connectedEnds(name: string): PipeEnd[] {
  const counted: Out = [0];
  const all = getProcessHandleCount(-1, counted) && counted[0] ? Number(counted[0]) : null;
  const found: PipeEnd[] = [];
  const information = Buffer.alloc(56);
  for (let handle = 4, seen = 0, misses = 0; handle < handlesMax; handle += 4) {
    if (all === null ? misses > missesMax : seen === all) break;
    if (ntQueryObject(handle, objectBasicInformation, information, information.length, [0]) < 0) {
      misses += 1;
      continue;
    }
    seen += 1;
    misses = 0;
    if ((information.readUInt32LE(4) & serverEndAccess) !== serverEndAccess || !isConnected(handle, name)) continue;
    const pid: Out = [0];
    const known = getNamedPipeClientProcessId(handle, pid) && pid[0] ? Number(pid[0]) : null;
    found.push({ handle, pid: known, computer: remoteComputer(handle) });
  }
  return found;
}

/** The name of another machine that the client is on; null for a local one, for which Windows answers with an error. */
function remoteComputer(handle: number): string | null {
  const name = Buffer.alloc(512);
  return attempt(() => getNamedPipeClientComputerName(handle, name, name.length)) ? wideText(name) || null : null;
}

function isConnected(handle: number, name: string): boolean {
  const [status, file, pipe] = [Buffer.alloc(16), Buffer.alloc(1_024), Buffer.alloc(40)];
  if (ntQueryInformationFile(handle, status, file, file.length, fileNameInformation) < 0) return false;
  if (file.toString('utf16le', 4, 4 + file.readUInt32LE(0)).toLowerCase() !== name) return false;
  if (ntQueryInformationFile(handle, status, pipe, pipe.length, filePipeLocalInformation) < 0) return true;
  return connectedStates.includes(pipe.readUInt32LE(32));
}
