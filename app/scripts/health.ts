/** Samples CPU and I/O of all running scripts in one pass over the process table. */
import type { Health } from '../domain/condition-facts.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import type { TreeScope } from '../domain/script.ts';
import type { ProcessControl } from '../processes/index.ts';

const windowMs = 60_000;

interface Sample {
  readonly at: number;
  /** Ended processes keep their last value: the sum never shrinks because a child ended. */
  readonly cpuMs: number;
  readonly ioBytes: number | null;
  readonly processes: number;
}

export class HealthSampler {
  readonly #control: ProcessControl;
  readonly #samples = new Map<string, Sample[]>();

  constructor(control: ProcessControl) {
    this.#control = control;
  }

  /** Takes one sample of each script; forgets those that are not asked for any more. */
  sample(scripts: ReadonlyMap<string, TreeScope>): void {
    for (const id of this.#samples.keys()) if (!scripts.has(id)) this.#samples.delete(id);
    if (scripts.size === 0) return;
    const table = this.#control.snapshot();
    const at = performance.now();
    for (const [id, scope] of scripts) {
      const members = this.#control.tree(scope, table);
      let cpuMs = 0;
      let ioBytes: number | null = 0;
      for (const member of members) {
        cpuMs += member.cpuMs ?? 0;
        const io = this.#ioBytes(member.identity);
        ioBytes = io === null || ioBytes === null ? null : ioBytes + io;
      }
      const samples = this.#samples.get(id) ?? [];
      samples.push({ at, cpuMs, ioBytes, processes: members.length });
      while (samples.length > 2 && at - (samples[1]?.at ?? at) >= windowMs) samples.shift();
      this.#samples.set(id, samples);
    }
  }

  #ioBytes(identity: ProcessIdentity): number | null {
    const control = this.#control;
    return control.ioBytes ? control.ioBytes(identity) : (control.facts(identity)?.ioBytes ?? null);
  }

  /** What happened between the oldest sample of the last minute and the newest; null before there are two. */
  of(id: string): Health | null {
    const samples = this.#samples.get(id);
    const first = samples?.[0];
    const last = samples?.at(-1);
    if (!first || !last || first === last) return null;
    return {
      windowMs: last.at - first.at,
      cpuMs: Math.max(0, last.cpuMs - first.cpuMs),
      ioBytes: last.ioBytes === null || first.ioBytes === null ? null : Math.max(0, last.ioBytes - first.ioBytes),
      processes: last.processes,
    };
  }
}
