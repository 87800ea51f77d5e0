/**
 * One pass over the process table with a single system call, without opening any process: NtQuerySystemInformation
 * (SystemProcessInformation). 4 ms for 98 processes, five times faster than Toolhelp (measured under Wine 8).
 */
import type { Place, ProcessIdentity } from '../../domain/identity.ts';
import type { ProcessSnapshot, ProcessState } from '../control.ts';
import { addressOf, attempt, bind, type Handle, type Out, wideText } from './ffi.ts';
import { fileTimeToMs, ticksToMs } from './filetime.ts';
import { access, closeHandle, creationTimeOf, isHandle, withProcess } from './kernel.ts';

export interface Thread {
  readonly id: number;
  /** KTHREAD_STATE: 0 initialized … 2 running, 5 waiting. */
  readonly state: number;
  /** KWAIT_REASON; means something in state 5 only. */
  readonly waitReason: number;
}

export interface TableEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly name: string;
  /** FILETIME. */
  readonly created: bigint;
  readonly cpuMs: number;
  readonly session: number;
  /** Bytes read and written. */
  readonly ioBytes: number;
  readonly threads: readonly Thread[];
}

const ntQuerySystemInformation = bind<(kind: number, buffer: Buffer, size: number, needed: Out) => number>(
  'ntdll',
  'int32',
  'NtQuerySystemInformation',
  'int',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *',
);
const createToolhelp32Snapshot = bind<(flags: number, pid: number) => Handle>(
  'kernel32',
  'uintptr_t',
  'CreateToolhelp32Snapshot',
  'uint32',
  'uint32',
);
const process32First = bind<(snapshot: Handle, entry: Buffer) => number>(
  'kernel32',
  'int32',
  'Process32FirstW',
  'uintptr_t',
  '_Inout_ void *',
);
const process32Next = bind<(snapshot: Handle, entry: Buffer) => number>(
  'kernel32',
  'int32',
  'Process32NextW',
  'uintptr_t',
  '_Inout_ void *',
);

const systemProcessInformation = 5;
const infoLengthMismatch = 0xc0000004;

/** Null when Windows shows its processes neither way, which is not the same as that there are none. */
export function readTable(): readonly TableEntry[] | null {
  return readWithNtQuery() ?? readWithToolhelp();
}

function readWithNtQuery(): readonly TableEntry[] | null {
  const needed: Out = [0];
  for (let size = 1 << 18; size <= 1 << 26; size = Math.max(size * 2, Number(needed[0]) + 65_536)) {
    const buffer = Buffer.alloc(size);
    const status = attempt(() => ntQuerySystemInformation(systemProcessInformation, buffer, size, needed));
    if (status === 0) return parseSystemProcesses(buffer, addressOf(buffer));
    if (status === null || status >>> 0 !== infoLengthMismatch) return null;
  }
  return null;
}

/**
 * SYSTEM_PROCESS_INFORMATION with its thread array, x64 (phnt, ntexapi.h): 256 bytes, then 80 for each thread.
 * `base` is the address that the name pointers inside the buffer count from.
 */
export function parseSystemProcesses(buffer: Buffer, base: bigint): readonly TableEntry[] {
  const entries: TableEntry[] = [];
  for (let at = 0; ;) {
    const threadCount = buffer.readUInt32LE(at + 4);
    const nameLength = buffer.readUInt16LE(at + 56);
    const nameAt = Number(buffer.readBigUInt64LE(at + 64) - base);
    const threads: Thread[] = [];
    for (let i = 0, t = at + 256; i < threadCount && t + 80 <= buffer.length; i++, t += 80)
      threads.push({
        id: Number(buffer.readBigUInt64LE(t + 48)),
        state: buffer.readUInt32LE(t + 68),
        waitReason: buffer.readUInt32LE(t + 72),
      });
    entries.push({
      pid: Number(buffer.readBigUInt64LE(at + 80)),
      parentPid: Number(buffer.readBigUInt64LE(at + 88)),
      name:
        nameLength > 0 && nameAt >= 0 ? buffer.toString('utf16le', nameAt, nameAt + nameLength) : 'System Idle Process',
      created: buffer.readBigUInt64LE(at + 32),
      cpuMs: ticksToMs(buffer.readBigUInt64LE(at + 40) + buffer.readBigUInt64LE(at + 48)),
      session: buffer.readUInt32LE(at + 100),
      ioBytes: Number(buffer.readBigUInt64LE(at + 232) + buffer.readBigUInt64LE(at + 240)),
      threads,
    });
    const next = buffer.readUInt32LE(at);
    if (next === 0) return entries;
    at += next;
  }
}

/** PROCESSENTRY32W, 568 bytes. It has no start times: each process must be opened, and a denied one keeps 0. */
export function readWithToolhelp(): readonly TableEntry[] | null {
  const processes = 0x2;
  const snapshot = createToolhelp32Snapshot(processes, 0);
  if (!isHandle(snapshot)) return null;
  const entries: TableEntry[] = [];
  const entry = Buffer.alloc(568);
  entry.writeUInt32LE(568, 0);
  for (let more = process32First(snapshot, entry); more; more = process32Next(snapshot, entry)) {
    const pid = entry.readUInt32LE(8);
    entries.push({
      pid,
      parentPid: entry.readUInt32LE(32),
      name: wideText(entry, 44),
      created: withProcess(pid, access.queryLimited, creationTimeOf, () => null) ?? 0n,
      cpuMs: 0,
      session: 0,
      ioBytes: 0,
      threads: [],
    });
  }
  closeHandle(snapshot);
  return entries.length === 0 ? null : entries; // this process at least is there
}

/** KWAIT_REASON in the words of the kernel's headers; 7 to 13 repeat 0 to 6 for waits that began in user mode. */
const waitReasons: Readonly<Record<number, string>> = {
  0: 'Executive',
  1: 'FreePage',
  2: 'PageIn',
  3: 'PoolAllocation',
  4: 'DelayExecution',
  5: 'Suspended',
  6: 'UserRequest',
  7: 'Executive',
  8: 'FreePage',
  9: 'PageIn',
  10: 'PoolAllocation',
  11: 'DelayExecution',
  12: 'Suspended',
  13: 'UserRequest',
  14: 'EventPair',
  15: 'Queue',
  16: 'LpcReceive',
  17: 'LpcReply',
};

const waiting = 5;
const idlePool = 15;

/** What the threads wait for, the commonest first: `UserRequest ×3, DelayExecution`; null when nothing was measured. */
export function waitsOf(threads: readonly Omit<Thread, 'id'>[]): string | null {
  const counts = new Map<string, number>();
  for (const { state, waitReason } of threads)
    if (state === waiting && waitReason !== idlePool) {
      const name = waitReasons[waitReason] ?? `reason ${waitReason}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  if (counts.size === 0) return null;
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => (count === 1 ? name : `${name} ×${count}`))
    .join(', ');
}

/** Wine leaves all states at 0, which is no answer: `unknown`. */
export function stateOf(threads: readonly Omit<Thread, 'id'>[]): ProcessState {
  if (threads.length === 0 || threads.every((t) => t.state === 0)) return 'unknown';
  const waits = threads.filter((t) => t.state === waiting);
  if (waits.length < threads.length) return 'running';
  const reasons = waits.filter((t) => t.waitReason !== idlePool).map((t) => waitReasons[t.waitReason]);
  if (reasons.length > 0 && reasons.every((r) => r === 'Suspended')) return 'stopped';
  // Synchronous I/O shows as Executive; when nothing else waits, the process is inside the kernel as a whole.
  if (reasons.length > 0 && reasons.every((r) => r === 'Executive')) return 'kernel';
  return 'sleeping';
}

export function identityFrom(place: Place, entry: Pick<TableEntry, 'pid' | 'created' | 'name'>): ProcessIdentity {
  return {
    machine: place.machine,
    machineId: place.machineId,
    bootId: place.bootId,
    pidNamespace: place.pidNamespace,
    pid: entry.pid,
    startTime: entry.created.toString(),
    startedAt: entry.created === 0n ? 0 : fileTimeToMs(entry.created),
    name: entry.name,
  };
}

export function toSnapshot(place: Place, entry: TableEntry): ProcessSnapshot {
  return {
    identity: identityFrom(place, entry),
    parentPid: entry.parentPid,
    group: null,
    session: null,
    cpuMs: entry.cpuMs,
    childrenCpuMs: null,
    state: stateOf(entry.threads),
  };
}
