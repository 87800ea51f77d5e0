/**
 * Values of the registry through the wide API: every letter arrives, and no program is started, which a policy may forbid
 * (DisableRegistryTools shuts out reg.exe).
 */
import type { RegistryValue } from '../registry-value.ts';
import { describeError, windowsError } from './errors.ts';
import { attempt, bind, type Handle, type Out, wideText } from './ffi.ts';

const regGetValue = bind<
  (root: Handle, key: string, name: string, flags: number, type: Out, data: Buffer | null, size: [number]) => number
>(
  'advapi32',
  'int32',
  'RegGetValueW',
  'uintptr_t',
  'str16',
  'str16',
  'uint32',
  '_Out_ uint32 *',
  '_Out_ void *',
  '_Inout_ uint32 *',
);
export const regOpenKey = bind<(root: Handle, key: string, options: number, rights: number, opened: Out) => number>(
  'advapi32',
  'int32',
  'RegOpenKeyExW',
  'uintptr_t',
  'str16',
  'uint32',
  'uint32',
  '_Out_ uintptr_t *',
);
const regEnumValue = bind<
  (
    key: Handle,
    index: number,
    name: Buffer,
    nameSize: [number],
    reserved: null,
    type: Out,
    data: Buffer,
    size: [number],
  ) => number
>(
  'advapi32',
  'int32',
  'RegEnumValueW',
  'uintptr_t',
  'uint32',
  '_Out_ void *',
  '_Inout_ uint32 *',
  'void *',
  '_Out_ uint32 *',
  '_Out_ void *',
  '_Inout_ uint32 *',
);
export const regCloseKey = bind<(key: Handle) => number>('advapi32', 'int32', 'RegCloseKey', 'uintptr_t');

const regSetKeyValue = bind<
  (root: Handle, key: string, name: string, type: number, data: Buffer, size: number) => number
>('advapi32', 'int32', 'RegSetKeyValueW', 'uintptr_t', 'str16', 'str16', 'uint32', 'void *', 'uint32');
const regDeleteKeyValue = bind<(root: Handle, key: string, name: string) => number>(
  'advapi32',
  'int32',
  'RegDeleteKeyValueW',
  'uintptr_t',
  'str16',
  'str16',
);

const localMachine = 0xffffffff80000002n;
/** KEY_QUERY_VALUE | KEY_WOW64_64KEY */
const queryValues64 = 0x0001 | 0x0100;
/** RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY */
const text64 = 0x0000_0002 | 0x0001_0000;
const success = 0;
const notFound = 2;
const moreData = 234;
const noMoreItems = 259;

/** As the registry's own types: 1 and 2 text, 4 and 11 numbers, 7 a list of texts; anything else stays bytes. */
export function registryValue(type: number, data: Buffer): RegistryValue {
  if (type === 1 || type === 2) return wideText(data);
  if (type === 4 && data.length >= 4) return data.readUInt32LE(0);
  if (type === 11 && data.length >= 8) return data.readBigUInt64LE(0);
  if (type === 7)
    return data
      .toString('utf16le')
      .split('\0')
      .filter((text) => text !== '');
  return data;
}

/**
 * Every value of a key below HKEY_LOCAL_MACHINE, in the 64-bit view; null when the key is not there, and only then.
 * @throws Error for every other answer: what cannot be read is not absent
 */
export function readMachineKey(key: string): Readonly<Record<string, RegistryValue>> | null {
  const opened: Out = [0];
  const error = regOpenKey(localMachine, key, 0, queryValues64, opened);
  if (error === notFound) return null;
  if (error !== success || opened[0] === null) throw new Error(describeError(error));
  try {
    return valuesOf(opened[0]);
  } finally {
    regCloseKey(opened[0]);
  }
}

function valuesOf(key: Handle): Record<string, RegistryValue> {
  const values: Record<string, RegistryValue> = {};
  const nameRoom = 16_384; // the longest name that the registry allows, with its zero
  let room = 4_096;
  for (let index = 0; ;) {
    const [name, data] = [Buffer.alloc(2 * nameRoom), Buffer.alloc(room)];
    const [nameSize, size, type]: [[number], [number], Out] = [[nameRoom], [room], [0]];
    const error = regEnumValue(key, index, name, nameSize, null, type, data, size);
    if (error === noMoreItems) return values;
    if (error === moreData && room < 1 << 24) {
      room = Math.max(2 * room, size[0]);
      continue;
    }
    if (error !== success) throw new Error(describeError(error));
    values[wideText(name)] = registryValue(Number(type[0]), data.subarray(0, size[0]));
    index += 1;
  }
}

const textBytes = 8_192;

/** A text below HKEY_LOCAL_MACHINE, in the 64-bit view; null when it is not there, and only then. @throws Error */
export function readMachineText(key: string, name: string): string | null {
  const data = Buffer.alloc(textBytes);
  const size: [number] = [data.length];
  const error = regGetValue(localMachine, key, name, text64, [0], data, size);
  if (error === notFound) return null;
  if (error !== success) throw new Error(`HKLM\\${key} cannot be read: ${describeError(error)}`);
  return wideText(data.subarray(0, size[0]));
}

/** Writes a text below HKEY_LOCAL_MACHINE, in this process's 64-bit view; null removes it. @throws Error with `code` */
export function writeMachineText(key: string, name: string, text: string | null): void {
  const data = Buffer.from(`${text ?? ''}\0`, 'utf16le');
  const error =
    text === null
      ? regDeleteKeyValue(localMachine, key, name)
      : regSetKeyValue(localMachine, key, name, 1, data, data.length);
  if (error !== success && !(text === null && error === notFound)) throw windowsError(`HKLM\\${key}`, error);
}

/** The machine's own id, made at its installation and kept when it gets another name; null when it cannot be read. */
export function machineGuid(): string | null {
  const text = attempt(() => readMachineText('SOFTWARE\\Microsoft\\Cryptography', 'MachineGuid'));
  return text?.trim().toLowerCase() || null;
}
