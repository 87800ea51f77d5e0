import { expect, test } from 'vitest';
import { defaultThresholds } from '../../app/domain/condition-facts.ts';
import { drillScore, drillThresholds } from '../../app/domain/drill.ts';

const at = (s: number): string => new Date(1_800_000_000_000 + s * 1_000).toISOString();
const drill = { mutex: 'Fire drill', startedAt: at(0), endedAt: at(70), attempts: [] };
const cancel = { what: 'cancel', at: at(12) };
const kill = { what: 'kill', at: at(68) };

test.each([
  [[cancel, kill], 'Fire drill: first step after 12 s, freed after 1 min 10 s with Cancel, then Force Kill.'],
  [[cancel, cancel, kill], 'Fire drill: first step after 12 s, freed after 1 min 10 s with Cancel, then Force Kill.'],
  [
    [cancel, { what: 'abandon', at: at(40) }, kill],
    'Fire drill: first step after 12 s, freed after 40 s with Cancel, then Abandon.',
  ],
  [[{ what: 'timeout', at: at(1) }], null],
  [[], null],
])('the score of a drill with %j', (attempts, score) => {
  expect(drillScore({ ...drill, attempts }, false)).toBe(score);
});

test('there is no score before the mutex is free, nor of another script', () => {
  expect(drillScore({ ...drill, attempts: [cancel, kill] }, true)).toBeNull();
  expect(drillScore({ ...drill, endedAt: null, attempts: [cancel, kill] }, false)).toBeNull();
  expect(drillScore({ ...drill, mutex: 'web', attempts: [cancel] }, false)).toBeNull();
});

test('a drill is silent after 15 s, or earlier where the host is set so', () => {
  expect(drillThresholds(defaultThresholds)).toEqual({ ...defaultThresholds, silentMs: 15_000 });
  expect(drillThresholds({ ...defaultThresholds, silentMs: 5_000 }).silentMs).toBe(5_000);
});
