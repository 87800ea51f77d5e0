import { describe, expect, test } from 'vitest';
import { LimitClocks } from '../../app/ladder/limit-clocks.ts';
import { activeTime } from '../../app/ladder/pulse.ts';

describe('the limits of a script', () => {
  test('the overall limit is reached by time alone, the no-output limit by silence', () => {
    const clocks = new LimitClocks({ overallMs: 10_000, noOutputMs: 3_000 });
    expect(clocks.beat(2_900, false).reached).toBeNull();
    expect(clocks.beat(100, true).reached).toBeNull();
    expect(clocks.beat(2_900, false).reached).toBeNull();
    expect(clocks.beat(100, false).reached).toMatchObject({ timeout: 'no-output', limitMs: 3_000 });
    expect(clocks.beat(4_000, true).reached).toMatchObject({ timeout: 'overall', limitMs: 10_000 });
  });

  test('the first output limit is reached by a script that has written nothing, and by no other', () => {
    const limits = { overallMs: null, firstOutputMs: 3_000, noOutputMs: null };
    const mute = new LimitClocks(limits);
    expect(mute.beat(2_900, false)).toMatchObject({ reached: null, half: [{ timeout: 'first-output' }] });
    expect(mute.beat(100, false).reached).toMatchObject({ timeout: 'first-output', limitMs: 3_000 });
    const spoken = new LimitClocks(limits);
    expect([spoken.beat(100, true).reached, spoken.beat(86_400_000, false)]).toEqual([
      null,
      { reached: null, half: [] },
    ]);
    expect(new LimitClocks(limits, 86_400_000, 86_400_000, true).beat(1_000, false).reached).toBeNull();
    expect(new LimitClocks(limits, 2_000, 2_000).beat(1_000, false).reached).not.toBeNull();
    expect(mute.everyMs).toBe(150);
  });

  test('half of a limit is told once, that of silence again after new output, and never for short limits', () => {
    const clocks = new LimitClocks({ overallMs: 10_000, noOutputMs: 2_000 });
    const half = (ms: number, written = false): string[] => clocks.beat(ms, written).half.map((l) => l.timeout);
    expect([half(1_000), half(100), half(100, true), half(1_000), half(800, true), half(2_000, true)]).toEqual([
      ['no-output'],
      [],
      [],
      ['no-output'],
      [],
      ['overall'],
    ]);
    expect(new LimitClocks({ overallMs: 1_999, noOutputMs: null }).beat(1_500, false).half).toEqual([]);
  });

  test('a script that is adopted has used a part of its limits already, and was never silent longer than it ran', () => {
    expect(new LimitClocks({ overallMs: 10_000, noOutputMs: null }, 9_000).beat(1_000, false).reached).not.toBeNull();
    const silent = new LimitClocks({ overallMs: null, noOutputMs: 5_000 }, 1_000, 86_400_000);
    expect(silent.beat(3_999, false).reached).toBeNull();
    expect(silent.beat(1, false).reached).not.toBeNull();
  });

  test('without limits nothing needs to beat; a short limit is looked at often, a long one once a second', () => {
    expect(new LimitClocks({ overallMs: null, noOutputMs: null }).everyMs).toBeNull();
    expect(new LimitClocks({ overallMs: 300, noOutputMs: null }).everyMs).toBe(20);
    expect(new LimitClocks({ overallMs: 3_600_000, noOutputMs: 86_400_000 }).everyMs).toBe(1_000);
  });
});

test('a suspension between two beats counts as one beat; a busy machine counts in full', () => {
  expect(activeTime(90_000, 1_000)).toBe(1_000);
  expect(activeTime(4_000, 1_000)).toBe(4_000);
  expect(activeTime(990, 1_000)).toBe(990);
});
