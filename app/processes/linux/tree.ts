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

export function treeOf(
  scope: TreeScope,
  table: readonly ProcessSnapshot[],
  cookieOf: (process: ProcessSnapshot) => string | null,
): TreeMember[] {
  const members = new Map<number, TreeMember>();
  const children = new Map<number, ProcessSnapshot[]>();
  for (const process of table) {
    const siblings = children.get(process.parentPid);
    if (siblings) siblings.push(process);
    else children.set(process.parentPid, [process]);
  }
  const startedBefore = Number(scope.root.startTime);
  for (const process of table) {
    if (sameProcess(process.identity, scope.root)) members.set(process.identity.pid, { ...process, by: 'root' });
    else if (Number(process.identity.startTime) < startedBefore) continue;
    else if (scope.group !== null && (process.session === scope.group || process.group === scope.group))
      members.set(process.identity.pid, { ...process, by: 'group' });
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
