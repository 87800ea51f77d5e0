/** Takes the right to terminate from everybody, the owner included: a real "access denied" without another user. */
import { bind, type Handle, type Out } from '../../../app/processes/windows/ffi.ts';
import { withProcess } from '../../../app/processes/windows/kernel.ts';

const convert = bind<(text: string, revision: number, descriptor: Out, size: Out) => number>(
  'advapi32',
  'int32',
  'ConvertStringSecurityDescriptorToSecurityDescriptorW',
  'str16',
  'uint32',
  '_Out_ uintptr_t *',
  '_Out_ uint32 *',
);
const setKernelObjectSecurity = bind<(object: Handle, kind: number, descriptor: Handle) => number>(
  'advapi32',
  'int32',
  'SetKernelObjectSecurity',
  'uintptr_t',
  'uint32',
  'uintptr_t',
);

export function denyTermination(pid: number): boolean {
  const descriptor: Out = [0];
  if (!convert('D:(D;;0x1;;;WD)(A;;0x1FFFFE;;;WD)', 1, descriptor, [0])) return false;
  const writeDac = 0x40000;
  const dacl = 4;
  return withProcess(
    pid,
    writeDac,
    (handle) => setKernelObjectSecurity(handle, dacl, descriptor[0]!) !== 0,
    () => false,
  );
}
