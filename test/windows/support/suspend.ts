/** Suspends a process as pssuspend does. */
import { bind, type Handle } from '../../../app/processes/windows/ffi.ts';
import { withProcess } from '../../../app/processes/windows/kernel.ts';

const ntSuspendProcess = bind<(process: Handle) => number>('ntdll', 'int32', 'NtSuspendProcess', 'uintptr_t');

export function suspend(pid: number): boolean {
  const suspendResume = 0x0800;
  return withProcess(
    pid,
    suspendResume,
    (handle) => ntSuspendProcess(handle) === 0,
    () => false,
  );
}
