/** The kernel32 functions that more than one file needs, and the rules for handles and last errors. */
import { ticksToMs } from './filetime.ts';
import { attempt, bind, type Handle, type Out } from './ffi.ts';

const getLastError = bind<() => number>('kernel32', 'uint32', 'GetLastError');
const setLastError = bind<(code: number) => void>('kernel32', 'void', 'SetLastError', 'uint32');
const closeHandleRaw = bind<(handle: Handle) => number>('kernel32', 'int32', 'CloseHandle', 'uintptr_t');
const openProcessRaw = bind<(access: number, inherit: number, pid: number) => Handle>(
  'kernel32',
  'uintptr_t',
  'OpenProcess',
  'uint32',
  'int32',
  'uint32',
);
const waitForSingleObject = bind<(handle: Handle, ms: number) => number>(
  'kernel32',
  'uint32',
  'WaitForSingleObject',
  'uintptr_t',
  'uint32',
);
const getExitCodeProcess = bind<(handle: Handle, code: Out) => number>(
  'kernel32',
  'int32',
  'GetExitCodeProcess',
  'uintptr_t',
  '_Out_ uint32 *',
);
const getProcessTimes = bind<(handle: Handle, created: Buffer, exited: Buffer, kernel: Buffer, user: Buffer) => number>(
  'kernel32',
  'int32',
  'GetProcessTimes',
  'uintptr_t',
  '_Out_ void *',
  '_Out_ void *',
  '_Out_ void *',
  '_Out_ void *',
);
const terminateProcessRaw = bind<(handle: Handle, code: number) => number>(
  'kernel32',
  'int32',
  'TerminateProcess',
  'uintptr_t',
  'uint32',
);
const isProcessCritical = bind<(handle: Handle, critical: Out) => number>(
  'kernel32',
  'int32',
  'IsProcessCritical',
  'uintptr_t',
  '_Out_ int32 *',
);
const queryFullProcessImageName = bind<(handle: Handle, flags: number, text: Buffer, length: [number]) => number>(
  'kernel32',
  'int32',
  'QueryFullProcessImageNameW',
  'uintptr_t',
  'uint32',
  '_Out_ void *',
  '_Inout_ uint32 *',
);

const getProcessIoCounters = bind<(handle: Handle, counters: Buffer) => number>(
  'kernel32',
  'int32',
  'GetProcessIoCounters',
  'uintptr_t',
  '_Out_ void *',
);
const queryUnbiasedInterruptTime = bind<(time: [number | bigint]) => number>(
  'kernel32',
  'int32',
  'QueryUnbiasedInterruptTime',
  '_Out_ uint64 *',
);

export const createFile = bind<
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

/** Process access rights, https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights */
export const access = {
  terminate: 0x0001,
  readMemory: 0x0010,
  query: 0x0400,
  queryLimited: 0x1000,
  synchronize: 0x100000,
} as const;

/** Exit code of what Unjam ends: 128 + 9, as a shell reports SIGKILL. Distinct from taskkill's 1. */
export const killedExitCode = 137;

const waitTimeout = 258;
const invalidHandle = 0xffffffffffffffffn;

/** Calls `call`, and gives its result with the last error; koffi calls in between would overwrite that. */
export function withLastError<T>(call: () => T): { readonly result: T; readonly error: number } {
  setLastError(0);
  const result = call();
  return { result, error: getLastError() };
}

export const isHandle = (handle: Handle): boolean =>
  handle !== 0 && handle !== 0n && handle !== -1 && handle !== invalidHandle;

export function closeHandle(handle: Handle): void {
  if (isHandle(handle)) closeHandleRaw(handle);
}

type Opened = { readonly handle: Handle; readonly error: 0 } | { readonly handle: null; readonly error: number };

/** Error 87 means that there is no such process, 5 that there is one but not for us. */
function openProcess(pid: number, rights: number): Opened {
  const { result, error } = withLastError(() => openProcessRaw(rights, 0, pid));
  return isHandle(result) ? { handle: result, error: 0 } : { handle: null, error: error || 31 };
}

/** Opens, calls, closes. `otherwise` gets the error code when the process cannot be opened. */
export function withProcess<T>(
  pid: number,
  rights: number,
  use: (handle: Handle) => T,
  otherwise: (error: number) => T,
): T {
  const opened = openProcess(pid, rights);
  if (opened.handle === null) return otherwise(opened.error);
  try {
    return use(opened.handle);
  } finally {
    closeHandle(opened.handle);
  }
}

/**
 * Alive = a wait of zero milliseconds times out. An exited process that somebody still holds opens without error, and
 * exit code 259 is a legal exit code: neither says anything.
 */
export const isRunning = (process: Handle): boolean => waitForSingleObject(process, 0) === waitTimeout;

/** The raw unsigned exit code; null when it cannot be read. Ask only after `isRunning` said no. */
export function exitCodeOf(process: Handle): number | null {
  const code: Out = [null];
  return getExitCodeProcess(process, code) ? Number(code[0]) >>> 0 : null;
}

/** Creation FILETIME, 100 ns since 1601; null when it cannot be read. */
export function creationTimeOf(process: Handle): bigint | null {
  const [created, exited, kernel, user] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)];
  return getProcessTimes(process, created, exited, kernel, user) ? created.readBigUInt64LE() : null;
}

/** 0 when the termination was accepted, else the error. Accepted is not ended. */
export function terminateProcess(process: Handle): number {
  const { result, error } = withLastError(() => terminateProcessRaw(process, killedExitCode));
  return result ? 0 : error || 31;
}

/** Ending a critical process stops Windows with a blue screen. False where the question does not exist. */
export function isCritical(process: Handle): boolean {
  const answer: Out = [0];
  return attempt(() => isProcessCritical(process, answer) !== 0 && answer[0] !== 0) ?? false;
}

/** Bytes that a process has read and written; null when they cannot be read. */
export function ioBytesOf(process: Handle): number | null {
  const counters = Buffer.alloc(48);
  return getProcessIoCounters(process, counters)
    ? Number(counters.readBigUInt64LE(24) + counters.readBigUInt64LE(32))
    : null;
}

/** Milliseconds since the machine started, without the time that it slept or hibernated; moves in steps of about 15 ms. */
export function uptimeWithoutSleep(): number {
  const time: [number | bigint] = [0];
  queryUnbiasedInterruptTime(time);
  return ticksToMs(BigInt(time[0]));
}

/** Full path of the image; null when it cannot be read. */
export function imagePathOf(process: Handle): string | null {
  const text = Buffer.alloc(2 * 4096);
  const length: [number] = [4096];
  return queryFullProcessImageName(process, 0, text, length) ? text.toString('utf16le', 0, length[0] * 2) : null;
}
