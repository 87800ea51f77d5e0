import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asleepSince, awakeAt, look } from '../../app/domain/sleep.ts';

const minute = 60_000;

test('a look that comes hours late was a sleep, and only the part since the asked moment counts', () => {
  const woken = look(look(awakeAt(0), 1_000), 8 * 60 * minute);
  expect(asleepSince(woken, 0)).toBe(8 * 60 * minute - 1_000);
  expect(asleepSince(woken, 7 * 60 * minute)).toBe(60 * minute);
  expect(asleepSince(woken, 9 * 60 * minute)).toBe(0);
});

test('looks that come in time, or seconds late, are no sleep', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: minute }), { maxLength: 100 }), (gaps) => {
      let at = 0;
      let w = awakeAt(0);
      for (const gap of gaps) w = look(w, (at += gap));
      expect(asleepSince(w, 0)).toBe(0);
    }),
  );
});

test('never more sleep than time, also when the clock is set back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -10 * minute, max: 10 * minute }), { minLength: 1, maxLength: 50 }),
      (gaps) => {
        let at = 0;
        let w = awakeAt(0);
        for (const gap of gaps) w = look(w, (at += gap));
        const longest = gaps.reduce((sum, gap) => sum + Math.max(0, gap), 0);
        expect(asleepSince(w, -Infinity)).toBeLessThanOrEqual(longest);
        expect(asleepSince(w, 0)).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});
