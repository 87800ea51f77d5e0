/**
 * SeDebugPrivilege: with it, an elevated administrator may read and end processes of other users whose access lists do
 * not name administrators; without it not even that. A token has it switched off, and a policy may have taken it.
 *
 * It is on only while something is read or ended: what is started meanwhile would inherit it.
 */
import { attempt, bind, type Handle, type Out } from './ffi.ts';
import { closeHandle, withLastError } from './kernel.ts';

const openProcessToken = bind<(process: Handle, rights: number, token: Out) => number>(
  'advapi32',
  'int32',
  'OpenProcessToken',
  'intptr_t',
  'uint32',
  '_Out_ uintptr_t *',
);
const lookupPrivilegeValue = bind<(system: null, name: string, value: Buffer) => number>(
  'advapi32',
  'int32',
  'LookupPrivilegeValueW',
  'void *',
  'str16',
  '_Out_ void *',
);
const adjustTokenPrivileges = bind<
  (token: Handle, disableAll: number, wanted: Buffer, size: number, before: null, needed: null) => number
>('advapi32', 'int32', 'AdjustTokenPrivileges', 'uintptr_t', 'int32', 'void *', 'uint32', 'void *', 'void *');

const currentProcess = -1;
/** TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY */
const adjustAndQuery = 0x20 | 0x8;
const enabled = 0x2;
/** AdjustTokenPrivileges succeeds with it when the token does not hold the privilege. */
const notAllAssigned = 1300;

export class DebugPrivilege {
  readonly #token: Handle | null;
  readonly #luid: Buffer | null;
  /** False for an ordinary user, and for an administrator whom a policy gives no "Debug programs". */
  readonly held: boolean;

  constructor() {
    const [token, luid]: [Out, Buffer] = [[0], Buffer.alloc(8)];
    const opened = attempt(() => openProcessToken(currentProcess, adjustAndQuery, token));
    this.#token = opened ? token[0] : null;
    this.#luid = attempt(() => lookupPrivilegeValue(null, 'SeDebugPrivilege', luid)) ? luid : null;
    this.held = this.#set(true);
    this.#set(false);
  }

  /** Calls `act`, which must not start a process, with the privilege switched on where it is held. */
  use<T>(act: () => T): T {
    if (!this.held) return act();
    this.#set(true);
    try {
      return act();
    } finally {
      this.#set(false);
    }
  }

  close(): void {
    if (this.#token !== null) closeHandle(this.#token);
  }

  /** TOKEN_PRIVILEGES with one entry: count, LUID, attributes. */
  #set(on: boolean): boolean {
    const [token, luid] = [this.#token, this.#luid];
    if (token === null || luid === null) return false;
    const wanted = Buffer.alloc(16);
    wanted.writeUInt32LE(1, 0);
    luid.copy(wanted, 4);
    wanted.writeUInt32LE(on ? enabled : 0, 12);
    const { result, error } = withLastError(() => adjustTokenPrivileges(token, 0, wanted, wanted.length, null, null));
    return result !== 0 && error !== notAllAssigned;
  }
}
