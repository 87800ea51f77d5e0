/**
 * What makes a pid safe to act on. A pid alone is a number that the kernel hands out again;
 * boot id + pid namespace + pid + start time name one process for ever.
 */
export interface ProcessIdentity {
  /** Name of the machine, as the operating system gives it. */
  readonly machine: string;
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

/** True when pids of `a` and `b` may be compared at all: same machine, boot and pid namespace. */
export function samePlace(
  a: Pick<ProcessIdentity, 'machine' | 'bootId' | 'pidNamespace'>,
  b: Pick<ProcessIdentity, 'machine' | 'bootId' | 'pidNamespace'>,
): boolean {
  return a.machine === b.machine && a.bootId === b.bootId && a.pidNamespace === b.pidNamespace;
}
