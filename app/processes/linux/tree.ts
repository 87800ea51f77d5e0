/**
 * Which processes belong to a script: the root, its descendants, its session and process group, and every process
 * that carries the script's UNJAM_RUN in its environment. The cookie finds double-forked and setsid'ed ones, also
 * after the runner died, which a child subreaper cannot (it adopts only while it lives).
 */
import { sameProcess } from '../../domain/identity.ts';
import type { TreeScope } from '../../domain/script.ts';
import type { ProcessSnapshot, TreeMember } from '../control.ts';
import { readRunCookie } from './proc.ts';

/** A cookie read this long after a process started is its final one: the exec that set it is over. */
const settledAfterMs = 2_000;

export class CookieCache {
  readonly #known = new Map<string, string | null>();

  read(process: ProcessSnapshot, now: number): string | null {
    const key = `${process.identity.pid}:${process.identity.startTime}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const cookie = readRunCookie(process.identity.pid);
    if (cookie !== null || now - process.identity.startedAt > settledAfterMs) this.#known.set(key, cookie);
    return cookie;
  }

  /** Forgets processes that are not in `table` any more. */
  prune(table: readonly ProcessSnapshot[]): void {
    if (this.#known.size < 2 * table.length) return;
    const living = new Set(table.map((p) => `${p.identity.pid}:${p.identity.startTime}`));
    for (const key of this.#known.keys()) if (!living.has(key)) this.#known.delete(key);
  }
}

/** No pid comes round again within this time, unless somebody sets ns_last_pid. */
const groupKeptMs = 5_000;

/**
 * When a script's group was last known to be its own. The kernel hands out the number of a group again only when the
 * group is empty: so it is the script's while its root is there, while a member carries the cookie, and shortly after.
 */
export class GroupProof {
  readonly #provenAt = new Map<string, number>();

  note(runId: string): void {
    this.#provenAt.set(runId, performance.now());
  }

  isRecent(runId: string): boolean {
    const at = this.#provenAt.get(runId);
    if (at !== undefined && performance.now() - at <= groupKeptMs) return true;
    this.#provenAt.delete(runId);
    return false;
  }
}

export function treeOf(
  scope: TreeScope,
  table: readonly ProcessSnapshot[],
  cookieOf: (process: ProcessSnapshot) => string | null,
  proof: GroupProof,
): TreeMember[] {
  const members = new Map<number, TreeMember>();
  const children = new Map<number, ProcessSnapshot[]>();
  for (const process of table) {
    const siblings = children.get(process.parentPid);
    if (siblings) siblings.push(process);
    else children.set(process.parentPid, [process]);
  }
  const startedBefore = Number(scope.root.startTime);
  const inGroup = (p: ProcessSnapshot): boolean =>
    scope.group !== null && (p.session === scope.group || p.group === scope.group);
  const ownGroup = ((): boolean => {
    const leader = table.find((p) => p.identity.pid === scope.group);
    if (leader) return sameProcess(leader.identity, scope.root);
    return proof.isRecent(scope.runId) || table.some((p) => inGroup(p) && cookieOf(p) === scope.runId);
  })();
  if (ownGroup) proof.note(scope.runId);
  for (const process of table) {
    if (sameProcess(process.identity, scope.root)) members.set(process.identity.pid, { ...process, by: 'root' });
    else if (Number(process.identity.startTime) < startedBefore) continue;
    else if (ownGroup && inGroup(process)) members.set(process.identity.pid, { ...process, by: 'group' });
    else if (cookieOf(process) === scope.runId) members.set(process.identity.pid, { ...process, by: 'cookie' });
  }
  const open = [...members.keys()];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop())
    for (const child of children.get(pid) ?? [])
      // Another script, or Unjam itself, started from inside this one is not of its tree.
      if (!members.has(child.identity.pid) && (cookieOf(child) ?? scope.runId) === scope.runId) {
        members.set(child.identity.pid, { ...child, by: 'ancestry' });
        open.push(child.identity.pid);
      }
  return [...members.values()]
    .filter((m) => m.state !== 'zombie')
    .sort((a, b) =>
      a.by === 'root' ? -1 : b.by === 'root' ? 1 : Number(a.identity.startTime) - Number(b.identity.startTime),
    );
}
