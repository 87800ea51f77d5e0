/**
 * What stands in a process's environment block: command line and environment, read as a debugger reads them.
 * 0.1 to 5 ms for each process (measured under Wine).
 */
import { attempt, bind, type Handle, type Out } from './ffi.ts';
import { access, withProcess } from './kernel.ts';

const ntQueryInformationProcess = bind<
  (process: Handle, kind: number, buffer: Buffer, size: number, needed: Out) => number
>('ntdll', 'int32', 'NtQueryInformationProcess', 'uintptr_t', 'int', '_Out_ void *', 'uint32', '_Out_ uint32 *');
const readProcessMemory = bind<(process: Handle, address: bigint, buffer: Buffer, size: bigint, got: Out) => number>(
  'kernel32',
  'int32',
  'ReadProcessMemory',
  'uintptr_t',
  'uintptr_t',
  '_Out_ void *',
  'size_t',
  '_Out_ size_t *',
);

/** PROCESSINFOCLASS (phnt, ntpsapi.h). */
const basicInformation = 0;
const commandLineInformation = 60;
const protectionInformation = 61;

/** Null when the process is gone or may not be read. Class 60 needs no right to read memory, so it is asked first. */
export function readCommandLine(pid: number): string | null {
  return (
    withProcess(pid, access.queryLimited, commandLineByQuery, () => null) ??
    withProcess(pid, access.query | access.readMemory, commandLineByMemory, () => null)
  );
}

function commandLineByQuery(process: Handle): string | null {
  const buffer = Buffer.alloc(65_536 + 16);
  const size: Out = [0];
  const status = attempt(() => ntQueryInformationProcess(process, commandLineInformation, buffer, buffer.length, size));
  // A UNICODE_STRING, followed by its text. Wine answers c0000003.
  return status === 0 ? buffer.toString('utf16le', 16, 16 + buffer.readUInt16LE(0)) : null;
}

function commandLineByMemory(process: Handle): string | null {
  const parameters = parametersOf(process);
  const string = parameters === null ? null : read(process, parameters + 0x70n, 16);
  return string
    ? (read(process, string.readBigUInt64LE(8), string.readUInt16LE(0))?.toString('utf16le') ?? null)
    : null;
}

/** RTL_USER_PROCESS_PARAMETERS of the 64-bit PEB; a 32-bit process has a copy there. */
function parametersOf(process: Handle): bigint | null {
  const basic = Buffer.alloc(48);
  if (attempt(() => ntQueryInformationProcess(process, basicInformation, basic, basic.length, [0])) !== 0) return null;
  const peb = basic.readBigUInt64LE(8);
  const address = peb === 0n ? null : read(process, peb + 0x20n, 8)?.readBigUInt64LE(0);
  return address === undefined || address === 0n ? null : address;
}

function read(process: Handle, address: bigint, size: number): Buffer | null {
  if (address === 0n || size === 0) return null;
  const buffer = Buffer.alloc(size);
  return readProcessMemory(process, address, buffer, BigInt(size), [0]) ? buffer : null;
}

/**
 * The value of a variable in a process's environment: undefined when it has no such variable, null when its memory
 * cannot be read (gone, another user, protected, too early in its start).
 */
export function readEnvironmentVariable(pid: number, name: string): string | undefined | null {
  return withProcess(
    pid,
    access.query | access.readMemory,
    (process) => {
      const parameters = parametersOf(process);
      // Environment +0x80, EnvironmentSize +0x3f0 since Windows Vista.
      const address = parameters === null ? null : (read(process, parameters + 0x80n, 8)?.readBigUInt64LE(0) ?? null);
      const block = address === null ? null : readBlock(process, address);
      return block === null ? null : findVariable(block, name);
    },
    () => null,
  );
}

/** Page by page up to the double zero, because the size of the block is not known everywhere. */
function readBlock(process: Handle, address: bigint): string | null {
  const pageSize = 4096n;
  let text = '';
  for (let at = address; text.length < 262_144;) {
    const size = pageSize - (at % pageSize);
    const page = read(process, at, Number(size));
    if (!page) return text === '' ? null : text;
    text += page.toString('utf16le');
    const end = text.indexOf('\0\0');
    if (end !== -1) return text.slice(0, end);
    at += size;
  }
  return text;
}

/** As `readEnvironmentVariable`, for several names with one look; what is not among `names` is dropped at once. */
export function readEnvironmentVariables(pid: number, names: readonly string[]): Record<string, string> | null {
  return withProcess(
    pid,
    access.query | access.readMemory,
    (process) => {
      const parameters = parametersOf(process);
      const address = parameters === null ? null : (read(process, parameters + 0x80n, 8)?.readBigUInt64LE(0) ?? null);
      const block = address === null ? null : readBlock(process, address);
      if (block === null) return null;
      return Object.fromEntries(
        names.flatMap((name) => {
          const value = findVariable(block, name);
          return value === undefined ? [] : [[name, value]];
        }),
      );
    },
    () => null,
  );
}

function findVariable(block: string, name: string): string | undefined {
  const prefix = `${name.toUpperCase()}=`;
  const found = block.split('\0').find((entry) => entry.slice(0, prefix.length).toUpperCase() === prefix);
  return found?.slice(prefix.length);
}

/** True for protected processes (PsProtectedSignerX: antivirus, DRM, LSA); null when it cannot be asked (Wine). */
export function isProtected(pid: number): boolean | null {
  return withProcess(
    pid,
    access.queryLimited,
    (process) => {
      const level = Buffer.alloc(1);
      const status = attempt(() => ntQueryInformationProcess(process, protectionInformation, level, 1, [0]));
      return status === 0 ? level[0] !== 0 : null;
    },
    () => null,
  );
}

/** PROCESS_EXTENDED_BASIC_INFORMATION, flag 2: Windows has begun to delete it. Null when it cannot be asked (Wine). */
export function isDeleting(pid: number): boolean | null {
  return withProcess(
    pid,
    access.queryLimited,
    (process) => {
      const extended = Buffer.alloc(64);
      extended.writeBigUInt64LE(64n, 0);
      const status = attempt(() => ntQueryInformationProcess(process, basicInformation, extended, 64, [0]));
      return status === 0 ? (extended.readUInt32LE(56) & 0x4) !== 0 : null;
    },
    () => null,
  );
}
