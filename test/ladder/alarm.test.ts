import { expect, test } from 'vitest';
import { Alarm } from '../../app/ladder/alarm.ts';

test('a limit waits for the rest when its timer fires and the machine has slept meanwhile', async () => {
  let slept = 0;
  const began = performance.now();
  const now = (): number => performance.now() - began - slept;
  const rang = await new Promise<number>((resolve) => {
    new Alarm(40, now, () => resolve(now()));
    slept = 200; // the timer knows nothing of it
  });
  expect(rang).toBeGreaterThanOrEqual(40);
  expect(performance.now() - began).toBeGreaterThanOrEqual(240);
});

test('one that was stopped does not ring', async () => {
  let rang = false;
  const alarm = new Alarm(
    5,
    () => performance.now(),
    () => (rang = true),
  );
  alarm.stop();
  await new Promise(
    (resolve) =>
      new Alarm(
        20,
        () => performance.now(),
        () => resolve(null),
      ),
  );
  expect(rang).toBe(false);
});
