/**
 * What makes a pid safe to act on. A pid alone is a number that the kernel hands out again;
 * boot id + pid namespace + pid + start time name one process for ever.
 */
export interface ProcessIdentity {
  /** Name of the machine, as the operating system gives it: for people, and for what was written without `machineId`. */
  readonly machine: string;
  /**
   * The system's own id of the machine, which stays when its name changes: MachineGuid, /etc/machine-id. Missing where
   * the system has none, and in what version 0.1 wrote.
   */
  readonly machineId?: string | undefined;
  /** Changes with each boot: `/proc/sys/kernel/random/boot_id`; on Windows the boot time in seconds. */
  readonly bootId: string;
  /** Linux pid namespace (`readlink /proc/self/ns/pid`); containers share a boot id, not pids. `host` on Windows. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** Linux: clock ticks since boot (proc(5), stat field 22). Windows: creation FILETIME. A decimal string, compared for equality only. */
  readonly startTime: string;
  /** The same moment as wall-clock milliseconds since 1970, for people. */
  readonly startedAt: number;
  /** Short image name, for people: `bash`, `robocopy.exe`. */
  readonly name: string;
}

/** `unknown`: another machine or pid namespace; nothing can be said from here. */
export type Liveness = 'alive' | 'dead' | 'unknown';

export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime && samePlace(a, b);
}

/** Where a pid means something. */
export type Place = Pick<ProcessIdentity, 'machine' | 'machineId' | 'bootId' | 'pidNamespace'>;

/** By the system's id where both have one; a name can be changed. */
export function sameMachine(a: Pick<Place, 'machine' | 'machineId'>, b: Pick<Place, 'machine' | 'machineId'>): boolean {
  return a.machineId !== undefined && b.machineId !== undefined ? a.machineId === b.machineId : a.machine === b.machine;
}

/**
 * True when pids of `a` and `b` may be compared at all: same machine, boot and pid namespace. On Windows the boot does
 * not matter: a pid and a creation time of 100 ns name one process for ever, and the boot time that Windows tells is
 * calculated, so that one wrong tick would make every script "lost by reboot".
 */
export function samePlace(a: Place, b: Place): boolean {
  if (a.pidNamespace !== b.pidNamespace) return false;
  // On Linux a boot has a random id: it is the machine's, whatever that is called now.
  return a.pidNamespace === windowsNamespace ? sameMachine(a, b) : a.bootId === b.bootId;
}

/** What stands for a pid namespace on Windows. */
const windowsNamespace = 'host';

/** By so much the boot time of Windows may differ from one reading to the next; no machine restarts that fast. */
const bootToleranceS = 3;

/** Whether the machine was started again between the two: a reason to tell, not what life is decided by on Windows. */
export function sameBoot(a: Place, b: Place): boolean {
  if (!sameMachine(a, b)) return false;
  if (a.pidNamespace !== windowsNamespace || b.pidNamespace !== windowsNamespace) return a.bootId === b.bootId;
  return Math.abs(Number(a.bootId) - Number(b.bootId)) <= bootToleranceS;
}
