/** The record of the machine's host: a value below HKLM, which everybody reads and only administrators write. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bind, type Handle } from './ffi.ts';

const regGetValue = bind<
  (key: Handle, path: string, name: string, flags: number, kind: null, data: Buffer, size: [number]) => number
>(
  'advapi32',
  'int32',
  'RegGetValueW',
  'uintptr_t',
  'str16',
  'str16',
  'uint32',
  'void *',
  '_Out_ void *',
  '_Inout_ uint32 *',
);

const localMachine = 0x8000_0002;
const [textOnly, view64] = [0x2, 0x0001_0000]; // RRF_RT_REG_SZ, RRF_SUBKEY_WOW6464KEY
const [path, name] = ['SOFTWARE\\Unjam', 'Host'];
const [ok, fileNotFound] = [0, 2];
const bytesMax = 8_192;

export function readMachineRecord(): string | null {
  const data = Buffer.alloc(bytesMax);
  const size: [number] = [bytesMax];
  const answer = regGetValue(localMachine, path, name, textOnly | view64, null, data, size);
  if (answer === fileNotFound) return null;
  if (answer !== ok) throw new Error(`HKLM\\${path} cannot be read: error ${answer}`);
  return data.toString('utf16le', 0, Math.max(0, size[0] - 2));
}

export async function writeMachineRecord(text: string | null): Promise<void> {
  const program = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'reg.exe');
  const key = `HKLM\\${path}`;
  const args =
    text === null
      ? ['delete', key, '/v', name, '/f', '/reg:64']
      : ['add', key, '/v', name, '/t', 'REG_SZ', '/d', text, '/f', '/reg:64'];
  if (text !== null || readMachineRecord() !== null)
    await promisify(execFile)(program, args, { windowsHide: true, timeout: 10_000 });
}
