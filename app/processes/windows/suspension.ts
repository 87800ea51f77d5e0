/** Suspended processes (`pssuspend`, a debugger, the Suspend of Process Explorer): found by their threads, and woken. */
import { attempt, bind, type Handle } from './ffi.ts';
import { closeHandle, isHandle, withProcess } from './kernel.ts';
import type { Thread } from './process-table.ts';

const openThread = bind<(access: number, inherit: number, id: number) => Handle>(
  'kernel32',
  'uintptr_t',
  'OpenThread',
  'uint32',
  'int32',
  'uint32',
);
const ntQueryInformationThread = bind<
  (thread: Handle, kind: number, buffer: Buffer, size: number, needed: null) => number
>('ntdll', 'int32', 'NtQueryInformationThread', 'uintptr_t', 'int', '_Out_ void *', 'uint32', 'void *');
const ntResumeProcess = bind<(process: Handle) => number>('ntdll', 'int32', 'NtResumeProcess', 'uintptr_t');

/** Since Windows 8.1 (phnt, ntpsapi.h); works under Wine, which leaves the wait reasons of the process table at 0. */
const threadSuspendCount = 35;
const queryLimited = 0x0800;
const suspendResume = 0x0800;

/** True when every thread is suspended. A runtime that suspends some of its own threads, as garbage collectors do, is not. */
export function isSuspended(threads: readonly Thread[]): boolean {
  return threads.length > 0 && threads.every((thread) => suspendCountOf(thread.id) > 0);
}

function suspendCountOf(id: number): number {
  const thread = openThread(queryLimited, 0, id);
  if (!isHandle(thread)) return 0;
  try {
    const count = Buffer.alloc(4);
    return attempt(() => ntQueryInformationThread(thread, threadSuspendCount, count, 4, null)) === 0
      ? count.readUInt32LE(0)
      : 0;
  } finally {
    closeHandle(thread);
  }
}

/** Takes one suspension from every thread; false when the process may not be resumed by us. */
export function resume(pid: number): boolean {
  return withProcess(
    pid,
    suspendResume,
    (handle) => attempt(() => ntResumeProcess(handle)) === 0,
    () => false,
  );
}
