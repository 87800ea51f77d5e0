/** Mutual exclusion, order and no lost waiter, with real processes that die, freeze and are abandoned at any moment. */
import { describe, expect, test } from 'vitest';
import { chaos } from './locks-chaos.ts';
import { judge, percentile } from './locks-oracle.ts';
import type { Sabotage } from './locks-participant.ts';

const onPosix = process.platform !== 'win32';

describe.runIf(onPosix)('16 processes on 4 mutexes', () => {
  test('keep exclusion, order and every waiter through SIGKILL, SIGSTOP and abandons', async () => {
    const c = await chaos({ seconds: 12, killEveryMs: 700, freezeEveryMs: 300, abandonEveryMs: 400 });
    console.log(
      `${c.grants} grants (${Math.round(c.grants / c.seconds)}/s), ${c.kills} kills, ${c.abandons} abandons, hand-off p50 ${percentile(c.handOffsMs, 50).toFixed(1)} ms, p99 ${percentile(c.handOffsMs, 99).toFixed(1)} ms; violations ${c.violations}, lost waiters ${c.lostWaiters}, order errors ${c.orderErrors}`,
    );
    expect(c).toMatchObject({ violations: 0, lostWaiters: 0, orderErrors: 0, crashes: 0 });
    expect(c.grants).toBeGreaterThan(100);
    expect(Math.min(c.kills, c.abandons)).toBeGreaterThan(0);
  });
});

describe.runIf(onPosix)('the oracle finds', () => {
  /** Whether a fault shows in a few seconds is chance on a busy machine: rounds are added until it does. */
  async function showing(counter: 'violations' | 'lostWaiters' | 'orderErrors', sabotage: Sabotage, drainMs: number) {
    for (;;) {
      const c = await chaos({ seconds: 4, processes: 8, mutexes: 1, sabotage, drainMs });
      if (c[counter] > 0) return c;
    }
  }

  test('a liveness probe that takes the living for gone: violations', async () => {
    await showing('violations', 'steal', 5_000);
  });

  test('a file system on which a commit never fails: lost waiters', async () => {
    await showing('lostWaiters', 'overwrite', 3_000);
  });

  test('waiters that step to the head of the queue: order errors', async () => {
    expect((await showing('orderErrors', 'barge', 10_000)).violations).toBe(0);
  });
});

describe('the oracle', () => {
  const full = (id: string, pid: number, ahead = ''): string => `Q m ${id} full ${pid} 0 ${ahead}\n`;
  const none = (id: string, pid: number): string => `Q m ${id} none ${pid} 0 \n`;
  const run = (what: 'B' | 'E', id: string, fence: number, pid: number, ns = 0): string =>
    `${what} m ${id} ${fence} ${pid} ${ns}\n`;

  test('accepts holds one after the other, and shared ones together', () => {
    const c = judge(
      full('a', 1) +
        run('B', 'a', 1, 1) +
        full('b', 2) +
        run('E', 'a', 1, 1, 1e6) +
        run('B', 'b', 2, 2, 3e6) +
        run('E', 'b', 2, 2) +
        none('c', 1) +
        none('d', 2) +
        run('B', 'c', 3, 1) +
        run('B', 'd', 4, 2),
    );
    expect(c).toMatchObject({ grants: 4, violations: 0, lostWaiters: 0, orderErrors: 0, handOffsMs: [2] });
  });

  test('counts an exclusive hold beside any other', () => {
    expect(judge(full('a', 1) + full('b', 2) + run('B', 'a', 1, 1) + run('B', 'b', 2, 2)).violations).toBe(1);
    expect(judge(full('a', 1) + none('b', 2) + run('B', 'a', 1, 1) + run('B', 'b', 2, 2)).violations).toBe(1);
    expect(judge(none('a', 1) + full('b', 2) + run('B', 'a', 1, 1) + run('B', 'b', 2, 2)).violations).toBe(1);
  });

  test('does not count the hold of a process that was killed, or that was abandoned, before', () => {
    for (const end of ['K 1\n', 'A a\n'])
      expect(judge(full('a', 1) + full('b', 2) + run('B', 'a', 1, 1) + end + run('B', 'b', 2, 2)).violations).toBe(0);
  });

  test('does not count a start that a frozen process wrote down only after it had been abandoned', () => {
    const c = judge(full('a', 1) + full('b', 2) + 'A a\n' + run('B', 'b', 2, 2) + run('B', 'a', 1, 1));
    expect(c).toMatchObject({ violations: 0, lateOrphans: 1 });
  });

  test('counts a fence that was given out twice, a place that was lost, and an overtaking', () => {
    expect(
      judge(full('a', 1) + run('B', 'a', 1, 1) + run('E', 'a', 1, 1) + full('b', 1) + run('B', 'b', 1, 1)).violations,
    ).toBe(1);
    expect(judge('G m a\n').lostWaiters).toBe(1);
    expect(
      judge(full('a', 1) + full('b', 2, 'a') + run('B', 'b', 1, 2) + run('E', 'b', 1, 2) + run('B', 'a', 2, 1))
        .orderErrors,
    ).toBe(1);
  });

  test('counts a fence below that of a hold that has ended, but none that was granted together with it', () => {
    const ended = (first: string): string => first + run('B', 'a', 2, 1) + run('E', 'a', 2, 1);
    expect(judge(ended(full('a', 1)) + none('b', 2) + run('B', 'b', 1, 2)).violations).toBe(1);
    expect(judge(ended(none('a', 1)) + full('b', 2) + run('B', 'b', 1, 2)).violations).toBe(1);
    expect(judge(ended(none('a', 1)) + none('b', 2) + run('B', 'b', 1, 2)).violations).toBe(0);
  });

  test('counts a waiter of whom nothing is known, but none that left, died or was taken out', () => {
    expect(judge(full('a', 1)).lostWaiters).toBe(1);
    for (const end of ['L m a\n', 'K 1\n', 'A a\nG m a\n']) expect(judge(full('a', 1) + end).lostWaiters).toBe(0);
  });

  test('shows the events of the mutex before a fault, and what went wrong elsewhere', () => {
    const other = 'Q other c full 3 0 \n';
    const { details } = judge(`${full('a', 1)}${other}X the wire was cut\n${run('B', 'a', 1, 1)}G m a\n`);
    expect(details[0]).toContain('X the wire was cut');
    expect(details[0]).toContain('B m a 1 1');
    expect(details[0]).not.toContain('other');
  });
});
