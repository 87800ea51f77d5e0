/**
 * What the threads of one process wait for: state, kernel function, system call, and the file behind its descriptor
 * (proc(5): status, task/TID/{stat,wchan,syscall}, fd). Read only when somebody asks.
 */
import { constants } from 'node:os';
import type { Awaited, Examination, ExaminedThread, PipeEnd } from '../../domain/examination.ts';
import type { ProcessIdentity } from '../../domain/identity.ts';
import { link, list, type Place, read, readStat, readWaitChannel } from './proc.ts';
import { systemCallName } from './system-calls.ts';

const threadsMax = 64;

export function examine(place: Place, identity: ProcessIdentity): Examination | null {
  const { pid } = identity;
  const status = read(`/proc/${pid}/status`);
  if (status === null) return null;
  const mask = (name: string): bigint | null => {
    const hex = new RegExp(`^${name}:\\s+([0-9a-f]+)`, 'm').exec(status)?.[1];
    return hex === undefined ? null : BigInt(`0x${hex}`);
  };
  const ids = list(`/proc/${pid}/task`).map(Number);
  return {
    ignoredSignals: signalNames(mask('SigIgn')),
    caughtSignals: signalNames(mask('SigCgt')),
    blockedSignals: signalNames(mask('SigBlk')),
    // SIGKILL is bit 8; it waits for a thread (SigPnd) or the whole process (ShdPnd).
    killPending: (((mask('SigPnd') ?? 0n) | (mask('ShdPnd') ?? 0n)) & 0x100n) !== 0n,
    threadCount: ids.length,
    threads: ids.slice(0, threadsMax).flatMap((id) => thread(place, pid, id, holders) ?? []),
  };
}

export const mainThread = (place: Place, pid: number): ExaminedThread | null => thread(place, pid, pid, () => []);

type PipeEnds = (self: number, target: string, access: 0 | 1) => readonly PipeEnd[];

function thread(place: Place, pid: number, id: number, pipeEnds: PipeEnds): ExaminedThread | null {
  const path = `${pid}/task/${id}`;
  const stat = readStat(place, path);
  if (stat === null) return null;
  const waitsIn = readWaitChannel(path);
  const call = readSystemCall(path);
  return {
    id,
    state: stat.state,
    waitsIn,
    call: call?.name ?? null,
    awaits: stat.state === 'running' || call === null ? null : awaited(pid, call, waitsIn, pipeEnds),
  };
}

interface SystemCall {
  readonly name: string;
  readonly first: number;
}

/** `230 0x0 …`: number and arguments; `running`, and -1 for a wait outside of any call, are none. */
export function readSystemCall(path: string): SystemCall | null {
  const [number, first] = read(`/proc/${path}/syscall`)?.trim().split(' ') ?? [];
  if (number === undefined || first === undefined || !/^\d+$/.test(number)) return null;
  return { name: systemCallName(Number(number)), first: Number(first) };
}

function awaited(pid: number, { name, first }: SystemCall, waitsIn: string | null, pipeEnds: PipeEnds): Awaited | null {
  switch (name) {
    case 'wait4':
    case 'waitid':
      return { kind: 'child' };
    case 'nanosleep':
    case 'clock_nanosleep':
      return { kind: 'timer' };
    case 'futex':
    case 'flock':
      return { kind: 'lock' };
    case 'open':
    case 'openat':
      // fs/pipe.c: fifo_open() waits here until somebody opens the other end.
      return waitsIn === 'wait_for_partner' ? { kind: 'pipe', direction: 'read', descriptor: null, others: [] } : null;
    case 'read':
    case 'readv':
    case 'pread64':
    case 'recvfrom':
    case 'recvmsg':
    case 'accept':
    case 'accept4':
    case 'connect':
      return behind(pid, first, 'read', pipeEnds);
    case 'write':
    case 'writev':
    case 'pwrite64':
    case 'sendto':
    case 'sendmsg':
      return behind(pid, first, 'write', pipeEnds);
    default:
      return null;
  }
}

function behind(pid: number, descriptor: number, direction: 'read' | 'write', pipeEnds: PipeEnds): Awaited | null {
  const target = link(`/proc/${pid}/fd/${descriptor}`);
  if (target === null) return null;
  const wanted = direction === 'read' ? 1 : 0;
  if (target.startsWith('pipe:')) return { kind: 'pipe', direction, descriptor, others: pipeEnds(pid, target, wanted) };
  if (target.startsWith('socket:')) return { kind: 'socket', descriptor, peer: tcpPeer(pid, target.slice(8, -1)) };
  if (/^\/dev\/(pts\/|tty|console)/.test(target)) return { kind: 'terminal', descriptor, path: target };
  if (isFifo(pid)) return { kind: 'pipe', direction, descriptor, others: pipeEnds(pid, target, wanted) };
  return { kind: 'file', descriptor, path: target };
}

/** A named pipe looks like any file in fd/; the kernel function tells. Not stat(2): it may block where the script does. */
function isFifo(pid: number): boolean {
  return readWaitChannel(pid)?.includes('pipe') === true;
}

/** Who has `target` open with this access (0 reads, 1 writes, 2 both), other than `self`; ours to see only. */
function holders(self: number, target: string, access: 0 | 1): PipeEnd[] {
  const found: PipeEnd[] = [];
  for (const entry of list('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === self) continue;
    const holds = list(`/proc/${entry}/fd`).some((descriptor) => {
      if (link(`/proc/${entry}/fd/${descriptor}`) !== target) return false;
      const flags = /^flags:\s+([0-7]+)/m.exec(read(`/proc/${entry}/fdinfo/${descriptor}`) ?? '')?.[1];
      const mode = parseInt(flags ?? '0', 8) & 3; // O_ACCMODE
      return mode === access || mode === 2;
    });
    if (holds) found.push({ pid: Number(entry), name: read(`/proc/${entry}/comm`)?.trim() ?? '?' });
  }
  return found;
}

/** `10.1.2.3:443` of a connected TCP socket; null for every other one. */
function tcpPeer(pid: number, inode: string): string | null {
  for (const table of ['tcp', 'tcp6'])
    for (const line of (read(`/proc/${pid}/net/${table}`) ?? '').split('\n')) {
      const fields = line.trim().split(/\s+/);
      if (fields[9] !== inode) continue;
      const [address, port] = (fields[2] ?? '').split(':');
      if (address === undefined || port === undefined || /^0*$/.test(port)) return null;
      return `${addressText(address)}:${parseInt(port, 16)}`;
    }
  return null;
}

/** The kernel prints each 32-bit word of an address in the machine's byte order. */
export function addressText(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  if (bytes.length === 4) return bytes.join('.');
  if (hex.startsWith('0000000000000000FFFF0000')) return bytes.slice(12).join('.');
  const parts = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return `[${parts.join(':')}]`;
}

function signalNames(mask: bigint | null): string[] | null {
  if (mask === null) return null;
  return Object.entries(constants.signals)
    .filter(([name, number]) => name !== 'SIGIOT' && name !== 'SIGPOLL' && (mask & (1n << BigInt(number - 1))) !== 0n)
    .map(([name]) => name);
}
