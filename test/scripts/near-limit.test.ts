import { describe, expect, test } from 'vitest';
import { isNear } from '../../app/scripts/near-limit.ts';

const none = { overallMs: null, noOutputMs: null };

describe('a time limit is near', () => {
  test.each([
    ['in its last 5 s', { ...none, overallMs: 60_000 }, 55_000, 0, true, true],
    ['not before them', { ...none, overallMs: 60_000 }, 54_999, 54_999, true, false],
    ['not when it is over: the script is being ended', { ...none, overallMs: 60_000 }, 60_000, 0, true, false],
    ['when it has been silent for long', { ...none, noOutputMs: 60_000 }, 500_000, 56_000, true, true],
    ['not while it writes', { ...none, noOutputMs: 60_000 }, 500_000, 1_000, true, false],
    ['while nothing was written at all', { ...none, firstOutputMs: 20_000 }, 16_000, 16_000, false, true],
    ['not after the first output', { ...none, firstOutputMs: 20_000 }, 16_000, 16_000, true, false],
    ['of the second limit too', { ...none, overallMs: 600_000, noOutputMs: 60_000 }, 90_000, 58_000, true, true],
    ['never of one below 10 s', { ...none, overallMs: 9_999 }, 9_000, 9_000, true, false],
    ['never without a limit', none, 10 ** 9, 10 ** 9, false, false],
  ])('%s', (_when, limits, ranMs, silentMs, hasWritten, near) => {
    expect(isNear(limits, ranMs, silentMs, hasWritten)).toBe(near);
  });
});
