/** The work of a tree, on a model of fork, exit and wait: never counted twice, and all of it where parents wait. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Used, workBetween } from '../../app/domain/work.ts';

interface Modelled {
  readonly pid: number;
  readonly parentPid: number;
  own: number;
  children: number;
  state: 'living' | 'zombie' | 'gone';
}

type Step =
  | { readonly do: 'run'; readonly who: number; readonly ms: number }
  | { readonly do: 'fork'; readonly who: number }
  | { readonly do: 'exit'; readonly who: number }
  | { readonly do: 'wait'; readonly who: number }
  | { readonly do: 'look' };

const who = fc.nat(50);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('run' as const), who, ms: fc.nat(100) }),
  fc.record({ do: fc.constant('fork' as const), who }),
  fc.record({ do: fc.constant('exit' as const), who }),
  fc.record({ do: fc.constant('wait' as const), who }),
  fc.record({ do: fc.constant('look' as const) }),
);

class Model {
  readonly processes: Modelled[] = [{ pid: 1, parentPid: 0, own: 0, children: 0, state: 'living' }];
  worked = 0;
  /** Work of processes that ended and that nobody will wait for. */
  unaccounted = 0;

  carryOut(act: Step): void {
    if (act.do === 'look') return;
    const living = this.processes.filter((p) => p.state === 'living');
    const process = living[act.who % living.length];
    if (!process) return;
    if (act.do === 'run') {
      process.own += act.ms;
      this.worked += act.ms;
    } else if (act.do === 'fork')
      this.processes.push({
        pid: this.processes.length + 1,
        parentPid: process.pid,
        own: 0,
        children: 0,
        state: 'living',
      });
    else if (act.do === 'exit' && process.pid !== 1) this.#exit(process);
    else if (act.do === 'wait') {
      const child = this.processes.find((p) => p.parentPid === process.pid && p.state === 'zombie');
      if (!child) return;
      child.state = 'gone';
      process.children += child.own + child.children;
    }
  }

  /** Its children go to init, which waits for them at once. */
  #exit(process: Modelled): void {
    process.state = 'zombie';
    for (const child of this.processes)
      if (child.parentPid === process.pid && child.state !== 'gone') {
        if (child.state === 'zombie') this.unaccounted += child.own + child.children;
        Object.assign(child, { parentPid: 0, state: child.state === 'zombie' ? 'gone' : child.state });
      }
    if (process.parentPid === 0) {
      process.state = 'gone';
      this.unaccounted += process.own + process.children;
    }
  }

  look(): Used[] {
    return this.processes
      .filter((p) => p.state !== 'gone')
      .map((p) => ({
        key: String(p.pid),
        pid: p.pid,
        parentPid: p.parentPid,
        cpuMs: p.own + p.children,
        childrenCpuMs: p.children,
        ioBytes: p.own + p.children,
      }));
  }
}

test('is never counted twice, and none is missed but of processes that nobody waits for', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const model = new Model();
      let before = model.look();
      let counted = 0;
      for (const act of [...steps, { do: 'look' as const }]) {
        model.carryOut(act);
        if (act.do !== 'look') continue;
        const now = model.look();
        counted += workBetween(before, now).cpuMs;
        before = now;
      }
      expect(counted).toBeLessThanOrEqual(model.worked);
      expect(counted).toBeGreaterThanOrEqual(model.worked - model.unaccounted);
    }),
    { numRuns: 2_000 },
  );
});

test('of bytes: nothing is claimed when nobody could be asked', () => {
  const used: Used = { key: 'a', pid: 1, parentPid: 0, cpuMs: 0, childrenCpuMs: 0, ioBytes: null };
  expect(workBetween([used], [used])).toEqual({ cpuMs: 0, ioBytes: null });
  const told = { ...used, key: 'b', pid: 2, ioBytes: 5 };
  expect(workBetween([used, told], [used, { ...told, ioBytes: 9 }])).toEqual({ cpuMs: 0, ioBytes: 4 });
  expect(workBetween([used, told], [used, told]).ioBytes).toBeNull();
});
