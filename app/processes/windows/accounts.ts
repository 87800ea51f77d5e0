/** Accounts and groups by name: `kim`, `CORP\oncall`, `BUILTIN\Users`, or a SID as text. */
import { bind, type Out } from './ffi.ts';

const lookupAccountName = bind<
  (system: null, name: string, sid: Buffer, sidSize: [number], domain: Buffer, domainSize: [number], use: Out) => number
>(
  'advapi32',
  'int32',
  'LookupAccountNameW',
  'void *',
  'str16',
  '_Out_ void *',
  '_Inout_ uint32 *',
  '_Out_ void *',
  '_Inout_ uint32 *',
  '_Out_ uint32 *',
);

/** SECURITY_MAX_SID_SIZE is 68 bytes. */
const sidMax = 68;

/** The SID; null when there is no such account, or the domain cannot be asked. */
export function accountId(name: string): string | null {
  if (/^S-1(-\d+){1,16}$/i.test(name)) return name.toUpperCase();
  const [sid, domain] = [Buffer.alloc(sidMax), Buffer.alloc(1_024)];
  return lookupAccountName(null, name, sid, [sid.length], domain, [512], [0]) ? sidText(sid) : null;
}

/** SID: revision, count, authority (6 bytes, big-endian), sub-authorities (little-endian). */
export function sidText(sid: Buffer): string {
  const parts = Array.from({ length: sid.readUInt8(1) }, (_, i) => sid.readUInt32LE(8 + 4 * i));
  return ['S', sid.readUInt8(0), sid.readUIntBE(2, 6), ...parts].join('-');
}

/** The opposite of `sidText`. */
export function sidBytes(text: string): Buffer {
  const [, revision = 1, authority = 0, ...parts] = text.split('-').map(Number);
  const sid = Buffer.alloc(8 + 4 * parts.length);
  sid.writeUInt8(revision, 0);
  sid.writeUInt8(parts.length, 1);
  sid.writeUIntBE(authority, 2, 6);
  parts.forEach((part, i) => sid.writeUInt32LE(part, 8 + 4 * i));
  return sid;
}
