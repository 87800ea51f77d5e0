/**
 * Which processes belong to a script: the root, its descendants, its session and process group, every process that
 * carries the script's UNJAM_RUN in its environment, and every process in its cgroup, where it has one. Cookie and
 * cgroup find double-forked and setsid'ed ones, also after the runner died, which a child subreaper cannot (it adopts
 * only while it lives); the cgroup also those with a clean environment or of another user.
 */
import { sameProcess } from '../../domain/identity.ts';
import { runsOf, type TreeScope } from '../../domain/script.ts';
import type { ProcessSnapshot, TreeMember, Warning } from '../control.ts';
import { cgroupPath, isRunnerOf, readCgroup } from './cgroup.ts';
import { readRunCookie } from './proc.ts';
import { isConcealed } from './signals.ts';

/** The first process is always there; to somebody else it is shown unless hidepid is set. */
export const hiddenWarnings = (user: string): Warning[] =>
  isConcealed(1)
    ? [
        {
          text: `The processes of other users are hidden from ${user} (hidepid of /proc): what a script starts under another user is not listed, its end is known only when its whole process group has gone, and Force Kill cannot end it.`,
          next: `Mount /proc without hidepid or with gid= of a group of ${user}, or run the host as root.`,
        },
      ]
    : [];

/** What a process carries of the script that it came from. */
export interface Marks {
  /** Of its environment: a run id; `none` is Unjam itself. */
  readonly cookie: string | null;
  readonly cgroup: string | null;
}

/** Marks read this long after a process started are its final ones: the exec that set them is over. */
const settledAfterMs = 2_000;

/** So long is waited for the end of an execve(2), ms; once for each process. */
const execMs = 100;
const clock = new Int32Array(new SharedArrayBuffer(4));

export class MarkCache {
  readonly #known = new Map<string, Marks>();
  /** Whose exec did not end in that time: it may be held by a file system that does not answer. */
  readonly #held = new Set<string>();

  read(process: ProcessSnapshot, now: number): Marks {
    const { pid, startedAt } = process.identity;
    const key = keyOf(process);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    let found = readRunCookie(pid);
    for (let waited = 0; found.isBeginning && !this.#held.has(key); waited += 1) {
      if (waited === execMs) this.#held.add(key);
      // A member whose new program has not begun would be taken for nobody's: it gets the processor meanwhile.
      Atomics.wait(clock, 0, 0, 1);
      found = readRunCookie(pid);
    }
    const marks = { cookie: found.cookie, cgroup: readCgroup(pid) };
    if (!found.isBeginning && now - startedAt > settledAfterMs) this.#known.set(key, marks);
    return marks;
  }

  /** Forgets processes that are not in `table` any more. */
  prune(table: readonly ProcessSnapshot[]): void {
    if (this.#known.size < 2 * table.length) return;
    const living = new Set(table.map(keyOf));
    for (const key of this.#known.keys()) if (!living.has(key)) this.#known.delete(key);
    for (const key of this.#held) if (!living.has(key)) this.#held.delete(key);
  }
}

/** No pid comes round again within this time, unless somebody sets ns_last_pid. */
const groupKeptMs = 5_000;

const keyOf = ({ identity }: Pick<ProcessSnapshot, 'identity'>): string => `${identity.pid}:${identity.startTime}`;

/**
 * Who was recognised once. A process stays a member while it lives, whatever it changes: its user (its environment can
 * no longer be read), its session, its parent. And while one of them is in the script's group, that is the script's own:
 * the kernel hands out the number of a group again only when the group is empty.
 */
export class Kin {
  readonly #members = new Map<string, ReadonlyMap<string, TreeMember>>();
  readonly #provenAt = new Map<string, number>();

  /** The group of that script was its own just now. */
  note(runId: string): void {
    this.#provenAt.set(runId, performance.now());
  }

  /** Whether it was within the time in which no number comes round again. */
  isRecent(runId: string): boolean {
    const at = this.#provenAt.get(runId);
    if (at !== undefined && performance.now() - at <= groupKeptMs) return true;
    this.#provenAt.delete(runId);
    return false;
  }

  of(runId: string): ReadonlyMap<string, TreeMember> {
    return this.#members.get(runId) ?? new Map<string, TreeMember>();
  }

  /** Replaces what is known of a script: who is not among `members` has ended. */
  keep(runId: string, members: readonly TreeMember[]): void {
    if (members.length === 0) this.#members.delete(runId);
    else this.#members.set(runId, new Map(members.map((m) => [keyOf(m), m])));
  }
}

/** One pass over a table, for all the scripts that are looked up in it. */
class TableIndex {
  readonly byPid = new Map<number, ProcessSnapshot>();
  readonly #children = new Map<number, ProcessSnapshot[]>();
  readonly #grouped = new Map<number, ProcessSnapshot[]>();
  readonly #marked = new Map<string, ProcessSnapshot[]>();
  readonly #confined = new Map<string, ProcessSnapshot[]>();

  constructor(table: readonly ProcessSnapshot[], marksOf: MarksOf) {
    for (const process of table) {
      this.byPid.set(process.identity.pid, process);
      add(this.#children, process.parentPid, process);
      if (process.session !== null) add(this.#grouped, process.session, process);
      if (process.group !== null && process.group !== process.session) add(this.#grouped, process.group, process);
      const { cookie, cgroup } = marksOf(process);
      if (cookie !== null) for (const runId of runsOf(cookie)) add(this.#marked, runId, process);
      else if (cgroup !== null && !isRunnerOf(cgroup, process)) add(this.#confined, cgroup, process);
    }
  }

  children = (pid: number): readonly ProcessSnapshot[] => this.#children.get(pid) ?? [];
  /** Of that session or process group. */
  grouped = (id: number | null): readonly ProcessSnapshot[] => (id === null ? [] : (this.#grouped.get(id) ?? []));
  marked = (runId: string): readonly ProcessSnapshot[] => this.#marked.get(runId) ?? [];
  /** In that cgroup, without a cookie: a host that a script started is in it too, and carries one. */
  confined = (cgroup: string | undefined): readonly ProcessSnapshot[] =>
    cgroup === undefined ? [] : (this.#confined.get(cgroupPath(cgroup)) ?? []);
}

type MarksOf = (process: ProcessSnapshot) => Marks;

function add<K>(map: Map<K, ProcessSnapshot[]>, key: K, process: ProcessSnapshot): void {
  const known = map.get(key);
  if (known) known.push(process);
  else map.set(key, [process]);
}

const indexes = new WeakMap<readonly ProcessSnapshot[], TableIndex>();

export function treeOf(scope: TreeScope, table: readonly ProcessSnapshot[], marksOf: MarksOf, kin: Kin): TreeMember[] {
  const cookieOf = (process: ProcessSnapshot): string | null => marksOf(process).cookie;
  const index = indexes.get(table) ?? new TableIndex(table, marksOf);
  indexes.set(table, index);
  const members = new Map<number, TreeMember>();
  const isOwn = (process: ProcessSnapshot): boolean => {
    const cookie = cookieOf(process);
    return cookie === null || runsOf(cookie).includes(scope.runId);
  };
  const join = (process: ProcessSnapshot, by: TreeMember['by']): void => {
    const isOlder = Number(process.identity.startTime) < Number(scope.root.startTime);
    if (!isOlder && !members.has(process.identity.pid)) members.set(process.identity.pid, { ...process, by });
  };
  const root = index.byPid.get(scope.root.pid);
  if (root && sameProcess(root.identity, scope.root)) join(root, 'root');
  const known = knownOf(scope, kin);
  if (isOwnGroup(scope, index, { known, cookieOf, kin }))
    for (const process of index.grouped(scope.group)) join(process, 'group');
  for (const process of index.marked(scope.runId)) join(process, 'cookie');
  for (const process of index.confined(scope.cgroup)) join(process, 'cgroup');
  for (const member of known.values()) {
    const now = index.byPid.get(member.identity.pid);
    if (now === undefined) {
      if (member.state !== 'zombie' && isConcealed(member.identity.pid)) join({ ...member, ...unseen }, member.by);
    } else if (sameProcess(now.identity, member.identity) && isOwn(now)) join(now, member.by);
  }
  const open = [...members.keys()];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop())
    for (const child of index.children(pid))
      // Another script, or Unjam itself, started from inside this one is not of its tree.
      if (!members.has(child.identity.pid) && isOwn(child)) {
        members.set(child.identity.pid, { ...child, by: 'ancestry' });
        open.push(child.identity.pid);
      }
  // Zombies too: they keep their group's number from being handed out.
  kin.keep(scope.runId, [...members.values()]);
  return [...members.values()]
    .filter((m) => m.state !== 'zombie')
    .sort((a, b) =>
      a.by === 'root' ? -1 : b.by === 'root' ? 1 : Number(a.identity.startTime) - Number(b.identity.startTime),
    );
}

/** What was seen before, and what the record of the script names. */
function knownOf(scope: TreeScope, kin: Kin): ReadonlyMap<string, TreeMember> {
  const seen = kin.of(scope.runId);
  if (!scope.known?.length) return seen;
  const named = scope.known.map((identity): TreeMember => ({ ...unseen, identity, by: 'ancestry' }));
  return new Map([...named.map((m) => [keyOf(m), m] as const), ...seen]);
}

const unseen = {
  parentPid: 0,
  group: null,
  session: null,
  cpuMs: null,
  childrenCpuMs: null,
  state: 'unknown',
} as const;

function isOwnGroup(
  scope: TreeScope,
  index: TableIndex,
  {
    known,
    cookieOf,
    kin,
  }: {
    readonly known: ReadonlyMap<string, TreeMember>;
    readonly cookieOf: (process: ProcessSnapshot) => string | null;
    readonly kin: Kin;
  },
): boolean {
  if (scope.group === null) return false;
  const leader = index.byPid.get(scope.group);
  const own = leader
    ? sameProcess(leader.identity, scope.root)
    : kin.isRecent(scope.runId) ||
      index.grouped(scope.group).some((p) => cookieOf(p) === scope.runId || known.has(keyOf(p)));
  if (own) kin.note(scope.runId);
  return own;
}
