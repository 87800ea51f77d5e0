/** Samples CPU and I/O of all running scripts in one pass over the process table. */
import type { Health } from '../domain/condition-facts.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import type { TreeScope } from '../domain/script.ts';
import { type Used, type Work, workBetween } from '../domain/work.ts';
import type { ProcessControl, ProcessSnapshot, TreeUsage } from '../processes/index.ts';

const windowMs = 60_000;

/** Work since the first sample, ended processes included. */
interface Sample {
  readonly at: number;
  readonly cpuMs: number;
  readonly ioBytes: number;
  /** False when what was read and written could not be learnt. */
  readonly ioIsKnown: boolean;
  readonly processes: number;
}

interface Watched {
  readonly samples: Sample[];
  used: readonly Used[];
  usage: TreeUsage | null;
}

const key = (p: ProcessIdentity): string => `${p.pid}:${p.startTime}`;

export class HealthSampler {
  readonly #control: ProcessControl;
  readonly #scripts = new Map<string, Watched>();

  constructor(control: ProcessControl) {
    this.#control = control;
  }

  /** Takes one sample of each script; forgets those that are not asked for any more. */
  sample(scripts: ReadonlyMap<string, TreeScope>): void {
    for (const id of this.#scripts.keys()) if (!scripts.has(id)) this.#scripts.delete(id);
    if (scripts.size === 0) return;
    const table = this.#control.snapshot();
    const byPid = new Map(table.map((p) => [p.identity.pid, p]));
    const at = performance.now();
    for (const [id, scope] of scripts) {
      const members = this.#control.tree(scope, table);
      const known = this.#scripts.get(id);
      const used = this.#used(members, known?.used ?? [], byPid);
      const usage = this.#control.usage?.(scope) ?? null;
      if (known === undefined) {
        const first = { at, cpuMs: 0, ioBytes: 0, ioIsKnown: true, processes: members.length };
        this.#scripts.set(id, { samples: [first], used, usage });
        continue;
      }
      const { samples } = known;
      const work = larger(workBetween(known.used, used), usageBetween(known.usage, usage));
      const last = samples.at(-1) ?? { cpuMs: 0, ioBytes: 0 };
      samples.push({
        at,
        cpuMs: last.cpuMs + work.cpuMs,
        ioBytes: last.ioBytes + (work.ioBytes ?? 0),
        ioIsKnown: work.ioBytes !== null,
        processes: members.length,
      });
      while (samples.length > 2 && at - (samples[1]?.at ?? at) >= windowMs) samples.shift();
      Object.assign(known, { used, usage });
    }
  }

  /** The members, and those of last time that only wait for their parents to look. */
  #used(
    members: readonly ProcessSnapshot[],
    before: readonly Used[],
    table: ReadonlyMap<number, ProcessSnapshot>,
  ): Used[] {
    const processes = new Map(members.map((m) => [key(m.identity), m]));
    const last = new Map(before.map((used) => [used.key, used]));
    for (const { key: id, pid } of before) {
      const still = table.get(pid);
      if (still && key(still.identity) === id) processes.set(id, still);
    }
    return [...processes].map(([id, process]) => {
      const was = last.get(id);
      const childrenCpuMs = process.childrenCpuMs ?? 0;
      return {
        key: id,
        pid: process.identity.pid,
        parentPid: process.parentPid,
        cpuMs: process.cpuMs === null ? (was?.cpuMs ?? 0) : process.cpuMs + childrenCpuMs,
        childrenCpuMs,
        ioBytes: this.#ioBytes(process.identity) ?? was?.ioBytes ?? null,
      };
    });
  }

  #ioBytes(identity: ProcessIdentity): number | null {
    const control = this.#control;
    return control.ioBytes ? control.ioBytes(identity) : (control.facts(identity)?.ioBytes ?? null);
  }

  /** What happened between the oldest sample of the last minute and the newest; null before there are two. */
  of(id: string): Health | null {
    const samples = this.#scripts.get(id)?.samples;
    const first = samples?.[0];
    const last = samples?.at(-1);
    if (!first || !last || first === last) return null;
    const ioBytes = last.ioBytes - first.ioBytes;
    return {
      windowMs: last.at - first.at,
      cpuMs: last.cpuMs - first.cpuMs,
      ioBytes: ioBytes > 0 || last.ioIsKnown ? ioBytes : null,
      processes: last.processes,
    };
  }
}

/** What the system itself has counted for the tree, also of processes that nobody has seen. */
function usageBetween(before: TreeUsage | null, now: TreeUsage | null): Work {
  if (before === null || now === null || before.basis !== now.basis) return { cpuMs: 0, ioBytes: null };
  return {
    cpuMs: Math.max(0, now.cpuMs - before.cpuMs),
    ioBytes: now.ioBytes === null || before.ioBytes === null ? null : Math.max(0, now.ioBytes - before.ioBytes),
  };
}

const larger = (a: Work, b: Work): Work => ({
  cpuMs: Math.max(a.cpuMs, b.cpuMs),
  ioBytes: a.ioBytes === null ? b.ioBytes : Math.max(a.ioBytes, b.ioBytes ?? 0),
});
