/** Which process a pid means now, and whether the one that an identity names still runs. */
import { hostname } from 'node:os';
import { basename } from 'node:path/win32';
import { type Liveness, type Place, type ProcessIdentity, samePlace } from '../../domain/identity.ts';
import { bind, type Out } from './ffi.ts';
import { fileTimeToMs } from './filetime.ts';
import { access, creationTimeOf, imagePathOf, isRunning, withProcess } from './kernel.ts';
import { identityFrom, readTable, type TableEntry } from './process-table.ts';
import { machineGuid } from './registry.ts';

const ntQuerySystemInformation = bind<(kind: number, buffer: Buffer, size: number, needed: Out) => number>(
  'ntdll',
  'int32',
  'NtQuerySystemInformation',
  'int',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *',
);

export const readPlace = (): Place => ({
  machine: hostname(),
  machineId: machineGuid() ?? undefined,
  bootId: readBootId(),
  pidNamespace: 'host',
});

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

/**
 * What Windows says about a pid. `gone` is said for two answers alone: error 87, which OpenProcess gives for a pid that
 * nobody has, and a table that was read and does not hold it. Any other error (5: not for us; 8, 1450, 1455: Windows is
 * short of memory) says nothing about the process.
 */
export type PidAnswer = 'gone' | 'unknown' | Pick<TableEntry, 'pid' | 'created' | 'name'>;

/** Pure: what follows from OpenProcess's error and, where that leaves it open, from the process table. */
export function afterOpenError(
  error: number,
  pid: number,
  table: () => readonly Pick<TableEntry, 'pid' | 'created' | 'name'>[] | null,
): PidAnswer {
  const invalidParameter = 87;
  if (error === invalidParameter) return 'gone';
  const entries = table();
  if (entries === null) return 'unknown';
  return entries.find((entry) => entry.pid === pid) ?? 'gone';
}

function lookAt(pid: number): PidAnswer {
  return withProcess<PidAnswer>(
    pid,
    access.queryLimited | access.synchronize,
    (handle) => {
      const created = creationTimeOf(handle);
      if (created === null) return 'unknown';
      // The same handle answers both: the pid cannot change hands between.
      if (!isRunning(handle)) return 'gone';
      return { pid, created, name: basename(imagePathOf(handle) ?? '') || `pid ${pid}` };
    },
    (error) => afterOpenError(error, pid, readTable),
  );
}

/** Null when no process with this pid runs, or none that Windows lets us see. */
export function identify(place: Place, pid: number): ProcessIdentity | null {
  if (pid <= 0) return null;
  const answer = lookAt(pid);
  return typeof answer === 'string' ? null : identityFrom(place, answer);
}

/** A pid and its creation time name one process for ever: no boot time is asked. */
export function liveness(place: Place, identity: ProcessIdentity): Liveness {
  return samePlace(identity, place) ? livenessFrom(lookAt(identity.pid), identity.startTime) : 'unknown';
}

/** Pure. A creation time that the table could not read (0) is no proof that the process is another one. */
export function livenessFrom(answer: PidAnswer, startTime: string): Liveness {
  if (answer === 'gone') return 'dead';
  if (answer === 'unknown' || answer.created === 0n) return 'unknown';
  return answer.created.toString() === startTime ? 'alive' : 'dead';
}
