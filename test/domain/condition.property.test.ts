/** What a script's one sentence may say, whatever was measured. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { condition } from '../../app/domain/condition.ts';
import { type ConditionFacts, defaultThresholds, isBusy } from '../../app/domain/condition-facts.ts';
import { evidence } from '../../app/domain/evidence.ts';
import { survivorReasons } from '../../app/domain/events.ts';
import type { Stage } from '../../app/domain/life.ts';
import { scriptStates, timeoutKinds, type VerdictRecord, verdictKinds } from '../../app/domain/script.ts';
import { icons, severities, verbs } from '../../app/contract/schemas.ts';
import { at0312, hour, identity, kim, unjam } from '../support/fake-domain.ts';
import { bannedWords } from '../support/fake-words.ts';

const day = 24 * hour;
const ago = fc
  .oneof(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 40 * day }))
  .map((ms) => at0312 - ms);
const count = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 5_000 }));
const actor = fc.constantFrom(kim, unjam, { user: 'a-person-with-a-very-long-name@example.com', via: 'api' as const });

const stage: fc.Arbitrary<Stage> = fc.oneof(
  fc.constantFrom<Stage[]>({ kind: 'queued' }, { kind: 'starting' }, { kind: 'running' }),
  fc.record({
    kind: fc.constantFrom('signalling' as const, 'cancelling' as const),
    since: ago,
    until: fc.integer({ min: -1_000, max: hour }).map((ms) => at0312 + ms),
  }),
  fc.record({ kind: fc.constant('ignored' as const), since: ago, left: count, of: count }),
  fc.record({ kind: fc.constant('killing' as const), since: ago, ended: count, of: count, told: fc.boolean() }),
  fc.record({
    kind: fc.constant('unkillable' as const),
    since: ago,
    of: count,
    survivors: fc.uniqueArray(
      fc.record({
        process: fc.integer({ min: 2, max: 4_194_304 }).map((pid) => identity(pid)),
        reason: fc.constantFrom(...survivorReasons),
        detail: fc.constantFrom('state kernel, SIGKILL pending', 'error 5, access denied'),
      }),
      { minLength: 1, maxLength: 3, selector: ({ process }) => process.pid },
    ),
  }),
);

/** Verdicts as they can be: an exit has a code (Windows: 32 bit) or a signal. */
const verdict: fc.Arbitrary<VerdictRecord> = fc
  .record({
    schema: fc.constant(1 as const),
    kind: fc.constantFrom(...verdictKinds),
    timeout: fc.constantFrom(...timeoutKinds),
    exitCode: fc.option(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 0xffff_ffff }))),
    signal: fc.constantFrom('SIGKILL', 'SIGSEGV', 'SIGVTALRM'),
    at: ago,
    durationMs: fc.option(fc.integer({ min: 0, max: 40 * day })),
    detail: fc.option(fc.constant('the machine was restarted while it ran')),
    actor: fc.option(actor),
  })
  .map((v) => ({
    ...v,
    timeout: v.kind === 'timed-out' ? v.timeout : null,
    signal: v.exitCode === null ? v.signal : null,
  }));

const anyFacts: fc.Arbitrary<ConditionFacts> = fc
  .record({
    now: fc.constant(at0312),
    state: fc.constantFrom(...scriptStates),
    stage,
    verdict: fc.option(verdict, { freq: 2 }),
    pid: fc.integer({ min: 2, max: 4_194_304 }),
    mutex: fc.option(fc.constantFrom('RunningScript', 'x'.repeat(128)), { freq: 4 }),
    holdsMutex: fc.boolean(),
    createdAt: ago,
    startedAt: fc.option(ago, { freq: 5 }),
    lastOutputAt: fc.option(ago, { freq: 4 }),
    blocks: count,
    waiting: fc.option(
      fc.record({
        position: fc.integer({ min: 1, max: 300 }),
        of: fc.integer({ min: 1, max: 300 }),
        paused: fc.boolean(),
        estimate: fc.option(fc.record({ from: ago, to: ago, runs: fc.integer({ min: 3, max: 20 }) })),
        holder: fc.option(
          fc.record({
            name: fc.constant('Deploy web-eu / step 4'),
            heldMs: fc.integer({ min: 0, max: 40 * day }),
            stuck: fc.boolean(),
          }),
        ),
      }),
    ),
    orphan: fc.boolean(),
    orphanEndedAt: fc.option(ago),
    abandoned: fc.option(fc.record({ at: ago, by: actor })),
    health: fc.option(
      fc.record({
        windowMs: fc.integer({ min: 0, max: 60_000 }),
        cpuMs: fc.integer({ min: 0, max: 120_000 }),
        ioBytes: fc.option(count),
        processes: count,
      }),
      { freq: 4 },
    ),
    usual: fc.option(
      fc.record({
        medianMs: fc.integer({ min: 0, max: day }),
        lowMs: fc.integer({ min: 0, max: day }),
        highMs: fc.integer({ min: 0, max: day }),
        maxMs: fc.integer({ min: 0, max: day }),
        runs: fc.integer({ min: 0, max: 20 }),
      }),
    ),
    thresholds: fc.constant(defaultThresholds),
  })
  .map((f) => ({
    ...f,
    state: f.verdict === null ? (f.state === 'final' ? 'running' : f.state) : 'final',
    holdsMutex: f.holdsMutex && f.mutex !== null && f.state !== 'queued',
    mutex: f.state === 'queued' || f.verdict?.timeout === 'mutex' ? (f.mutex ?? 'RunningScript') : f.mutex,
  }));

const always = (check: (f: ConditionFacts) => void): void => {
  fc.assert(fc.property(anyFacts, check), { numRuns: 2_000 });
};

describe('whatever was measured', () => {
  test('a script is called stuck only while it holds a mutex for which somebody waits', () => {
    always((f) => {
      if (!condition(f).stuck) return;
      expect(f.mutex).not.toBeNull();
      expect(f.holdsMutex).toBe(true);
      expect(f.blocks).toBeGreaterThan(0);
    });
  });

  test('silence or lateness never make a busy script stuck; only an ignored Cancel or a failed kill do', () => {
    always((f) => {
      if (isBusy(f) === true && condition(f).stuck) expect(['ignored', 'unkillable']).toContain(f.stage.kind);
    });
  });

  test('what was not measured is never held against a script', () => {
    always((f) => {
      const c = condition({ ...f, health: null });
      if (c.stuck) expect(['cancel-ignored', 'unkillable']).toContain(c.key);
    });
  });

  test('a stuck script is critical, says so, and has a next step', () => {
    always((f) => {
      const c = condition(f);
      if (!c.stuck) return;
      expect(c.severity).toBe('critical');
      expect(['cancel', 'kill', 'abandon']).toContain(c.next);
      expect(`${c.label} ${c.headline}`).toMatch(/Stuck|Unkillable/);
    });
  });

  test('a final script is described by its verdict alone, and is never stuck', () => {
    const finalKeys = new Set([
      'finished',
      'failed',
      'cancelled',
      'killed',
      'gave-up',
      'timed-out',
      'abandoned',
      'orphan-exited',
      'failed-to-start',
      'never-started',
      'lost',
    ]);
    always((f) => {
      const c = condition(f);
      expect(finalKeys.has(c.key)).toBe(f.verdict !== null);
      if (f.verdict !== null) {
        expect(c.stuck).toBe(false);
        expect(condition({ ...f, stage: { kind: 'running' }, blocks: 0, health: null, usual: null })).toEqual(c);
      }
    });
  });

  test('labels have at most 24 characters', () => {
    always((f) => {
      expect(condition(f).label.length, condition(f).label).toBeLessThanOrEqual(24);
    });
  });

  test('nothing that a person reads is a hole, a guess or a word that frightens', () => {
    always((f) => {
      const c = condition(f);
      const e = evidence(f);
      for (const text of [c.label, c.headline, ...e.for, ...e.against]) {
        expect(text).not.toMatch(/\b(null|undefined|NaN|Infinity)\b|-\d+ (s|min)/);
        expect(text.toLowerCase()).not.toMatch(bannedWords);
        expect(text.trim()).not.toBe('');
      }
    });
  });

  test('the console knows every icon, severity and next step', () => {
    always((f) => {
      const c = condition(f);
      expect(icons).toContain(c.icon);
      expect(severities).toContain(c.severity);
      expect([...verbs, 'wait', 'show-holder', 'log', 'none']).toContain(c.next);
    });
  });

  test('evidence is weighed on both sides and contradicts neither the label nor itself', () => {
    always((f) => {
      const e = evidence(f);
      expect(new Set([...e.for, ...e.against]).size).toBe(e.for.length + e.against.length);
      if (isBusy(f) === true && f.verdict === null && f.startedAt !== null)
        expect(e.against.join(' ')).toContain('probably working');
      if (condition(f).key === 'stuck-silent') expect(e.for.join(' ')).toContain('No output for');
    });
  });
});
