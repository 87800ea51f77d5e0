/** What must not be left over: processes, descriptors of the host, temporary files, mounts, cgroups. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../support/world.ts';
import { runOf } from '../support/wreck.ts';
import type { Leaks } from './processes-oracle.ts';

const list = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const text = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

export function hostDescriptors(pid: number): number {
  return list(`/proc/${pid}/fd`).length;
}

/** Runners that end, and connections that close, get a moment; empty cgroups are looked for every five seconds. */
const settleMs = 15_000;
/** Connections of this test, and a warm runner's two pipes. */
const allowedDescriptors = 8;

export async function countLeaks(world: World, descriptorsBefore: number): Promise<Leaks> {
  const until = performance.now() + settleMs;
  for (;;) {
    const leaks = {
      processes: processesOf(world).length,
      descriptors: Math.max(0, hostDescriptors(world.hostPid) - descriptorsBefore - allowedDescriptors),
      temporaryFiles: everyFile(world.home).filter((f) => f.endsWith('.tmp')),
      mounts: readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((l) => l.includes(world.home)).length,
      cgroups: cgroupsOf(world),
    };
    if (
      Object.values(leaks)
        .flat()
        .every((n) => n === 0) ||
      performance.now() > until
    )
      return leaks;
    await delay(50);
  }
}

/** The host removes the folders of old scripts meanwhile. */
function everyFile(folder: string): string[] {
  for (;;)
    try {
      return readdirSync(folder, { recursive: true, encoding: 'utf8' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
}

/** Those of its runners, in the hierarchy of version 2 wherever that is mounted. */
function cgroupsOf(world: World): number {
  const runners = list(join(world.home, 'runs')).flatMap((ticket) => runOf(world, ticket).readRunner()?.runner ?? []);
  const folders = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].flatMap(list);
  return runners.filter(({ pid, startTime }) => folders.includes(`unjam-${pid}-${startTime}`)).length;
}

/** Every process whose environment or command line names this world, apart from host and warm runner. */
function processesOf(world: World): number[] {
  const allowed = new Set([world.hostPid, process.pid]);
  return world.control
    .snapshot()
    .filter((p) => p.state !== 'zombie' && !allowed.has(p.identity.pid))
    .filter((p) => p.parentPid !== world.hostPid)
    .filter((p) => {
      const path = `/proc/${p.identity.pid}`;
      const commandLine = text(() => readFileSync(`${path}/cmdline`, 'latin1'));
      const folder = text(() => readlinkSync(`${path}/cwd`));
      return !commandLine.includes('/sentinel-') && (commandLine.includes(world.home) || folder === world.home);
    })
    .map((p) => p.identity.pid);
}
