/** What a Force Kill of an observed script takes in on Windows, where a child does not follow its parent into a group. */
import { afterEach, expect, test, vi } from 'vitest';
import { Forest } from '../../app/agents/forest.ts';
import { keyOf, type Row } from '../../app/agents/known.ts';
import type { RefusalFacts } from '../../app/agents/refusals.ts';
import { Targets } from '../../app/observed/targets.ts';
import type { Look, Observer } from '../../app/observed/observer.ts';
import type { ForeignProcesses, ProcessControl } from '../../app/processes/index.ts';
import { identity } from '../support/fake-domain.ts';

const began = Date.UTC(2026, 0, 15, 3, 0);
const row = (pid: number, parentPid: number, afterMs: number): Row => ({
  identity: identity(pid, { startTime: String(1_000 + afterMs), startedAt: began + afterMs }),
  parentPid,
  session: 1,
  cpuMs: 0,
  state: 'sleeping',
});
const root = row(100, 90, 0);

function machine() {
  let monotonic = 0;
  let table: Row[] = [root];
  const lookNow = (): Look => ({ at: Date.now(), seenAt: monotonic, table, forest: new Forest(table), observation: { agents: [], scripts: [], queued: [], wants: [] } }); // prettier-ignore
  const targets = new Targets({
    control: { now: () => monotonic, end: () => ({ kind: 'sent' }) } as Partial<ProcessControl> as ProcessControl,
    foreign: {} as ForeignProcesses,
    observer: { lookNow } as Partial<Observer> as Observer,
    killDisabled: false,
    facts: ({ forest, observation }) => ({ system: 'win32', forest, observation, script: { root, carriers: [] }, self: 7, ofUnjam: new Set(), services: new Set() }) as unknown as RefusalFacts, // prettier-ignore
  });
  vi.useFakeTimers({ now: began + 10_000, toFake: ['Date'] });
  targets.aimAt([root.identity]);
  targets.end(new Map());
  return {
    targets,
    /** The root has gone, and this is what runs. */
    then(now: Row, clockMs: number): string[] {
      monotonic += 50;
      vi.setSystemTime(began + 10_050 + clockMs);
      table = [now];
      targets.extend();
      return targets.has(now.identity) ? [keyOf(now.identity)] : [];
    },
  };
}

afterEach(() => void vi.useRealTimers());

test('a child that was started before its parent was ended is ended with it', () => {
  const child = row(101, 100, 9_990);
  expect(machine().then(child, 0)).toEqual([keyOf(child.identity)]);
});

test('a child of another process that has the parent’s pid now is not: it is younger', () => {
  expect(machine().then(row(102, 100, 10_020), 0)).toEqual([]);
});

test('once somebody has set the clock back, nobody is taken for a child by its time', () => {
  expect(machine().then(row(103, 100, 5_000), -6_000)).toEqual([]);
});
