/** Who a process runs as: user name, integrity, session. */
import type { Peer } from '../peer.ts';
import { sidBytes, sidText } from './accounts.ts';
import { addressOf, attempt, bind, type Handle, type Out, wideText } from './ffi.ts';
import { access, closeHandle, withProcess } from './kernel.ts';

const openProcessToken = bind<(process: Handle, rights: number, token: Out) => number>(
  'advapi32',
  'int32',
  'OpenProcessToken',
  'uintptr_t',
  'uint32',
  '_Out_ uintptr_t *',
);
const getTokenInformation = bind<(token: Handle, kind: number, buffer: Buffer, size: number, needed: Out) => number>(
  'advapi32',
  'int32',
  'GetTokenInformation',
  'uintptr_t',
  'int',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *',
);
const lookupAccountSid = bind<
  (
    system: null,
    sid: bigint,
    name: Buffer,
    nameSize: [number],
    domain: Buffer,
    domainSize: [number],
    use: Out,
  ) => number
>(
  'advapi32',
  'int32',
  'LookupAccountSidW',
  'void *',
  'uintptr_t',
  '_Out_ void *',
  '_Inout_ uint32 *',
  '_Out_ void *',
  '_Inout_ uint32 *',
  '_Out_ uint32 *',
);
const getUserNameEx = bind<(format: number, name: Buffer, size: [number]) => number>(
  'secur32',
  'int32',
  'GetUserNameExW',
  'int',
  '_Out_ void *',
  '_Inout_ uint32 *',
);
const processIdToSessionId = bind<(pid: number, session: Out) => number>(
  'kernel32',
  'int32',
  'ProcessIdToSessionId',
  'uint32',
  '_Out_ uint32 *',
);

const isTokenRestricted = 0x10; // SE_GROUP_USE_FOR_DENY_ONLY
const isEnabled = 0x4; // SE_GROUP_ENABLED

/** TOKEN_INFORMATION_CLASS, https://learn.microsoft.com/windows/win32/api/winnt/ne-winnt-token_information_class */
const tokenUser = 1;
const tokenGroups = 2;
const tokenElevation = 20;
const tokenIntegrityLevel = 25;
const tokenQuery = 0x0008;

export interface Owner {
  /** `CONTOSO\kim`; null when the token or the name cannot be read. */
  readonly user: string | null;
  readonly elevated: boolean;
  /** 0x2000 medium, 0x3000 high, 0x4000 system; null when not readable. */
  readonly integrity: number | null;
}

const unknownOwner: Owner = { user: null, elevated: false, integrity: null };

export const ownerOf = (pid: number): Owner => withToken(pid, (token) => readOwner(token)) ?? unknownOwner;

/**
 * Of this process, without a question to a domain controller: Windows remembers the name since the logon. A runner must
 * not wait for the network before it starts its script.
 */
export function ownOwner(): Owner {
  return withToken(process.pid, (token) => readOwner(token, ownName() ?? userOf(token))) ?? unknownOwner;
}

/** NameSamCompatible: `CONTOSO\\kim`. */
function ownName(): string | null {
  const [name, size]: [Buffer, [number]] = [Buffer.alloc(1_024), [512]];
  return attempt(() => getUserNameEx(2, name, size)) ? wideText(name) || null : null;
}

function readOwner(token: Handle, user = userOf(token)): Owner {
  const elevation = read(token, tokenElevation);
  return {
    user,
    elevated: elevation !== null && elevation.length >= 4 && elevation.readUInt32LE(0) !== 0,
    integrity: integrityOf(token),
  };
}

/** `S-1-5-21-…` of the user that a process runs as; null when it cannot be read. */
export function userSid(pid: number): string | null {
  return withToken(pid, sidOf);
}

function sidOf(token: Handle): string | null {
  const information = read(token, tokenUser);
  return information && sidAt(information, 0);
}

/** The SID whose address stands at `at`: Windows puts it into the same buffer. Nothing is allocated that must be freed. */
function sidAt(information: Buffer, at: number): string | null {
  const offset = Number(information.readBigUInt64LE(at) - addressOf(information));
  return offset > 0 && offset + 8 <= information.length ? sidText(information.subarray(offset)) : null;
}

/** Who a process runs as, with the groups that are in force: not Administrators for one whom UAC has filtered. */
export function peerOf(pid: number): Peer | null {
  return withToken(pid, (token) => {
    const [user, sid] = [userOf(token), sidOf(token)];
    return user === null || sid === null ? null : { user, ids: [sid, ...groupsOf(token)], pid };
  });
}

/** TOKEN_GROUPS: a count, then addresses of SIDs with their attributes, 16 bytes each (64 bit). */
function groupsOf(token: Handle): string[] {
  const information = read(token, tokenGroups, 65_536);
  const groups: string[] = [];
  for (let i = 0, at = 8; information !== null && i < information.readUInt32LE(0); i += 1, at += 16) {
    const attributes = information.readUInt32LE(at + 8);
    const sid =
      (attributes & isEnabled) !== 0 && (attributes & isTokenRestricted) === 0 ? sidAt(information, at) : null;
    if (sid !== null) groups.push(sid);
  }
  return groups;
}

function withToken<T>(pid: number, use: (token: Handle) => T): T | null {
  return withProcess<T | null>(
    pid,
    access.queryLimited,
    (process) => {
      const token: Out = [0];
      if (!openProcessToken(process, tokenQuery, token) || token[0] === null) return null;
      try {
        return use(token[0]);
      } finally {
        closeHandle(token[0]);
      }
    },
    () => null,
  );
}

function read(token: Handle, kind: number, bytes = 512): Buffer | null {
  const buffer = Buffer.alloc(bytes);
  const size: Out = [0];
  return getTokenInformation(token, kind, buffer, buffer.length, size) ? buffer.subarray(0, Number(size[0])) : null;
}

/** TOKEN_USER begins with the address of the SID, which stands behind it in the same buffer. */
function userOf(token: Handle): string | null {
  const information = read(token, tokenUser);
  return information && accountAt(information.readBigUInt64LE(0));
}

/** As `accountAt`, of a SID as text; the SID itself when nobody knows it. */
export function nameOfSid(sid: string): string {
  const bytes = sidBytes(sid);
  return accountAt(addressOf(bytes)) ?? sid;
}

/** `CONTOSO\\kim` of the SID at an address; null when nobody knows it. */
export function accountAt(sid: bigint): string | null {
  const [name, domain] = [Buffer.alloc(512), Buffer.alloc(512)];
  if (!lookupAccountSid(null, sid, name, [256], domain, [256], [0])) return null;
  return wideText(domain) === '' ? wideText(name) : `${wideText(domain)}\\${wideText(name)}`;
}

/** TOKEN_MANDATORY_LABEL: the last of the SID's sub-authorities is the level, and the SID ends the buffer. */
function integrityOf(token: Handle): number | null {
  const label = read(token, tokenIntegrityLevel);
  return label && label.length >= 28 ? label.readUInt32LE(label.length - 4) : null;
}

export function sessionOf(pid: number): number | null {
  const session: Out = [0];
  return attempt(() => processIdToSessionId(pid, session)) ? Number(session[0]) : null;
}
