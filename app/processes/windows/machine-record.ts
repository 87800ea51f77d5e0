/** The record of the machine's host: a value below HKLM, which everybody reads and only administrators write. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readMachineText } from './registry.ts';

const [path, name] = ['SOFTWARE\\Unjam', 'Host'];

export const readMachineRecord = (): string | null => readMachineText(path, name);

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
