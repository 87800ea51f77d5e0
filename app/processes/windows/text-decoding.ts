/**
 * Log bytes as text, for display only; the files stay as the script wrote them. A byte order mark decides, then valid
 * UTF-8, then the code page of the console (437, 850, 932 …), in which cmd.exe and Windows PowerShell write.
 */
import { bind } from './ffi.ts';

const multiByteToWideChar = bind<
  (codePage: number, flags: number, bytes: Buffer, size: number, text: Buffer | null, room: number) => number
>('kernel32', 'int32', 'MultiByteToWideChar', 'uint32', 'uint32', 'void *', 'int32', '_Out_ void *', 'int32');
const getOemCodePage = bind<() => number>('kernel32', 'uint32', 'GetOEMCP');

export interface DecodedText {
  readonly text: string;
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'oem';
}

/** `oem` decodes bytes of the console's code page; `bytes` should begin and end at a line. */
export function decodeText(bytes: Buffer, oem: (bytes: Buffer) => string): DecodedText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe)
    return { text: new TextDecoder('utf-16le').decode(bytes), encoding: 'utf-16le' };
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return { text: new TextDecoder('utf-16be').decode(bytes), encoding: 'utf-16be' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'utf-8' };
  } catch {
    return { text: oem(bytes), encoding: 'oem' };
  }
}

/** With the machine's OEM code page, or a given one. */
export function decodeOem(bytes: Buffer, codePage = getOemCodePage()): string {
  if (bytes.length === 0) return '';
  const length = multiByteToWideChar(codePage, 0, bytes, bytes.length, null, 0);
  const text = Buffer.alloc(2 * length);
  return multiByteToWideChar(codePage, 0, bytes, bytes.length, text, length) > 0
    ? text.toString('utf16le')
    : bytes.toString('latin1');
}
