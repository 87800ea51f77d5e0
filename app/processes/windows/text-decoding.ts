/** Text of the console’s code page (437, 850, 932 …), in which cmd.exe and Windows PowerShell write. */
import { bind } from './ffi.ts';

const multiByteToWideChar = bind<
  (codePage: number, flags: number, bytes: Buffer, size: number, text: Buffer | null, room: number) => number
>('kernel32', 'int32', 'MultiByteToWideChar', 'uint32', 'uint32', 'void *', 'int32', '_Out_ void *', 'int32');
const getOemCodePage = bind<() => number>('kernel32', 'uint32', 'GetOEMCP');

/** With the machine's OEM code page, or a given one. */
export function decodeOem(bytes: Buffer, codePage = getOemCodePage()): string {
  if (bytes.length === 0) return '';
  const length = multiByteToWideChar(codePage, 0, bytes, bytes.length, null, 0);
  const text = Buffer.alloc(2 * length);
  return multiByteToWideChar(codePage, 0, bytes, bytes.length, text, length) > 0
    ? text.toString('utf16le')
    : bytes.toString('latin1');
}
