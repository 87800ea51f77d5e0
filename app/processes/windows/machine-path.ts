/** The PATH of the machine, in the registry, with its own type and whatever its length. */
import { windowsError } from './errors.ts';
import { bind, type Handle, type Out, wideText } from './ffi.ts';
import { regCloseKey, regOpenKey } from './registry.ts';

const regQueryValue = bind<
  (key: Handle, name: string, reserved: null, type: Out, data: Buffer, size: [number]) => number
>(
  'advapi32',
  'int32',
  'RegQueryValueExW',
  'uintptr_t',
  'str16',
  'void *',
  '_Out_ uint32 *',
  '_Out_ void *',
  '_Inout_ uint32 *',
);
const regSetValue = bind<
  (key: Handle, name: string, reserved: number, type: number, data: Buffer, size: number) => number
>('advapi32', 'int32', 'RegSetValueExW', 'uintptr_t', 'str16', 'uint32', 'uint32', 'void *', 'uint32');
const sendMessageTimeout = bind<
  (window: Handle, message: number, wide: number, text: Buffer, flags: number, ms: number, result: Out) => number
>(
  'user32',
  'intptr_t',
  'SendMessageTimeoutW',
  'uintptr_t',
  'uint32',
  'uintptr_t',
  'void *',
  'uint32',
  'uint32',
  '_Out_ uintptr_t *',
);

const localMachine = 0xffffffff80000002n;
const environmentKey = 'SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment';
/** KEY_QUERY_VALUE | KEY_SET_VALUE | KEY_WOW64_64KEY */
const readAndWrite = 0x0001 | 0x0002 | 0x0100;
const expandable = 2;
const notFound = 2;
const longest = 2 * 32_768;

/** Nothing is written when `change` changes nothing. @throws Error with `code` when the registry refuses */
export function changeMachinePath(change: (path: string) => string): void {
  const opened: Out = [0];
  const error = regOpenKey(localMachine, environmentKey, 0, readAndWrite, opened);
  if (error !== 0 || opened[0] === null) throw windowsError(`HKLM\\${environmentKey}`, error);
  try {
    const [data, size, type]: [Buffer, [number], Out] = [Buffer.alloc(longest + 2), [longest], [expandable]];
    const read = regQueryValue(opened[0], 'Path', null, type, data, size);
    if (read !== 0 && read !== notFound) throw windowsError('Path', read);
    const before = read === notFound ? '' : wideText(data.subarray(0, size[0]));
    const after = change(before);
    if (after === before) return;
    const text = Buffer.from(`${after}\0`, 'utf16le');
    const written = regSetValue(
      opened[0],
      'Path',
      0,
      read === notFound ? expandable : Number(type[0]),
      text,
      text.length,
    );
    if (written !== 0) throw windowsError('Path', written);
  } finally {
    regCloseKey(opened[0]);
  }
  tellEverybody();
}

/** WM_SETTINGCHANGE to all windows: what is started from the Explorer afterwards has the new PATH. */
function tellEverybody(): void {
  const [broadcast, settingChange, abortIfHung, boundMs] = [0xffff, 0x001a, 0x2, 1_000];
  sendMessageTimeout(broadcast, settingChange, 0, Buffer.from('Environment\0', 'utf16le'), abortIfHung, boundMs, [0]);
}
