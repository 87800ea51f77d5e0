/**
 * The Application log of Windows, source "Unjam". The installer registers the source with a message file whose entries
 * 1 to 1000 are the text alone (assets/installer/installer.nsh); without it Windows keeps the entries, and Event Viewer
 * shows the text below a remark that the description is missing.
 */
import type { SystemLogEntry, WriteEntry } from '../system-log.ts';
import { describeError } from './errors.ts';
import { addressOf, bindAsync, type Handle } from './ffi.ts';

/** The service answers both over local procedure calls: neither may hold up the host. */
const registerEventSource = bindAsync<Handle>('advapi32', 'uintptr_t', 'RegisterEventSourceW', 'void *', 'str16');
const reportEvent = bindAsync<number>(
  'advapi32',
  'int32',
  'ReportEventW',
  'uintptr_t',
  'uint16',
  'uint16',
  'uint32',
  'void *',
  'uint16',
  'uint32',
  'void *',
  'void *',
);
export const eventSource = 'Unjam';

/** https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-reporteventw */
const eventTypes: Readonly<Record<SystemLogEntry['type'], number>> = { error: 1, warning: 2, information: 4 };

export function eventLog(): WriteEntry {
  let source: Handle | null = null;
  /** What the call under way reads: kept reachable until it has returned. */
  let argument: Buffer | null = null;
  return async ({ type, id, text }) => {
    source ??= await openSource();
    argument = stringArray(text);
    const { result, error } = await reportEvent(source, eventTypes[type], 0, id, null, 1, 0, argument, null);
    argument = null;
    if (result === 0) throw new Error(describeError(error));
  };
}

async function openSource(): Promise<Handle> {
  const { result, error } = await registerEventSource(null, eventSource);
  if (result === 0 || result === 0n) throw new Error(describeError(error));
  return result;
}

/** LPCWSTR[1], with its string behind it in the same buffer. */
function stringArray(text: string): Buffer {
  const array = Buffer.concat([Buffer.alloc(8), Buffer.from(`${text.replaceAll('\0', ' ')}\0`, 'utf16le')]);
  array.writeBigUInt64LE(addressOf(array) + 8n);
  return array;
}
