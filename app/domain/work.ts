/**
 * How much work a tree has done between two looks, from what its processes have used by then. A child's figures move to
 * its parent when the parent has waited for it (getrusage(2), RUSAGE_CHILDREN); until then, or when nobody waits, its
 * last ones are kept. Nothing is counted twice, and the sum never shrinks because a process ended.
 */

/** Of one process, since its start. */
export interface Used {
  /** Names one process for ever. */
  readonly key: string;
  readonly pid: number;
  readonly parentPid: number;
  /** CPU time, ms, that of ended children it has waited for included; and that of those children alone. */
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
  /** Bytes read and written, with those of ended children; null when not readable. */
  readonly ioBytes: number | null;
}

export interface Work {
  readonly cpuMs: number;
  /** Null when no process of the tree told, or when those that did moved nothing while others could not be asked. */
  readonly ioBytes: number | null;
}

/** The work between `before` and `now`, both all processes of the tree, zombies too. */
export function workBetween(before: readonly Used[], now: readonly Used[]): Work {
  const earlier = new Map(before.map((used) => [used.key, used]));
  const heirs = inheritances(before, now);
  let cpuMs = 0;
  let ioBytes = 0;
  let unreadable = false;
  for (const used of now) {
    const last = earlier.get(used.key);
    const heritage = heirs.get(used.key) ?? { cpuMs: 0, ioBytes: 0 };
    const inherited = Math.min(heritage.cpuMs, Math.max(0, used.childrenCpuMs - (last?.childrenCpuMs ?? 0)));
    cpuMs += Math.max(0, used.cpuMs - (last?.cpuMs ?? 0) - inherited);
    if (used.ioBytes === null) unreadable = true;
    else ioBytes += Math.max(0, used.ioBytes - (last?.ioBytes ?? 0) - heritage.ioBytes);
  }
  return { cpuMs, ioBytes: unreadable && ioBytes === 0 ? null : ioBytes };
}

/** What the last figures of ended processes come to, by the key of the nearest ancestor that is still there. */
function inheritances(before: readonly Used[], now: readonly Used[]): Map<string, { cpuMs: number; ioBytes: number }> {
  const living = new Set(now.map((used) => used.key));
  const byPid = new Map(before.map((used) => [used.pid, used]));
  const sums = new Map<string, { cpuMs: number; ioBytes: number }>();
  for (const ended of before) {
    if (living.has(ended.key)) continue;
    let heir = byPid.get(ended.parentPid);
    for (let hops = 0; heir !== undefined && !living.has(heir.key) && hops < before.length; hops += 1)
      heir = byPid.get(heir.parentPid);
    if (heir === undefined || !living.has(heir.key)) continue;
    const sum = sums.get(heir.key) ?? { cpuMs: 0, ioBytes: 0 };
    sums.set(heir.key, { cpuMs: sum.cpuMs + ended.cpuMs, ioBytes: sum.ioBytes + (ended.ioBytes ?? 0) });
  }
  return sums;
}
