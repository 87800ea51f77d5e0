/**
 * Which processes belong to a script. While its runner lives, the job says it; what has left the job is found by the
 * run's cookie in its environment, or by its parent (an elevated child). After the runner, these two must do.
 *
 * Job and cookie never look at times: after the clock is set back, a living child is "older" than its root. Parent pids
 * are hints: Windows never changes them, so they may name a process that is long gone or a new one with the old number.
 * A parent counts only when it was created before its child; what a wrong clock hides there, job and cookie still show.
 */
import { sameProcess } from '../../domain/identity.ts';
import { runsOf, type TreeScope } from '../../domain/script.ts';
import type { ProcessSnapshot, TreeMember } from '../control.ts';
import { readEnvironmentVariable } from './process-memory.ts';

const created = (process: ProcessSnapshot): bigint => BigInt(process.identity.startTime);

/** The console's own server, started by Windows; it ends with its last client. */
const isConsoleHost = (process: ProcessSnapshot): boolean => process.identity.name.toLowerCase() === 'conhost.exe';

export function treeOf(
  scope: TreeScope,
  table: readonly ProcessSnapshot[],
  job: ReadonlySet<number> | null,
  cookieOf: (process: ProcessSnapshot) => string | null | undefined,
): TreeMember[] {
  const members = new Map<number, TreeMember>();
  const byPid = new Map(table.map((process) => [process.identity.pid, process]));
  /** Another run's, or of a host or runner (`none`), though started from here. */
  const isForeign = (process: ProcessSnapshot): boolean => {
    const cookie = cookieOf(process);
    return typeof cookie === 'string' && !runsOf(cookie).includes(scope.runId);
  };
  const rootCreated = BigInt(scope.root.startTime);
  const candidates = table.filter((p) => p.identity.pid > 4 && !isConsoleHost(p));
  for (const process of candidates) {
    const { pid } = process.identity;
    if (sameProcess(process.identity, scope.root)) members.set(pid, { ...process, by: 'root' });
    else if (job?.has(pid)) members.set(pid, { ...process, by: 'job' });
    else if (runsOf(cookieOf(process) ?? '').includes(scope.runId)) members.set(pid, { ...process, by: 'cookie' });
    else if (created(process) >= rootCreated && isOrphanOfRoot(process, scope, byPid) && !isForeign(process))
      members.set(pid, { ...process, by: 'ancestry' });
  }
  const children = Map.groupBy(candidates, (process) => process.parentPid);
  const open = [...members.values()] as ProcessSnapshot[];
  for (let parent = open.pop(); parent; parent = open.pop())
    for (const child of children.get(parent.identity.pid) ?? [])
      if (!members.has(child.identity.pid) && created(child) >= created(parent) && !isForeign(child)) {
        members.set(child.identity.pid, { ...child, by: 'ancestry' });
        open.push(child);
      }
  return [...members.values()].sort((a, b) =>
    a.by === 'root' ? -1 : b.by === 'root' ? 1 : order(created(a), created(b)),
  );
}

const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * A child of the root that has ended. When the root's pid has a new owner, children born after that one are the new
 * owner's.
 */
function isOrphanOfRoot(
  process: ProcessSnapshot,
  scope: TreeScope,
  byPid: ReadonlyMap<number, ProcessSnapshot>,
): boolean {
  if (process.parentPid !== scope.root.pid) return false;
  const holder = byPid.get(scope.root.pid);
  if (!holder) return true;
  return !sameProcess(holder.identity, scope.root) && created(process) < created(holder);
}

/** A process's environment is settled this long after it was seen for the first time. */
const settledAfterMs = 2_000;

type Cookie = string | null | undefined;

/**
 * Remembers each process's cookie: reading another process's memory costs up to 5 ms. What "no cookie" says is final
 * when it is read again two seconds after this cache saw the process first, by the observer's own clock: its start time
 * comes from a clock that somebody may set.
 */
export class CookieCache {
  readonly #known = new Map<string, { readonly firstSeen: number; settled: boolean; cookie: Cookie }>();
  readonly #readCookie: (pid: number) => Cookie;

  constructor(readCookie: (pid: number) => Cookie = (pid) => readEnvironmentVariable(pid, 'UNJAM_RUN')) {
    this.#readCookie = readCookie;
  }

  /**
   * The run id, which is the last part of UNJAM_RUN; undefined when the process has none, null when it may not be read.
   * `now` is monotonic, ms.
   */
  read(process: ProcessSnapshot, now: number): Cookie {
    const key = keyOf(process);
    const known = this.#known.get(key);
    if (known?.settled) return known.cookie;
    const path = this.#readCookie(process.identity.pid);
    const cookie = typeof path === 'string' ? path.split('/').at(-1) : path;
    const firstSeen = known?.firstSeen ?? now;
    this.#known.set(key, {
      firstSeen,
      settled: typeof cookie === 'string' || now - firstSeen > settledAfterMs,
      cookie,
    });
    return cookie;
  }

  /** Forgets processes that are not in `table` any more. */
  prune(table: readonly ProcessSnapshot[]): void {
    if (this.#known.size < 2 * table.length) return;
    const living = new Set(table.map(keyOf));
    for (const key of this.#known.keys()) if (!living.has(key)) this.#known.delete(key);
  }
}

const keyOf = ({ identity }: ProcessSnapshot): string => `${identity.pid}:${identity.startTime}`;
