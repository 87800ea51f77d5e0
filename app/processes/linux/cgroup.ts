/**
 * A cgroup of its own for each runner, where cgroup v2 is writable (root, systemd's user sessions, a service with
 * Delegate=yes): the script is born in it, and no descendant gets out by `setsid`, a clean environment or the death of
 * its parent (cgroups(7)). The runner enters before it has a script, because a move waits for the kernel's grace period:
 * 5 to 11 ms, 80 ms at load 7.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ProcessIdentity } from '../../domain/identity.ts';
import type { TreeScope } from '../../domain/script.ts';
import type { ProcessSnapshot, TreeUsage } from '../control.ts';
import { type Place, read, readStat } from './proc.ts';

const pattern = /^unjam-(\d+)-(\d+)$/;

/** Of the runner that made it: unique until the next boot. */
const nameOf = ({ pid, startTime }: ProcessIdentity): string => `unjam-${pid}-${startTime}`;

export const isRunnerOf = (cgroup: string, { identity }: ProcessSnapshot): boolean =>
  cgroup.endsWith(`/${nameOf(identity)}`);

/**
 * The runner's cgroup that a process is in, at any depth, by its full path; null when it is in none. Other users have
 * folders of their own in the hierarchy and can call what they make there as they like: a name alone says nothing.
 */
export function readCgroup(pid: number): string | null {
  const parts = pathOf(pid)?.split('/') ?? [];
  const own = parts.findLastIndex((part) => pattern.test(part));
  return own < 0 ? null : parts.slice(0, own + 1).join('/');
}

/** The full path of the cgroup of a script; scripts of an earlier version have noted its name alone. */
export function cgroupPath(noted: string): string {
  return noted.startsWith('/') ? noted : ['', ...parentParts(), noted].join('/');
}

/** Puts this process, a runner, into a cgroup of its own, and answers its full path; null where that is not possible. */
export async function enterCgroup(self: ProcessIdentity): Promise<string | null> {
  const parent = parentFolder();
  if (parent === null) return null;
  const name = nameOf(self);
  const folder = join(parent, name);
  for (let tries = 0; tries < 2; tries += 1)
    try {
      mkdirSync(folder);
      await writeFile(join(folder, 'cgroup.procs'), String(self.pid));
      return cgroupPath(name);
    } catch (error) {
      // ENOENT: a host took the empty folder for a leftover.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      remove(folder);
      break;
    }
  return null;
}

/** Leaves the cgroup that `enterCgroup` made. What a script left running on purpose stays in it. */
export function leaveCgroup(path: string): void {
  const [parent, mount] = [parentFolder(), mountPoint()];
  if (parent === null || mount === null) return;
  try {
    writeFileSync(join(parent, 'cgroup.procs'), String(process.pid));
  } catch {
    return; // its sweeper is the next host
  }
  remove(join(mount, path));
}

/** Reads what the cgroup of a script has used; remembers where it is, because finding that costs more than reading it. */
export class CgroupAccounts {
  readonly #place: Place;
  readonly #folders = new WeakMap<TreeScope, string>();

  constructor(place: Place) {
    this.#place = place;
  }

  /**
   * What all that ever ran in it has used, but its runner while that lives. The CPU is counted in every cgroup; the
   * bytes of block devices only where the io controller is on (cgroup-v2.rst). Null when the script has none any more.
   */
  read(scope: TreeScope): TreeUsage | null {
    if (scope.cgroup === undefined) return null;
    const name = basename(scope.cgroup);
    const folder = this.#folders.get(scope) ?? folderOf(scope.cgroup);
    const statistics = folder === null ? null : read(join(folder, 'cpu.stat'));
    const usedUs = /^usage_usec (\d+)$/m.exec(statistics ?? '')?.[1];
    if (folder === null || usedUs === undefined) return null;
    this.#folders.set(scope, folder);
    const [, pid = '', startTime] = pattern.exec(name) ?? [];
    const runner = readStat(this.#place, pid);
    const own = runner !== null && runner.identity.startTime === startTime ? runner.cpuMs : null;
    const io = read(join(folder, 'io.stat'));
    const bytes = [...(io ?? '').matchAll(/\b[rw]bytes=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    return {
      cpuMs: Number(usedUs) / 1_000 - (own ?? 0),
      ioBytes: io === null ? null : bytes,
      basis: own === null ? name : `${name} without its runner`,
    };
  }
}

function folderOf(noted: string): string | null {
  const mount = mountPoint();
  const folder = mount === null ? null : join(mount, cgroupPath(noted));
  return folder !== null && existsSync(folder) ? folder : null;
}

/** Removes the empty ones of runners that have been killed; those of `runners`, by pid, live: a refusal costs 40 µs. */
export function sweepCgroups(runners: ReadonlySet<number>): void {
  const parent = parentFolder();
  if (parent === null) return;
  try {
    for (const name of readdirSync(parent)) {
      const pid = pattern.exec(name)?.[1];
      if (pid !== undefined && !runners.has(Number(pid))) remove(join(parent, name));
    }
  } catch {
    // Not readable: nothing of ours is in it.
  }
}

/** The folder of this process's cgroup, or of the one above when it is itself in a runner's. */
function parentFolder(): string | null {
  const mount = mountPoint();
  return mount === null || pathOf('self') === null ? null : join(mount, ...parentParts());
}

function parentParts(): readonly string[] {
  const parts = (pathOf('self') ?? '').split('/').filter((part) => part !== '');
  const within = parts.findIndex((part) => pattern.test(part));
  return within < 0 ? parts : parts.slice(0, within);
}

/** Where cgroup v2 is mounted as this process sees it (proc(5), mountinfo: root, mount point, … - type). */
function mountPoint(): string | null {
  try {
    const found = readFileSync('/proc/self/mountinfo', 'latin1')
      .split('\n')
      .map((line) => line.split(' '))
      .find((fields) => fields[fields.indexOf('-') + 1] === 'cgroup2' && fields[3] === '/');
    return found?.[4] ?? null;
  } catch {
    return null;
  }
}

/** The path in cgroup v2's hierarchy; null when the process has gone or there is none. */
function pathOf(pid: number | 'self'): string | null {
  return /^0::(\/.*)$/m.exec(read(`/proc/${pid}/cgroup`) ?? '')?.[1] ?? null;
}

function remove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // In use, or gone already.
  }
}
