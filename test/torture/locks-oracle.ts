/**
 * Judges a run from the log that its processes wrote inside their holds (O_APPEND: the file's order is the order of
 * events). It knows nothing of the store: what overlaps here has overlapped.
 *
 *   Q <mutex> <id> <level> <pid> <ns> <ids ahead, comma separated>   joined the queue
 *   B <mutex> <id> <fence> <pid> <ns>                                runs, inside the hold
 *   E <mutex> <id> <fence> <pid> <ns>                                ends, still inside the hold
 *   K <pid>                                                          is going to be killed
 *   A <id>                                                           is going to be abandoned
 *   G <mutex> <id>                                                   lost its place although nobody took it
 *   L <mutex> <id>                                                   lost its patience, and has left the queue
 *   X <what>                                                         trouble of another kind: stands around a fault, judges nothing
 */
export interface Counters {
  grants: number;
  /** Holds that overlapped although one of them was exclusive, and fences that did not grow. */
  violations: number;
  /** Waiters that disappeared from the queue or were never granted, and holds that were taken from the living. */
  lostWaiters: number;
  /** Grants before somebody who was ahead in the queue. */
  orderErrors: number;
  /** What each violation and each lost waiter was, with the events before it. */
  details: string[];
  kills: number;
  /** Abandoned scripts that were seen to start late, beside their successor. */
  lateOrphans: number;
  abandons: number;
  /** From the end of a hold to the begin of the next one that waited for it, ms, ascending. */
  handOffsMs: number[];
}

interface Open {
  readonly id: string;
  readonly pid: string;
  readonly level: string;
  readonly fence: number;
}

export function judge(log: string): Counters {
  const c: Counters = {
    grants: 0,
    violations: 0,
    lostWaiters: 0,
    orderErrors: 0,
    details: [],
    kills: 0,
    lateOrphans: 0,
    abandons: 0,
    handOffsMs: [],
  };
  const events: string[] = [];
  const queued = new Map<string, { level: string; ahead: string[]; at: bigint; mutex: string; pid: string }>();
  const open = new Map<string, Open[]>();
  const fenceOf = new Map<string, number>();
  const fencesOf = new Map<string, Set<number>>();
  const ended = new Map<string, bigint>();
  /** The highest fence of an ended hold. */
  const passed = new Map<string, { full: number; any: number }>();
  /** Those of whom it is known what came of them. */
  const settled = new Set<string>();
  const doomed = new Set<string>();
  const tell = (mutex: string, fault: string): void => {
    const concerned = events.filter((line) => /^[AKX] /.test(line) || line.split(' ')[1] === mutex);
    c.details.push([fault, ...concerned.slice(-16).map((line) => `    ${line}`)].join('\n'));
  };
  const violation = (mutex: string, fault: string): void => {
    c.violations += 1;
    tell(mutex, fault);
  };

  const pass = (mutex: string, fence: number, level: string): void => {
    const { full, any } = passed.get(mutex) ?? { full: 0, any: 0 };
    passed.set(mutex, { full: level === 'full' ? Math.max(full, fence) : full, any: Math.max(any, fence) });
  };

  for (const line of log.split('\n')) {
    const [what = '', a = '', b = '', n = '', pid = '', ns = '0', ahead = ''] = line.split(' ');
    events.push(line);
    switch (what) {
      case 'Q':
        queued.set(b, { level: n, at: BigInt(ns), ahead: ahead === '' ? [] : ahead.split(','), mutex: a, pid });
        break;
      case 'B': {
        c.grants += 1;
        settled.add(b);
        const level = queued.get(b)?.level ?? 'full';
        const beside = open.get(a) ?? [];
        const overlaps = beside.filter((o) => o.level === 'full' || level === 'full');
        // Abandoned after its start and before this line (a frozen process): it runs beside its successors, as it may.
        if (overlaps.length > 0 && doomed.has(b) && overlaps.every((o) => o.fence > Number(n))) c.lateOrphans += 1;
        else if (overlaps.length > 0)
          violation(a, `"${line}" beside ${overlaps.map((o) => `${o.id} of ${o.pid}`).join(', ')}`);
        const fences = fencesOf.get(a) ?? new Set();
        const { full, any } = passed.get(a) ?? { full: 0, any: 0 };
        if (fences.has(Number(n))) violation(a, `"${line}": a fence that was given out before`);
        else if (Number(n) < (level === 'full' ? any : full) && !doomed.has(b) && !doomed.has(pid))
          violation(a, `"${line}": a fence below that of a hold that has ended`);
        fencesOf.set(a, fences.add(Number(n)));
        fenceOf.set(b, Number(n));
        // Its kill or abandon is on its way: when its hold ends cannot be known, so it is not held against others.
        if (!doomed.has(pid) && !doomed.has(b)) open.set(a, [...beside, { id: b, pid, level, fence: Number(n) }]);
        const free = ended.get(a);
        const wait = queued.get(b);
        if (beside.length === 0 && free !== undefined && wait !== undefined && wait.at < free)
          c.handOffsMs.push(Number(BigInt(ns) - free) / 1e6);
        break;
      }
      case 'E':
        open.set(
          a,
          (open.get(a) ?? []).filter((o) => o.id !== b),
        );
        ended.set(a, BigInt(ns));
        if (!doomed.has(b)) pass(a, Number(n), queued.get(b)?.level ?? 'full');
        break;
      case 'K':
      case 'A': {
        if (what === 'K') c.kills += 1;
        else c.abandons += 1;
        doomed.add(a);
        for (const [mutex, holds] of open) {
          const left = holds.filter((o) => o.pid !== a && o.id !== a);
          if (left.length < holds.length) ended.delete(mutex); // when it ended is not known
          open.set(mutex, left);
        }
        break;
      }
      case 'G':
        settled.add(b);
        if (doomed.has(b)) break;
        c.lostWaiters += 1;
        tell(a, `"${line}"`);
        break;
      case 'L':
        settled.add(b);
        break;
    }
  }
  for (const [id, { mutex, pid }] of queued) {
    if (settled.has(id) || doomed.has(id) || doomed.has(pid)) continue;
    c.lostWaiters += 1;
    tell(mutex, `${id} of ${pid} was neither granted nor taken out, and did not leave`);
  }
  for (const [id, { ahead }] of queued) {
    const mine = fenceOf.get(id);
    if (mine !== undefined && ahead.some((other) => (fenceOf.get(other) ?? -1) > mine)) c.orderErrors += 1;
  }
  c.handOffsMs.sort((x, y) => x - y);
  return c;
}

export const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? Number.NaN;
