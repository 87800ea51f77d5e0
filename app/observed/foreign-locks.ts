/** Locks of the machine and of agents: who has them, who waits, and what frees them. They are seen, never released. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import type { Output } from '../contract/methods.ts';
import { plainName } from '../agents/names.ts';
import type { ForeignProcesses } from '../processes/index.ts';
import type { Look } from './observer.ts';

export type ForeignLockView = Output<'foreignLocks.list'>['locks'][number];

interface NamedLock {
  readonly path: string;
  readonly name: string;
  readonly freedBy: string;
  /** Programs that wait for it by trying again, so that the kernel knows no waiter. */
  readonly pollers?: readonly string[];
}

/** Not packagekitd and unattended-upgrades: they live beside every apt as daemons that wait for nothing. */
const packageTools = ['apt', 'apt-get', 'aptitude', 'dpkg', 'apt.systemd.dai'];
const byDeath = 'It is free when its holder has ended.';

const common: readonly NamedLock[] = [
  ...(
    [
      ['/var/lib/dpkg/lock-frontend', 'dpkg (frontend)'],
      ['/var/lib/dpkg/lock', 'dpkg'],
      ['/var/lib/apt/lists/lock', 'apt lists'],
      ['/var/cache/apt/archives/lock', 'apt archives'],
    ] as const
  ).map(([path, name]) => ({ path, name, pollers: packageTools, freedBy: byDeath })),
  { path: '/var/lib/rpm/.rpm.lock', name: 'rpm', freedBy: byDeath },
  { path: '/usr/lib/sysimage/rpm/.rpm.lock', name: 'rpm', freedBy: byDeath },
  { path: '/var/run/yum.pid', name: 'yum', freedBy: byDeath },
  { path: '/var/cache/chef/chef-client-running.pid', name: 'Chef', freedBy: byDeath },
  { path: '/var/chef/cache/chef-client-running.pid', name: 'Chef', freedBy: byDeath },
];

/** Whose a process is: ticket or id of the script, and its name where an agent runs it by itself. */
export interface Owner {
  readonly script: string | null;
  readonly job: string | null;
}

export interface LockSources {
  readonly foreign: ForeignProcesses;
  readonly look: Look;
  readonly ownerOf: (pid: number) => Owner;
  /** Paths that a person has named in the settings. */
  readonly more: readonly string[];
}

export function foreignLocks({ foreign, look, ownerOf, more }: LockSources): {
  readonly locks: ForeignLockView[];
  readonly hidden: boolean;
} {
  const homes = new Set(look.observation.scripts.flatMap((s) => s.fields['home'] ?? []));
  const named: NamedLock[] = [
    ...common,
    ...[...homes].flatMap(calamariLocks),
    ...more.map((path) => ({ path, name: basename(path), freedBy: byDeath })),
  ];
  const byPath = new Map(named.map((lock) => [lock.path, lock]));
  const found = foreign.locksOn([...byPath.keys()]);
  const about = (pid: number) => ({
    pid,
    name: look.forest.byPid(pid)?.row.identity.name ?? 'unknown',
    ...ownerOf(pid),
  });
  return {
    hidden: found.hidden,
    locks: found.locks.flatMap((lock) => {
      const known = byPath.get(lock.path);
      // A lock of an open file description has no pid.
      if (known === undefined || lock.pid <= 0) return [];
      const inKernel = lock.waiting.map((pid) => ({ pid, seen: 'kernel' as const }));
      const pollers = (known.pollers === undefined ? [] : look.forest.nodes)
        .filter(
          (n) => known.pollers?.includes(plainName(n.row.identity.name)) === true && n.row.identity.pid !== lock.pid,
        )
        .filter((n) => !isRelated(look, n.row.identity.pid, lock.pid))
        .map((n) => ({ pid: n.row.identity.pid, seen: 'inferred' as const }));
      return [
        {
          name: known.name,
          path: lock.path,
          kind: lock.kind,
          access: lock.access,
          holder: about(lock.pid),
          waiters: [...inKernel, ...pollers].map(({ pid, seen }) => ({ ...about(pid), seen })),
          freedBy: known.freedBy,
        },
      ];
    }),
  };
}

/** apt starts dpkg, and dpkg works under the lock of apt: neither waits for the other. */
function isRelated(look: Look, a: number, b: number): boolean {
  const isAbove = (low: number, high: number): boolean => {
    for (let node = look.forest.byPid(low); node !== null; node = node.parent)
      if (node.row.identity.pid === high) return true;
    return false;
  };
  return isAbove(a, b) || isAbove(b, a);
}

function calamariLocks(home: string): NamedLock[] {
  try {
    return readdirSync(home)
      .filter((entry) => /^ScriptIsolation\..+\.lock$/.test(entry))
      .map((entry) => ({
        path: `${home}/${entry}`,
        name: `Calamari ${entry.slice('ScriptIsolation.'.length, -'.lock'.length)}`,
        freedBy: 'It is free when the Calamari that has it has ended.',
      }));
  } catch {
    return [];
  }
}
