/** What a diagnosis may say, whatever was measured. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diagnose } from '../../app/domain/diagnosis.ts';
import type { Awaited, ExaminedProcess } from '../../app/domain/examination.ts';
import { type DiagnosisFacts, findingKeys } from '../../app/domain/findings.ts';
import type { Stage } from '../../app/domain/life.ts';
import { scriptStates, verdictKinds } from '../../app/domain/script.ts';
import { diagnosisFacts, examinedProcess } from '../support/fake-diagnosis.ts';
import { at0312, hour, survivor } from '../support/fake-domain.ts';
import { bannedWords } from '../support/fake-words.ts';

const pid = fc.integer({ min: 2, max: 4_194_304 });
const ago = fc.integer({ min: 0, max: 100 * hour }).map((ms) => at0312 - ms);
const descriptor = fc.integer({ min: 0, max: 20 });
const awaits: fc.Arbitrary<Awaited | null> = fc.oneof(
  fc.constantFrom<(Awaited | null)[]>(null, { kind: 'child' }, { kind: 'timer' }, { kind: 'lock' }),
  fc.record({
    kind: fc.constant('pipe' as const),
    direction: fc.constantFrom('read' as const, 'write' as const),
    descriptor: fc.option(descriptor),
    others: fc.array(fc.record({ pid, name: fc.constant('cat') }), { maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('terminal' as const), descriptor, path: fc.constant('/dev/pts/1') }),
  fc.record({ kind: fc.constant('socket' as const), descriptor, peer: fc.option(fc.constant('10.0.0.1:443')) }),
  fc.record({ kind: fc.constant('file' as const), descriptor, path: fc.constant('/mnt/a') }),
);
const state = fc.constantFrom('running', 'sleeping', 'kernel', 'stopped', 'unknown') as fc.Arbitrary<
  ExaminedProcess['state']
>;
const signals = fc.option(fc.subarray(['SIGTERM', 'SIGINT', 'SIGHUP']));
const processes: fc.Arbitrary<ExaminedProcess[]> = fc.uniqueArray(
  fc
    .record({
      pid,
      parentPid: pid,
      state,
      foreign: fc.boolean(),
      atGate: fc.boolean(),
      cpuMs: fc.option(fc.nat(1e6)),
      cpuDeltaMs: fc.option(fc.nat(4_000)),
      ignoredSignals: signals,
      caughtSignals: signals,
      blockedSignals: signals,
      killPending: fc.boolean(),
      threadCount: fc.nat(500),
      threads: fc.array(
        fc.record({
          id: pid,
          state,
          waitsIn: fc.option(fc.constant('do_wait')),
          call: fc.option(fc.constantFrom('read', 'wait4')),
          awaits,
        }),
        { maxLength: 4 },
      ),
    })
    .map((p) => examinedProcess(p)),
  { maxLength: 5, selector: (p) => p.pid },
);
const stage: fc.Arbitrary<Stage> = fc.oneof(
  fc.constantFrom<Stage[]>({ kind: 'queued' }, { kind: 'starting' }, { kind: 'running' }),
  fc.record({ kind: fc.constant('cancelling' as const), since: ago, until: ago }),
  fc.record({ kind: fc.constant('ignored' as const), since: ago, left: fc.nat(9), of: fc.nat(9) }),
  fc.record({
    kind: fc.constant('unkillable' as const),
    since: ago,
    of: fc.nat(9),
    survivors: fc.array(
      pid.map((p) => survivor(p)),
      { minLength: 1, maxLength: 3 },
    ),
  }),
);
const facts: fc.Arbitrary<DiagnosisFacts> = fc
  .record({
    state: fc.constantFrom(...scriptStates),
    stage,
    verdict: fc.option(fc.record({ kind: fc.constantFrom(...verdictKinds), at: ago })),
    startedAt: fc.option(ago),
    processes,
    examined: fc.boolean(),
    windowMs: fc.nat(5_000),
    runner: fc.option(
      fc.record({ pid, alive: fc.boolean(), stopped: fc.boolean(), heartbeatAgeMs: fc.option(fc.nat(1e7)) }),
    ),
    output: fc.record({
      bytes: fc.nat(),
      lastAt: fc.option(ago),
      lastLine: fc.option(fc.constant('copying')),
      silentAfterMs: fc.nat(1e6),
    }),
  })
  .map((f) => diagnosisFacts(f));

test('every finding has evidence with a number or a state, names each of its processes, and uses no banned word', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const found = diagnose(given);
      expect(found.length).toBeGreaterThan(0);
      for (const { text, evidence, advice, pids, key } of found) {
        const all = [text, ...evidence, advice ?? ''].join(' ');
        expect(all).not.toMatch(bannedWords);
        expect(evidence.length).toBeGreaterThan(0);
        expect(all).toMatch(/\d/);
        expect(text).toMatch(/^[A-Z].*\.$/);
        if (pids.length <= 5 && key !== 'finished' && key !== 'nothing-unusual')
          for (const p of pids) expect(all).toContain(String(p));
      }
    }),
  );
});

test('the findings stand in the order of their classes, and nothing unusual is said only alone', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const order = diagnose(given).map((f) => findingKeys.indexOf(f.key));
      expect(order).toEqual([...order].sort((a, b) => a - b));
      if (order.includes(findingKeys.indexOf('nothing-unusual'))) expect(order).toHaveLength(1);
    }),
  );
});

test('only a process that was measured so is called stopped, blocked or busy', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const by = new Map(given.processes.map((p) => [p.pid, p]));
      for (const { key, pids } of diagnose(given)) {
        const [p] = pids.map((id) => by.get(id));
        if (key === 'stopped') expect(p?.state).toBe('stopped');
        if (key === 'kernel-wait') expect(p?.threads.some((t) => t.state === 'kernel')).toBe(true);
        if (key === 'cpu-busy') expect(p?.cpuDeltaMs ?? 0).toBeGreaterThanOrEqual(0.8 * given.windowMs);
        if (key === 'other-user') expect(p?.foreign).toBe(true);
      }
    }),
  );
});
