/** Which process a pid means now, and whether the one that an identity names still runs. */
import { hostname } from 'node:os';
import { basename } from 'node:path/win32';
import { type Liveness, type ProcessIdentity, samePlace } from '../../domain/identity.ts';
import { bind, type Out } from './ffi.ts';
import { fileTimeToMs } from './filetime.ts';
import { access, creationTimeOf, imagePathOf, isRunning, withProcess } from './kernel.ts';
import { identityFrom, type Place, readTable } from './process-table.ts';

const ntQuerySystemInformation = bind<(kind: number, buffer: Buffer, size: number, needed: Out) => number>(
  'ntdll',
  'int32',
  'NtQuerySystemInformation',
  'int',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *',
);

export const readPlace = (): Place => ({ machine: hostname(), bootId: readBootId(), pidNamespace: 'host' });

/**
 * The boot time in whole seconds. SystemTimeOfDayInformation moves BootTime with every change of the clock and counts
 * these moves in BootTimeBias, so their difference stays what it was at boot.
 */
function readBootId(): string {
  const systemTimeOfDayInformation = 3;
  const information = Buffer.alloc(48);
  ntQuerySystemInformation(systemTimeOfDayInformation, information, information.length, [0]);
  const bootTime = information.readBigInt64LE(0) - information.readBigInt64LE(32);
  return Math.floor(fileTimeToMs(bootTime) / 1000).toString();
}

/** Null when no process with this pid runs. One that cannot be opened is looked up in the process table. */
export function identify(place: Place, pid: number): ProcessIdentity | null {
  if (pid <= 0) return null;
  return withProcess(
    pid,
    access.queryLimited | access.synchronize,
    (handle) => {
      const created = creationTimeOf(handle);
      if (created === null || !isRunning(handle)) return null;
      return identityFrom(place, { pid, created, name: basename(imagePathOf(handle) ?? '') || `pid ${pid}` });
    },
    (error) => (error === 5 ? fromTable(place, pid) : null),
  );
}

function fromTable(place: Place, pid: number): ProcessIdentity | null {
  const found = readTable().find((entry) => entry.pid === pid);
  return found ? identityFrom(place, found) : null;
}

/** Compares the creation time through the same handle that answers the wait: the pid cannot change hands between. */
export function liveness(place: Place, identity: ProcessIdentity): Liveness {
  if (!samePlace(identity, place)) {
    // Another boot of this machine: everything of the earlier boot is gone.
    return identity.machine === place.machine && identity.bootId !== place.bootId ? 'dead' : 'unknown';
  }
  return withProcess(
    identity.pid,
    access.queryLimited | access.synchronize,
    (handle) => (isRunning(handle) && creationTimeOf(handle)?.toString() === identity.startTime ? 'alive' : 'dead'),
    (error) => {
      if (error !== 5) return 'dead';
      return fromTable(place, identity.pid)?.startTime === identity.startTime ? 'alive' : 'dead';
    },
  );
}
