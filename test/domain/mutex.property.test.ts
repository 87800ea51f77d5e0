/**
 * The invariants of isolation mutexes (I1, I3, I4, I5, I6, L1) over random sequences of everything that may happen.
 * Scripts that asked for it join the hold of one that they were started from: those are one family, with one fence.
 */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import * as rules from '../../app/domain/mutex.ts';
import { type MutexState, newMutex, placeOf } from '../../app/domain/mutex.ts';
import { at0312, kim, scope, waiter } from '../support/fake-domain.ts';

vi.setConfig({ testTimeout: 60_000 }); // a busy machine: the longest takes 2 s on an idle one

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
const id = fc.constantFrom(...ids);

type Step =
  | { do: 'enqueue'; id: string; level: 'full' | 'none' }
  | { do: 'inherit'; id: string; level: 'full' | 'none'; from: string[] }
  | { do: 'leave' | 'orphan-ended'; id: string }
  | { do: 'confirm' | 'release'; id: string; fence: 'right' | 'stale' }
  | { do: 'abandon'; id: string; holdQueue: boolean }
  | { do: 'pause' | 'resume' }
  | { do: 'reap'; dead: string[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('enqueue'), id, level: fc.constantFrom('full', 'none', 'none') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('inherit'),
      id,
      level: fc.constantFrom('full', 'none'),
      from: fc.uniqueArray(id, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('leave', 'orphan-ended'), id }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('confirm', 'release'),
      id,
      fence: fc.constantFrom('right', 'right', 'stale'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abandon'), id, holdQueue: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'resume') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reap'), dead: fc.uniqueArray(id, { maxLength: 3 }) }) },
);
const steps = fc.array(step, { maxLength: 60, size: 'max' });

/** Applies a step to the state that a script with that id would see: the right fence is the one it was told. */
function apply(s: MutexState, x: Step, at: number): MutexState {
  switch (x.do) {
    case 'enqueue':
      return rules.enqueue(s, waiter(x.id, x.level), at);
    case 'inherit':
      return rules.enqueue(s, waiter(x.id, x.level, { inherit: true, ancestors: x.from }), at);
    case 'leave':
      return rules.leave(s, x.id, at);
    case 'orphan-ended':
      return rules.orphanEnded(s, x.id);
    case 'confirm':
      return rules.confirm(s, x.id, fenceOf(s, x.id, x.fence), scope(ids.indexOf(x.id as never) + 100));
    case 'release':
      return rules.release(s, x.id, fenceOf(s, x.id, x.fence), at);
    case 'abandon':
      return rules.abandon(s, x.id, { at, by: kim, reason: 'INC-4471', holdQueue: x.holdQueue });
    case 'pause':
      return rules.pause(s, kim, at);
    case 'resume':
      return rules.resume(s, at);
    case 'reap':
      return rules.reap(s, (entry) => x.dead.includes(entry.id), at);
  }
}

function fenceOf(s: MutexState, of: string, which: 'right' | 'stale'): number {
  const place = placeOf(s, of);
  const fence = place.kind === 'holds' ? place.hold.fence : s.fence + 1;
  return which === 'right' ? fence : fence - 1;
}

/** Runs the steps and shows every transition to `check`. */
function walk(all: readonly Step[], check: (before: MutexState, x: Step, after: MutexState) => void): MutexState {
  let state = newMutex('RunningScript', 'epoch-1');
  for (const [i, x] of all.entries()) {
    const before = Object.freeze(state);
    state = apply(before, x, at0312 + i);
    check(before, x, state);
  }
  return state;
}

const holders = (s: MutexState): string[] => s.holders.map((h) => h.id);
const queue = (s: MutexState): string[] => s.queue.map((w) => w.id);
const orphans = (s: MutexState): string[] => s.abandoned.map((a) => a.id);
const everybody = (s: MutexState): string[] => [...holders(s), ...queue(s), ...orphans(s)];
/** Holds that were granted from the queue, without those that joined one of them. */
const granted = (before: MutexState, after: MutexState): MutexState['holders'] =>
  after.holders.filter((h) => !holders(before).includes(h.id) && h.under === undefined);
const always = (check: (before: MutexState, x: Step, after: MutexState) => void): void =>
  fc.assert(
    fc.property(steps, (all) => {
      walk(all, check);
    }),
    { numRuns: 1_000 },
  );

describe('whatever happens to a mutex', () => {
  test('I1: an exclusive hold is never beside another hold, but for those that joined it or that it joined', () => {
    always((_before, _x, after) => {
      if (after.holders.some((h) => h.level === 'full'))
        expect(new Set(after.holders.map((h) => h.fence)).size).toBe(1);
      expect(after.holders.filter((h) => h.level === 'full' && h.under === undefined).length).toBeLessThanOrEqual(1);
    });
  });

  test('I1: who joins a hold was started from its living holder, which has started itself and has no weaker isolation', () => {
    always((before, x, after) => {
      if (x.do !== 'inherit' || after === before) return;
      const joined = after.holders.find((h) => h.id === x.id);
      const host = before.holders.find((h) => h.id === joined?.under);
      expect(x.from).toContain(host?.id);
      expect(joined?.fence).toBe(host?.fence);
      expect(host?.scope).not.toBeNull();
      expect(host?.level === 'full' || x.level === 'none').toBe(true);
      expect({ ...after, holders: after.holders.slice(0, -1) }).toEqual(before);
    });
  });

  test('I1: who joined a hold keeps the mutex when that hold ends, however it ends, until it has ended itself', () => {
    always((before, x, after) => {
      for (const joined of before.holders.filter((h) => h.under !== undefined)) {
        if ('id' in x && x.id === joined.id) continue;
        if (x.do === 'reap' && x.dead.includes(joined.id)) continue;
        expect(holders(after)).toContain(joined.id);
        if (joined.level === 'full') expect(granted(before, after)).toEqual([]);
        else expect(granted(before, after).every((h) => h.level === 'none')).toBe(true);
      }
    });
  });

  test('I3: grants follow the queue, and nobody overtakes', () => {
    always((before, x, after) => {
      const given = granted(before, after);
      const line = [...queue(before), ...(x.do === 'enqueue' ? [x.id] : [])];
      const expected = line.filter((w) => given.some((h) => h.id === w));
      expect(given.map((h) => h.id)).toEqual(expected);
      // Whoever still waits was not passed by somebody behind it.
      const first = after.queue[0];
      if (first !== undefined && given.length > 0)
        expect(line.indexOf(first.id)).toBeGreaterThan(Math.max(...given.map((h) => line.indexOf(h.id))));
    });
  });

  test('I3: the order of those who stay in the queue never changes', () => {
    always((before, _x, after) => {
      const stayed = queue(before).filter((w) => queue(after).includes(w));
      expect(queue(after).slice(0, stayed.length)).toEqual(stayed);
    });
  });

  test('I4: fences grow with every grant and are never given out twice', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const given = new Map<number, string>();
        walk(all, (before, _x, after) => {
          expect(after.fence).toBeGreaterThanOrEqual(before.fence);
          const again = after.holders.filter((h) => before.holders.some((b) => b.id === h.id && b.fence !== h.fence));
          expect(again).toEqual([]);
          const fresh = granted(before, after);
          expect(after.fence - before.fence).toBe(fresh.length);
          for (const h of fresh) {
            expect(h.fence).toBeGreaterThan(before.fence);
            expect(given.has(h.fence)).toBe(false);
            given.set(h.fence, h.id);
          }
        });
      }),
      { numRuns: 1_000 },
    );
  });

  test('I5: a release ends exactly that hold, needs its fence, and changes nothing the second time', () => {
    always((before, x, after) => {
      if (x.do !== 'release') return;
      if (x.fence === 'stale' || !holders(before).includes(x.id)) {
        expect(after).toBe(before);
        return;
      }
      expect(everybody(after)).not.toContain(x.id);
      expect(
        everybody(before)
          .filter((e) => e !== x.id)
          .sort(),
      ).toEqual(everybody(after).sort());
      for (const fence of [0, before.fence, after.fence, after.fence + 1])
        if (!holders(after).includes(x.id)) expect(rules.release(after, x.id, fence, at0312)).toBe(after);
    });
  });

  test('I6: an abandon moves exactly that hold to the orphans with who, when and why, and its holder can do nothing more', () => {
    always((before, x, after) => {
      if (x.do !== 'abandon') return;
      const hold = before.holders.find((h) => h.id === x.id);
      if (!hold) {
        expect(after).toBe(before);
        return;
      }
      expect(everybody(after).sort()).toEqual(everybody(before).sort());
      expect(orphans(after)).toEqual([...orphans(before), x.id]);
      expect(after.abandoned.at(-1)).toMatchObject({ ...hold, by: kim, reason: 'INC-4471' });
      expect(after.paused !== null).toBe(x.holdQueue || before.paused !== null);
      expect(rules.release(after, x.id, hold.fence, at0312)).toBe(after);
      expect(rules.confirm(after, x.id, hold.fence, scope(1))).toBe(after);
      expect(rules.enqueue(after, waiter(x.id), at0312)).toBe(after);
      expect(rules.abandon(after, x.id, { at: at0312, by: kim, reason: null, holdQueue: false })).toBe(after);
    });
  });

  test('I6: with the queue held, an abandon grants nobody', () => {
    always((before, x, after) => {
      if (x.do !== 'abandon' || !x.holdQueue) return;
      expect(after.fence).toBe(before.fence);
      expect(queue(after)).toEqual(queue(before));
    });
  });

  test('L1: after every step the head of the queue is granted if it may be, so no wake-up can be lost', () => {
    always((_before, _x, after) => {
      const head = after.queue[0];
      if (head === undefined || after.paused !== null) return;
      const free = head.level === 'full' ? after.holders.length === 0 : after.holders.every((h) => h.level === 'none');
      expect(free).toBe(false);
    });
  });

  test('a paused mutex grants nobody', () => {
    always((before, x, after) => {
      if (before.paused !== null && x.do !== 'resume') expect(after.fence).toBe(before.fence);
    });
  });

  test('nobody is in two places, and nobody disappears who did not leave, end or die', () => {
    always((before, x, after) => {
      expect(new Set(everybody(after)).size).toBe(everybody(after).length);
      const mayGo =
        x.do === 'reap'
          ? x.dead
          : 'id' in x && !['enqueue', 'inherit', 'confirm', 'abandon'].includes(x.do)
            ? [x.id]
            : [];
      const now = everybody(after);
      expect(everybody(before).filter((e) => !mayGo.includes(e) && !now.includes(e))).toEqual([]);
    });
  });

  test('only a confirm changes a hold, and only its scope', () => {
    always((before, x, after) => {
      for (const h of before.holders) {
        const now = after.holders.find((a) => a.id === h.id);
        if (now === undefined) continue;
        if (x.do === 'confirm' && x.id === h.id && x.fence === 'right') expect({ ...now, scope: h.scope }).toEqual(h);
        else expect(now).toBe(h);
      }
    });
  });

  test('reaping the living changes nothing, reaping all leaves an idle mutex with its fence', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const last = walk(all, () => undefined);
        expect(rules.reap(last, () => false, at0312)).toBe(last);
        const cleared = rules.resume(
          rules.reap(last, () => true, at0312),
          at0312,
        );
        expect(rules.idle(cleared)).toBe(true);
        expect(cleared.fence).toBe(last.fence);
      }),
    );
  });

  test('when everybody ends in turn, everybody who waited is granted', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let state = rules.resume(
          walk(all, () => undefined),
          at0312,
        );
        const waited = queue(state);
        const seen = new Set<string>();
        for (let h = state.holders[0]; h !== undefined; h = state.holders[0]) {
          for (const each of state.holders) seen.add(each.id);
          state = rules.release(state, h.id, h.fence, at0312);
        }
        expect(queue(state)).toEqual([]);
        expect(waited.every((w) => seen.has(w))).toBe(true);
      }),
    );
  });
});
