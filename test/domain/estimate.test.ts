import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateRange, estimates, estimateText, type Usual, usualOf } from '../../app/domain/estimate.ts';
import type { Hold, Waiter } from '../../app/domain/mutex.ts';
import { at0312, hour, minute } from '../support/fake-domain.ts';

const usual = (lowMs: number, highMs: number, runs = 12): Usual => ({
  medianMs: lowMs,
  lowMs,
  highMs,
  maxMs: highMs,
  runs,
});
const waiter = (id: string, level: 'full' | 'none' = 'full') => ({ id, ticket: id, name: id, level }) as Waiter;
const holder = (id: string, heldMs: number) => ({ ...waiter(id), grantedAt: at0312 - heldMs }) as Hold;
const known: Readonly<Record<string, Usual>> = {
  held: usual(3 * minute, 5 * minute),
  short: usual(minute, 2 * minute, 4),
  long: usual(10 * minute, 20 * minute),
  new: usual(minute, minute, 2),
};
const see = (holders: readonly Hold[], queue: readonly Waiter[], paused: null | object = null) =>
  Object.fromEntries(
    [
      ...estimates(
        { holders, queue, paused: paused as never },
        ({ id }) => known[id.split('-')[0] ?? ''] ?? null,
        at0312,
      ),
    ].map(([id, e]) => [id, [(e.from - at0312) / minute, (e.to - at0312) / minute, e.runs]]),
  );

describe('an estimate', () => {
  test('is what is left of the holder’s usual run time, then what those ahead usually take', () => {
    expect(see([holder('held', minute)], [waiter('short'), waiter('long'), waiter('last')])).toEqual({
      short: [2, 4, 12],
      long: [3, 6, 4],
      last: [13, 26, 4],
    });
  });

  test('counts shared scripts in a row once: they run beside each other', () => {
    const queue = [waiter('short-1', 'none'), waiter('long-1', 'none'), waiter('last')];
    expect(see([holder('held', minute)], queue)).toEqual({
      'short-1': [2, 4, 12],
      'long-1': [2, 4, 4],
      last: [12, 24, 4],
    });
  });

  test('begins now for a holder that could end at any moment', () => {
    expect(see([holder('held', 4 * minute)], [waiter('short'), waiter('last')])).toEqual({
      short: [-1, 1, 12],
      last: [1, 3, 4],
    });
  });

  test.each([
    ['the mutex is paused', see([holder('held', 0)], [waiter('short')], {})],
    ['nobody holds it: it is being granted', see([], [waiter('short')])],
    ['the holder has run fewer than three times before', see([holder('new', 0)], [waiter('short')])],
    ['the holder is stuck, or not a script of this host', see([holder('other', 0)], [waiter('short')])],
    ['the holder runs longer than usual', see([holder('held', hour)], [waiter('short')])],
  ])('is not made where %s', (_, found) => {
    expect(found).toEqual({});
  });

  test('ends at the first waiter of whom nothing is known', () => {
    expect(Object.keys(see([holder('held', 0)], [waiter('short'), waiter('new'), waiter('long')]))).toEqual([
      'short',
      'new',
    ]);
  });
});

test('usual run times leave one in ten out at each end', () => {
  expect(usualOf([])).toBeNull();
  expect(usualOf([5, 1, 3])).toEqual({ medianMs: 3, lowMs: 1, highMs: 5, maxMs: 5, runs: 3 });
  expect(usualOf(Array.from({ length: 20 }, (_, i) => i + 1))).toMatchObject({ lowMs: 3, highMs: 18, maxMs: 20 });
});

test.each([
  [2 * minute, 4 * minute, 'in 2 to 4 min'],
  [20_000, 45_000, 'in 20 to 45 s'],
  [50_000, 2 * minute, 'in 50 s to 2 min'],
  [3 * minute, 3 * minute + 30_000, 'in about 3 min'],
  [-minute, 4 * minute, 'within 4 min'],
  [-minute, 900, 'any moment now'],
  [40 * minute, 2 * hour, 'in 40 min to 2 h 00 min'],
])('from %i to %i ms reads "%s"', (from, to, text) => {
  expect(estimateRange({ from: at0312 + from, to: at0312 + to }, at0312)).toBe(text);
});

test('whatever was measured: no number is missing, and the range is not upside down', () => {
  const times = fc.array(fc.integer({ min: 1, max: hour }), { minLength: 3, maxLength: 20 });
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: hour }), (durations, heldMs) => {
      const found = estimates(
        { holders: [holder('a', heldMs)], queue: [waiter('b'), waiter('c')], paused: null },
        () => usualOf(durations),
        at0312,
      );
      for (const e of found.values()) {
        expect(e.from).toBeLessThanOrEqual(e.to);
        expect(estimateText(e, at0312)).toMatch(/^Usually starts (in|within|any) [\w ]+, from \d+ earlier runs\.$/);
      }
    }),
  );
});
