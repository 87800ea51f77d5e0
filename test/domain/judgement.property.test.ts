/** What is concluded of a script whose runner is dead, over all inputs: from files and identities, never from a clock. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Liveness } from '../../app/domain/identity.ts';
import { limits } from '../../app/domain/limits.ts';
import { type Found, judge } from '../../app/domain/judgement.ts';

const lives: Liveness[] = ['alive', 'dead', 'unknown'];
const facts: fc.Arbitrary<Found> = fc.record({
  claimed: fc.boolean(),
  ageMs: fc.oneof(fc.integer({ min: 0, max: 2 * limits.startMs }), fc.integer({ min: 0, max: 10 * 365 * 86_400_000 })),
  started: fc.boolean(),
  tree: fc.constantFrom(...lives),
  exit: fc.boolean(),
  cleanupDue: fc.boolean(),
  rebooted: fc.boolean(),
});
const final = ['exited', 'never-started', 'lost'];
const always = (check: (f: Found, kind: string) => void): void => {
  fc.assert(
    fc.property(facts, (f) => check(f, judge(f).kind)),
    { numRuns: 3_000 },
  );
};

describe('whatever a host finds in a run directory', () => {
  test('nothing is lost while a process of it lives, or may live', () => {
    always((f, kind) => {
      if (kind === 'lost') expect(f.tree).toBe('dead');
    });
  });

  test('a clock concludes nothing but that an unclaimed script was never started', () => {
    always((f, kind) => {
      const young = judge({ ...f, ageMs: 0 }).kind;
      const old = judge({ ...f, ageMs: Number.MAX_SAFE_INTEGER }).kind;
      if (young !== old) {
        expect([young, old]).toEqual(['wait', 'never-started']);
        expect([f.claimed, f.started, f.exit]).toEqual([false, false, false]);
      }
      if (kind === 'wait') expect(f.ageMs).toBeLessThan(limits.startMs);
    });
  });

  test('exit.json always wins: what it tells is never called lost or never started', () => {
    always((f, kind) => {
      if (!f.exit) return;
      expect(['lost', 'never-started', 'wait']).not.toContain(kind);
      const over = f.tree === 'dead' && (f.rebooted || !f.cleanupDue);
      if (over || !f.started) expect(kind).toBe('exited');
    });
  });

  test('a script that was started is never said never to have started', () => {
    always((f, kind) => {
      if (f.started) expect(kind).not.toBe('never-started');
    });
  });

  test('a script that was not started is never called lost or orphaned, unless it left an exit or a process', () => {
    always((f, kind) => {
      if (!f.started && !f.exit) expect(['lost', 'adopt']).not.toContain(kind);
    });
  });

  test('a final conclusion needs every process of the script gone', () => {
    always((f, kind) => {
      if (final.includes(kind) && f.started) expect(f.tree).toBe('dead');
    });
  });
});
