/**
 * Job objects, https://learn.microsoft.com/windows/win32/procthread/job-objects: the set of processes that a script has
 * started, kept by the kernel whoever their parents are, and the strongest kill there is.
 */
import { randomBytes } from 'node:crypto';
import { bind, type Handle, type Out } from './ffi.ts';
import { closeHandle, isHandle, killedExitCode, withLastError } from './kernel.ts';
import { windowsError } from './errors.ts';

const createJobObject = bind<(security: null, name: string) => Handle>(
  'kernel32',
  'uintptr_t',
  'CreateJobObjectW',
  'void *',
  'str16',
);
const openJobObject = bind<(rights: number, inherit: number, name: string) => Handle>(
  'kernel32',
  'uintptr_t',
  'OpenJobObjectW',
  'uint32',
  'int32',
  'str16',
);
const setInformationJobObject = bind<(job: Handle, kind: number, buffer: Buffer, size: number) => number>(
  'kernel32',
  'int32',
  'SetInformationJobObject',
  'uintptr_t',
  'int',
  'void *',
  'uint32',
);
const queryInformationJobObject = bind<
  (job: Handle, kind: number, buffer: Buffer, size: number, needed: Out) => number
>('kernel32', 'int32', 'QueryInformationJobObject', 'uintptr_t', 'int', '_Out_ void *', 'uint32', '_Out_ uint32 *');
const terminateJobObject = bind<(job: Handle, code: number) => number>(
  'kernel32',
  'int32',
  'TerminateJobObject',
  'uintptr_t',
  'uint32',
);

const rights = { query: 0x0004, terminate: 0x0008 } as const;
const basicProcessIdList = 3;
const basicAndIoAccountingInformation = 8;
const extendedLimitInformation = 9;
/** JOBOBJECT_BASIC_LIMIT_INFORMATION.LimitFlags */
export const limit = { breakawayOk: 0x800, silentBreakawayOk: 0x1000, killOnJobClose: 0x2000 } as const;
const alreadyExists = 183;
const moreData = 234;

export interface Job {
  readonly name: string;
  readonly handle: Handle;
}

/**
 * A new job under a random name, in the `Global` namespace so that a host in another session of the same user finds it.
 * On Windows the name lives as long as a handle is open (under Wine, as long as a process is in the job): the runner
 * keeps it. The default access list lets the same user, SYSTEM and administrators in.
 */
export function createJob(): Job {
  const name = `Global\\unjam-${randomBytes(16).toString('hex')}`;
  const { result, error } = withLastError(() => createJobObject(null, name));
  if (!isHandle(result)) throw windowsError('No job object could be made', error);
  if (error === alreadyExists) {
    closeHandle(result);
    throw windowsError(`A job named ${name} is there already, though the name is random`, error);
  }
  return { name, handle: result };
}

/**
 * While true, Windows ends every member when the last handle closes, also when its owner crashes.
 *
 * Leaving the job is allowed to those who ask for it (`startOutsideJob`): a host that a script starts in the background
 * would otherwise be in that script's job, and with it every runner and script that it starts, and all would end with
 * that one's Force Kill. Others that leave keep the run's cookie and stay in its tree.
 */
export function setKillOnClose(job: Handle, on: boolean): void {
  // JOBOBJECT_EXTENDED_LIMIT_INFORMATION, 144 bytes on x64; LimitFlags at 16.
  const limits = Buffer.alloc(144);
  limits.writeUInt32LE(limit.breakawayOk | (on ? limit.killOnJobClose : 0), 16);
  const { result, error } = withLastError(() =>
    setInformationJobObject(job, extendedLimitInformation, limits, limits.length),
  );
  if (!result) throw windowsError('The limits of the job object could not be set', error);
}

/** Calls `use` with the job when it can be opened by its name, else answers null. */
export function withJob<T>(name: string, use: (job: Handle) => T): T | null {
  const { result } = withLastError(() => openJobObject(rights.query | rights.terminate, 0, name));
  if (!isHandle(result)) return null;
  try {
    return use(result);
  } finally {
    closeHandle(result);
  }
}

/** Pids of the members; null when the job cannot be asked. Includes console hosts. */
export function membersOf(job: Handle): readonly number[] | null {
  for (let room = 64; room <= 1 << 20; room *= 4) {
    const buffer = Buffer.alloc(8 + 8 * room);
    const { result, error } = withLastError(() =>
      queryInformationJobObject(job, basicProcessIdList, buffer, buffer.length, [0]),
    );
    if (result) {
      const listed = buffer.readUInt32LE(4);
      return Array.from({ length: listed }, (_, i) => Number(buffer.readBigUInt64LE(8 + 8 * i)));
    }
    if (error !== moreData) return null;
  }
  return null;
}

/** LimitFlags of a job, of the caller's own for handle 0; null when they cannot be read. */
export function limitFlagsOf(job: Handle): number | null {
  const limits = Buffer.alloc(144);
  return queryInformationJobObject(job, extendedLimitInformation, limits, limits.length, [0])
    ? limits.readUInt32LE(16)
    : null;
}

/** Needs the job's handle only: no process of it can deny this through its own access list. */
export const terminateJob = (job: Handle): boolean => terminateJobObject(job, killedExitCode) !== 0;

/** What all members have used since the job was made, ended ones too; null when the job cannot be asked. */
export function usageOf(job: Handle): { readonly cpuMs: number; readonly ioBytes: number } | null {
  // JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION: 48 bytes of times (100 ns) and counts, then IO_COUNTERS.
  const buffer = Buffer.alloc(96);
  if (!queryInformationJobObject(job, basicAndIoAccountingInformation, buffer, buffer.length, [0])) return null;
  const ticks = buffer.readBigInt64LE(0) + buffer.readBigInt64LE(8);
  return {
    cpuMs: Number(ticks) / 10_000,
    ioBytes: Number(buffer.readBigUInt64LE(72) + buffer.readBigUInt64LE(80)),
  };
}
