import { expect, test } from 'vitest';
import { BoundedSteps } from '../../app/logs/bounded.ts';

test('a step that takes too long is stopped, and one that only waited for a processor is told from it', () => {
  const bounded = new BoundedSteps();
  let steps = 0;
  expect(bounded.run(1_000, () => (steps += 1))).toBe('done');
  expect(steps).toBe(1);
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  expect(bounded.run(30, () => Atomics.wait(nobodyWakes, 0, 0))).toBe('starved');
  const endless = (): never => {
    for (;;) steps += 1;
  };
  // On a busy machine it may be starved first.
  let end;
  do end = bounded.run(15, endless);
  while (end === 'starved');
  expect(end).toBe('stopped');
  expect(() => bounded.run(15, () => expect.fail('own'))).toThrow('own');
});
