/** The words for every state, by example (the table of the console's design). */
import { describe, expect, test } from 'vitest';
import { condition } from '../../app/domain/condition.ts';
import { type ConditionFacts, isBusy, overdueBy, silentFor } from '../../app/domain/condition-facts.ts';
import { ordinal } from '../../app/domain/condition-parts.ts';
import { evidence } from '../../app/domain/evidence.ts';
import type { SurvivorReason } from '../../app/domain/events.ts';
import type { VerdictRecord } from '../../app/domain/script.ts';
import { at0312, facts, hour, kim, minute, survivor, unjam, verdict } from '../support/fake-domain.ts';

const busy = { windowMs: minute, cpuMs: 700, ioBytes: 0, processes: 3 };
const usual = { medianMs: 4 * minute, lowMs: 3 * minute, highMs: 5 * minute, maxMs: 6 * minute, runs: 20 };
const silent = (ms: number, changes: Partial<ConditionFacts> = {}): ConditionFacts =>
  facts({ startedAt: at0312 - ms - minute, lastOutputAt: at0312 - ms, ...changes });
const queued = (
  changes: Partial<ConditionFacts> = {},
  waiting: Partial<ConditionFacts['waiting'] & object> = {},
): ConditionFacts =>
  facts({
    state: 'queued',
    stage: { kind: 'queued' },
    pid: null,
    holdsMutex: false,
    startedAt: null,
    lastOutputAt: null,
    createdAt: at0312 - minute,
    waiting: {
      position: 1,
      of: 3,
      paused: false,
      estimate: null,
      holder: { name: 'Deploy web-eu / step 4', heldMs: 52 * minute, stuck: false },
      ...waiting,
    },
    ...changes,
  });
const final = (v: Partial<VerdictRecord>, changes: Partial<ConditionFacts> = {}): ConditionFacts =>
  facts({ state: 'final', verdict: verdict(v), holdsMutex: false, ...changes });
const unkillable = (reason: SurvivorReason, changes: Partial<ConditionFacts> = {}): ConditionFacts =>
  facts({
    state: 'unkillable',
    stage: { kind: 'unkillable', since: at0312 - 30_000, survivors: [survivor(8444, reason, 'as measured')], of: 3 },
    ...changes,
  });

const said: [string, ConditionFacts, string, string, string, string, string][] = [
  // what, facts, key, label, headline, severity, next
  [
    'starting',
    facts({ state: 'starting', stage: { kind: 'starting' } }),
    'starting',
    'Starting',
    'The script is being started.',
    'info',
    'none',
  ],
  [
    'waiting',
    queued(),
    'waiting',
    'Waiting 1 min, 1 of 3',
    'Waiting for "RunningScript", held by "Deploy web-eu / step 4" for 52 min. 1st of 3.',
    'info',
    'none',
  ],
  [
    'waiting between two holders',
    queued({}, { holder: null }),
    'waiting',
    'Waiting 1 min, 1 of 3',
    'Waiting for "RunningScript". 1st of 3.',
    'info',
    'none',
  ],
  [
    'waiting for hours',
    queued({ createdAt: at0312 - 9 * hour }),
    'waiting',
    'Waiting 9 h, 1 of 3',
    'Waiting for "RunningScript", held by',
    'info',
    'none',
  ],
  [
    'waiting, and earlier runs tell for how long',
    queued({}, { estimate: { from: at0312 + 2 * minute, to: at0312 + 4 * minute, runs: 12 } }),
    'waiting',
    'Waiting 1 min, 1 of 3',
    'for 52 min. 1st of 3. Usually starts in 2 to 4 min, from 12 earlier runs.',
    'info',
    'none',
  ],
  [
    'waiting far behind',
    queued({ createdAt: at0312 - 59 * minute }, { position: 113, of: 300 }),
    'waiting',
    'Waiting 59 min, 113th',
    '113th of 300',
    'info',
    'none',
  ],
  [
    'joining the queue',
    queued({ waiting: null }),
    'waiting',
    'Waiting',
    'Waiting for "RunningScript".',
    'info',
    'none',
  ],
  [
    'behind a stuck holder',
    queued(
      { createdAt: at0312 - 46 * minute },
      { holder: { name: 'Deploy web-eu / step 4', heldMs: 52 * minute, stuck: true } },
    ),
    'blocked',
    'Blocked 46 min, 1 of 3',
    'Cannot start: "RunningScript" has been held by a stuck script, "Deploy web-eu / step 4", for 52 min.',
    'warning',
    'show-holder',
  ],
  [
    'in a held queue',
    queued({}, { paused: true }),
    'paused',
    'Queue paused, 1 of 3',
    'which an operator has paused. 1st of 3. Next: resume the mutex.',
    'warning',
    'show-holder',
  ],
  ['running', facts(), 'running', 'Running 12 min', 'Running. Last output 3 s ago.', 'info', 'none'],
  [
    'running without output',
    facts({ lastOutputAt: null, startedAt: at0312 - minute }),
    'running',
    'Running 1 min',
    'Running. No output yet.',
    'info',
    'none',
  ],
  [
    'silent, nobody waits',
    silent(11 * minute),
    'silent',
    'Silent 11 min',
    'No output for 11 min. Nobody is waiting for it.',
    'warning',
    'log',
  ],
  [
    'silent and not measured yet',
    silent(11 * minute, { blocks: 1, health: null }),
    'silent',
    'Silent 11 min',
    '1 script is waiting behind it; CPU and I/O are not measured yet.',
    'warning',
    'log',
  ],
  [
    'silent, but busy',
    silent(11 * minute, { blocks: 3, health: busy }),
    'silent-busy',
    'Silent 11 min, but busy',
    'No output for 11 min, but it uses CPU or writes data. Probably working.',
    'warning',
    'wait',
  ],
  [
    'silent and blocking',
    silent(47 * minute, { blocks: 3 }),
    'stuck-silent',
    'Stuck: silent 47 min',
    'Stuck: no output for 47 min; 3 scripts are waiting behind it.',
    'critical',
    'cancel',
  ],
  [
    'silent with a mutex it lost',
    silent(47 * minute, { holdsMutex: false }),
    'silent',
    'Silent 47 min',
    'Nobody is waiting for it.',
    'warning',
    'log',
  ],
  [
    'overdue',
    facts({ startedAt: at0312 - 52 * minute, usual }),
    'overdue',
    'Overdue by 22 min',
    'Usually takes 4 min, has been running for 52 min.',
    'warning',
    'log',
  ],
  [
    'overdue and blocking',
    facts({ startedAt: at0312 - 52 * minute, usual, blocks: 1 }),
    'stuck-overdue',
    'Stuck: overdue 22 min',
    'Stuck: usually takes 4 min, has been running for 52 min.',
    'critical',
    'cancel',
  ],
  [
    'overdue, blocking, but busy',
    facts({ startedAt: at0312 - 52 * minute, usual, blocks: 1, health: busy }),
    'overdue',
    'Overdue by 22 min',
    'Usually takes',
    'warning',
    'log',
  ],
  [
    'cancelling',
    facts({ state: 'cancelling', stage: { kind: 'cancelling', since: at0312 - 12_000, until: at0312 + 18_000 } }),
    'cancelling',
    'Cancelling, 18 s left',
    'Asked to stop at 03:12:38. 18 s left to exit. The mutex is still held.',
    'info',
    'wait',
  ],
  [
    'cancelling, out of grace',
    facts({ state: 'cancelling', stage: { kind: 'cancelling', since: at0312, until: at0312 - 1 } }),
    'cancelling',
    'Cancelling, 0 s left',
    '0 s left to exit.',
    'info',
    'wait',
  ],
  [
    'ignoring Cancel, nobody waits',
    facts({ state: 'cancelling', stage: { kind: 'ignored', since: at0312, left: 3, of: 3 } }),
    'cancel-ignored',
    'Cancel ignored',
    'Cancel ignored: 3 of 3 processes were still running when the grace period ended at 03:12:50.',
    'warning',
    'kill',
  ],
  [
    'ignoring Cancel and blocking',
    facts({ state: 'cancelling', stage: { kind: 'ignored', since: at0312, left: 1, of: 1 }, blocks: 2 }),
    'cancel-ignored',
    'Stuck: Cancel ignored',
    '1 of 1 process ',
    'critical',
    'kill',
  ],
  [
    'killing',
    facts({ state: 'killing', stage: { kind: 'killing', since: at0312, ended: 2, of: 3, told: false } }),
    'killing',
    'Killing, 2 of 3 gone',
    'Ending 3 processes; 2 are gone.',
    'info',
    'wait',
  ],
  [
    'killing one',
    facts({ state: 'killing', stage: { kind: 'killing', since: at0312, ended: 1, of: 1, told: false } }),
    'killing',
    'Killing, 1 of 1 gone',
    'Ending 1 process; 1 is gone.',
    'info',
    'wait',
  ],
  [
    'unkillable in the kernel',
    unkillable('kernel', { blocks: 3 }),
    'unkillable',
    'Unkillable: in kernel',
    'Stuck: Unkillable for 30 s. The system accepted the request to end PID 8444, but it still exists: as measured.',
    'critical',
    'abandon',
  ],
  [
    'unkillable, signal pending',
    unkillable('pending'),
    'unkillable',
    'Unkillable: in kernel',
    'Unkillable for 30 s. The system accepted',
    'critical',
    'abandon',
  ],
  [
    'unkillable for want of rights',
    unkillable('access'),
    'unkillable',
    'Unkillable: no access',
    'The system refused to end PID 8444: as measured.',
    'critical',
    'abandon',
  ],
  [
    'unkillable, protected',
    unkillable('protected'),
    'unkillable',
    'Unkillable: protected',
    'PID 8444 is a protected process: as measured.',
    'critical',
    'abandon',
  ],
  [
    'unkillable, stopped',
    unkillable('stopped'),
    'unkillable',
    'Unkillable: stopped',
    'PID 8444 still exists: as measured.',
    'critical',
    'abandon',
  ],
  [
    'unkillable, other',
    unkillable('other'),
    'unkillable',
    'Unkillable: see detail',
    'PID 8444 could not be ended: as measured.',
    'critical',
    'abandon',
  ],
  [
    'its runner died',
    facts({ state: 'orphaned' }),
    'orphaned',
    'Runner died, running',
    'The runner of this script has died; PID 7312 is still running.',
    'warning',
    'log',
  ],
  [
    'its runner died, blocking',
    facts({ state: 'orphaned', blocks: 1 }),
    'orphaned',
    'Runner died, running',
    'will never be known',
    'critical',
    'cancel',
  ],
  [
    'abandoned, running',
    final({ kind: 'abandoned', actor: kim }, { orphan: true, abandoned: { at: at0312, by: kim } }),
    'abandoned',
    'Abandoned, still running',
    'Abandoned at 03:12:50 by CONTOSO\\kim. PID 7312 is still running and may still change files. Unjam holds no mutex for it.',
    'orphan',
    'none',
  ],
  [
    'abandoned, then ended',
    final(
      { kind: 'abandoned', actor: kim },
      { abandoned: { at: at0312 - 108 * minute, by: kim }, orphanEndedAt: at0312 },
    ),
    'orphan-exited',
    'Orphan exited 03:12',
    'PID 7312 ended at 03:12:50, 1 h 48 min after it was abandoned.',
    'neutral',
    'none',
  ],
  [
    'abandoned, end unseen',
    final({ kind: 'abandoned', actor: kim }, { abandoned: { at: at0312, by: kim } }),
    'orphan-exited',
    'Abandoned, gone',
    'when it ended is unknown',
    'neutral',
    'none',
  ],
  ['finished', final({}), 'finished', 'Finished, exit code 0', 'Finished in 4 min.', 'neutral', 'none'],
  [
    'failed',
    final({ exitCode: 5 }),
    'failed',
    'Failed, exit code 5',
    'Failed with exit code 5 after 4 min.',
    'warning',
    'log',
  ],
  [
    'failed on Windows',
    final({ exitCode: 3_221_225_786 }),
    'failed',
    'Failed, 0xC000013A',
    'Failed with exit code 3221225786',
    'warning',
    'log',
  ],
  [
    'ended by a foreign signal',
    final({ exitCode: null, signal: 'SIGKILL' }),
    'failed',
    'Failed, SIGKILL',
    'Ended by SIGKILL after 4 min, which Unjam did not send.',
    'warning',
    'log',
  ],
  [
    'cancelled',
    final({ kind: 'cancelled', actor: { user: 'kim', via: 'cli' } }),
    'cancelled',
    'Cancelled by kim',
    'Stopped after 4 min; Cancel was requested by kim.',
    'neutral',
    'none',
  ],
  [
    'cancelled in the queue',
    final({ kind: 'cancelled', actor: kim, durationMs: null }),
    'cancelled',
    'Cancelled by CONTOSO\\kim',
    'Cancelled by CONTOSO\\kim while it waited; it was never started.',
    'neutral',
    'none',
  ],
  [
    'cancelled by a long name',
    final({ kind: 'cancelled', actor: { user: 'CONTOSO\\release-engineering', via: 'api' } }),
    'cancelled',
    'Cancelled by CONTOSO\\re…',
    'CONTOSO\\release-engineering',
    'neutral',
    'none',
  ],
  [
    'killed',
    final({ kind: 'killed', actor: unjam }),
    'killed',
    'Killed by Unjam',
    'Killed by Unjam after running 4 min.',
    'neutral',
    'none',
  ],
  [
    'gave up waiting',
    final({ kind: 'timed-out', timeout: 'mutex', durationMs: null }, { createdAt: at0312 - 60 * minute }),
    'gave-up',
    'Gave up waiting (1 h)',
    'Never started: "RunningScript" was not free within 1 h 00 min.',
    'warning',
    'log',
  ],
  [
    'out of time',
    final({ kind: 'timed-out', timeout: 'overall' }),
    'timed-out',
    'Timed out (overall)',
    'Ended by Unjam after 4 min: its time limit was reached.',
    'warning',
    'log',
  ],
  [
    'out of time without output',
    final({ kind: 'timed-out', timeout: 'no-output' }),
    'timed-out',
    'Timed out (no-output)',
    'its limit without output was reached',
    'warning',
    'log',
  ],
  [
    'failed to start',
    final({ kind: 'failed-to-start', detail: 'spawn ENOENT' }),
    'failed-to-start',
    'Failed to start',
    'It could not be started: spawn ENOENT.',
    'warning',
    'log',
  ],
  [
    'never started',
    final({ kind: 'never-started' }),
    'never-started',
    'Never started',
    'Never started: unknown reason.',
    'warning',
    'log',
  ],
  [
    'lost',
    final({ kind: 'lost', detail: 'the machine was restarted while it ran' }),
    'lost',
    'Exit unknown',
    'Lost: the machine was restarted while it ran. The exit code is unknown.',
    'warning',
    'log',
  ],
];

describe('a script', () => {
  test.each(said)('%s', (_what, f, key, label, headline, severity, next) => {
    const c = condition(f);
    expect(c).toMatchObject({ key, label, severity, next });
    expect(c.headline).toContain(headline);
  });

  test.each([
    [silent(47 * minute, { blocks: 3 }), true],
    [silent(47 * minute, { blocks: 0 }), false],
    [silent(47 * minute, { blocks: 3, health: busy }), false],
    [silent(47 * minute, { blocks: 3, health: null }), false],
    [unkillable('kernel', { blocks: 1 }), true],
    [unkillable('kernel'), false],
    [facts({ stage: { kind: 'ignored', since: at0312, left: 1, of: 1 }, blocks: 1 }), true],
    [facts({ stage: { kind: 'killing', since: at0312, ended: 0, of: 1, told: false }, blocks: 9 }), false],
  ])('is stuck only when it blocks and does nothing (%#)', (f, stuck) => {
    expect(condition(f).stuck).toBe(stuck);
  });

  test('is silent from its start, not from an older log', () => {
    expect(silentFor(facts({ startedAt: at0312 - minute, lastOutputAt: at0312 - hour }))).toBe(minute);
    expect(silentFor(facts({ startedAt: null }))).toBeNull();
    expect(silentFor(facts({ lastOutputAt: at0312 + 5_000 }))).toBe(0);
  });

  test('is busy above 1 % of one core, or with any I/O; unknown I/O alone proves nothing', () => {
    const health = { windowMs: minute, cpuMs: 600, ioBytes: 0, processes: 1 };
    expect(isBusy(facts({ health }))).toBe(false);
    expect(isBusy(facts({ health: { ...health, cpuMs: 601 } }))).toBe(true);
    expect(isBusy(facts({ health: { ...health, ioBytes: 1 } }))).toBe(true);
    expect(isBusy(facts({ health: { ...health, ioBytes: null } }))).toBe(false);
    expect(isBusy(facts({ health: null }))).toBeNull();
  });

  test('is overdue after three medians, at least half an hour, with five successes to compare', () => {
    const ran = (ms: number, u = usual) => overdueBy(facts({ startedAt: at0312 - ms, usual: u }));
    expect(ran(30 * minute)).toBeNull();
    expect(ran(30 * minute + 1)).toBe(1);
    expect(ran(59 * minute, { ...usual, medianMs: 20 * minute })).toBeNull();
    expect(ran(61 * minute, { ...usual, medianMs: 20 * minute })).toBe(minute);
    expect(ran(9 * hour, { ...usual, runs: 4 })).toBeNull();
  });

  test.each([
    [1, '1st'],
    [2, '2nd'],
    [3, '3rd'],
    [4, '4th'],
    [11, '11th'],
    [12, '12th'],
    [13, '13th'],
    [21, '21st'],
    [111, '111th'],
    [122, '122nd'],
    [1013, '1013th'],
  ])('%i is the %s in the queue', (n, text) => {
    expect(ordinal(n)).toBe(text);
  });
});

describe('the evidence', () => {
  test('for a stuck script gives each number with its limit', () => {
    expect(evidence(silent(47 * minute + 12_000, { blocks: 3, usual }))).toEqual({
      for: [
        'No output for 47 min 12 s (limit 10 min).',
        'CPU 0.0 s and I/O 0 bytes in the last 1 min, all 3 processes together.',
        'Running for 48 min 12 s. The last 20 successful runs took 4 min (median), 6 min at most.',
        '3 scripts are waiting for "RunningScript".',
      ],
      against: [],
    });
  });

  test('against it is given with the same weight', () => {
    expect(evidence(silent(5_000, { health: { ...busy, ioBytes: 240 }, usual, startedAt: at0312 - minute }))).toEqual({
      for: [],
      against: [
        'Last output 5 s ago (limit 10 min).',
        'CPU 0.7 s and I/O 240 bytes in the last 1 min, all 3 processes together. It is probably working.',
        'Running for 1 min. The last 20 successful runs took 4 min (median), 6 min at most.',
        'Nobody is waiting for "RunningScript".',
      ],
    });
  });

  test('names survivors and an ignored Cancel', () => {
    expect(evidence(unkillable('kernel')).for.join(' ')).toContain('PID 8444 (program-8444.exe): as measured.');
    expect(evidence(facts({ stage: { kind: 'ignored', since: at0312, left: 2, of: 3 } })).for.join(' ')).toContain(
      'Cancel was ignored: 2 of 3 processes were still running at 03:12:50.',
    );
  });

  test('is not asked for before the start or after the end', () => {
    expect(evidence(queued())).toEqual({ for: [], against: [] });
    expect(evidence(final({}))).toEqual({ for: [], against: [] });
  });

  test('does not speak of I/O where the platform cannot tell', () => {
    expect(evidence(facts({ health: { windowMs: minute, cpuMs: 0, ioBytes: null, processes: 1 } })).for).toContain(
      'CPU 0.0 s in the last 1 min, 1 process.',
    );
  });
});
