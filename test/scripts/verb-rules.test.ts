/** Which verbs are offered, and that each says what it will do or why it will not. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { condition } from '../../app/domain/condition.ts';
import type { ConditionFacts } from '../../app/domain/condition-facts.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { acceptStart } from '../../app/scripts/accept.ts';
import { ScriptRecord } from '../../app/scripts/record.ts';
import { verbs } from '../../app/scripts/views/possible-verbs.ts';
import { at0312, facts, identity, kim, scope, survivor, verdict } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';

/** A record as it is read from files that say what a runner and a host have written. */
function record(write: (d: RunDirectory) => void = () => undefined): ScriptRecord {
  const directory = new RunDirectory(join(temporaryFolder(), 'run'));
  directory.create();
  const { spec } = acceptStart(
    { command: [process.execPath], isolation: { level: 'full', mutex: 'RunningScript' } },
    kim,
    { platform: 'linux', defaultSignal: 'SIGTERM', environment: {}, cwd: directory.path, identify: () => null },
  );
  void directory.writeSpec(spec); // it is there at once, and on the disk a little later
  directory.writeRunner({ schema: 1, protocol: 1, runner: identity(1), claimedAt: at0312 });
  write(directory);
  const read = ScriptRecord.load(directory.path, () => false);
  if (read === null) throw new Error('The spec was not read.');
  read.refresh();
  return read;
}
const started = (d: RunDirectory): void => {
  d.writeStarted({ schema: 1, scope: scope(7312), fence: 1, startedAt: at0312, waitedMs: 0 });
  d.append('runner', { type: 'started', pid: 7312 });
};
const possible = (r: ScriptRecord, f: ConditionFacts): string[] => {
  const all = Object.entries(verbs(r, f));
  for (const [, v] of all) expect(v.text).toMatch(/^[A-Z].*\.$/);
  return all.flatMap(([name, v]) => (v.possible ? [name] : []));
};

describe('the verbs', () => {
  test('of a queued script: only Cancel, which takes it out of the queue', () => {
    const r = record((d) => d.append('runner', { type: 'queued', mutex: 'RunningScript' }));
    expect(r.state).toBe('queued');
    expect(possible(r, facts({ state: 'queued', stage: { kind: 'queued' }, holdsMutex: false }))).toEqual(['cancel']);
  });

  test('of a running script: all three, and what happens to its mutex', () => {
    const r = record(started);
    expect(possible(r, facts())).toEqual(['cancel', 'kill', 'abandon']);
    const said = verbs(r, facts());
    expect(said.cancel.text).toContain('"RunningScript" stays held until every process has gone');
    expect(said.abandon.text).toContain('Releases "RunningScript" at once and ends nothing');
    expect(verbs(r, facts({ mutex: null, holdsMutex: false })).abandon.text).toContain('holds no mutex');
  });

  test('of a script that is being cancelled: all three; Cancel repeats the signal', () => {
    const f = facts({ stage: { kind: 'cancelling', since: at0312, until: at0312 + 18_000 } });
    expect(possible(record(started), f)).toEqual(['cancel', 'kill', 'abandon']);
    expect(verbs(record(started), f).cancel.text).toContain('18 s left. Repeating it sends the signal again');
  });

  test('of a script that is being killed, or survives it: no Cancel any more', () => {
    for (const stage of [
      { kind: 'killing', since: at0312, ended: 0, of: 1, told: false },
      { kind: 'unkillable', since: at0312, survivors: [survivor(7312)], of: 1 },
    ] as const)
      expect(possible(record(started), facts({ stage }))).toEqual(['kill', 'abandon']);
  });

  test('of an orphan: only Force Kill', () => {
    const r = record((d) => {
      started(d);
      d.writeVerdict(verdict({ kind: 'abandoned' }));
    });
    expect(r.isOrphan).toBe(true);
    expect(possible(r, facts({ orphan: true, verdict: r.verdict }))).toEqual(['kill']);
  });

  test('of a final script: none', () => {
    const r = record((d) => void d.writeVerdict(verdict()));
    expect(possible(r, facts({ verdict: r.verdict }))).toEqual([]);
  });

  test('never lack the one that the condition names as the next step', () => {
    for (const f of [
      facts({ startedAt: at0312 - 3_600_000, lastOutputAt: null, blocks: 1 }),
      facts({ stage: { kind: 'ignored', since: at0312, left: 1, of: 1 } }),
      facts({ stage: { kind: 'unkillable', since: at0312, survivors: [survivor(7312)], of: 1 } }),
      facts({ state: 'orphaned', blocks: 1 }),
    ])
      expect(possible(record(started), f)).toContain(condition(f).next);
  });
});

describe('a record', () => {
  test('stands where its files say, and is the same after a restart', () => {
    const r = record((d) => {
      started(d);
      d.append('runner', {
        type: 'cancel',
        requestId: 'r1',
        actor: kim,
        signal: 'SIGTERM',
        until: at0312,
        escalate: false,
        evidence: [],
      });
      d.append('runner', { type: 'cancel-ignored', left: [identity(7312)], of: 1 });
    });
    const again = ScriptRecord.load(r.directory.path, () => false);
    again?.refresh();
    expect([again?.state, again?.version, again?.life]).toEqual([r.state, r.version, r.life]);
    expect(r.state).toBe('cancelling');
  });

  test('has a version that grows with what a person may decide on, and not with progress', () => {
    const r = record(started);
    const before = r.version;
    r.directory.append('runner', { type: 'kill-progress', ended: 1, of: 2 });
    r.directory.append('host', { type: 'note' });
    r.refresh();
    expect(r.version).toBe(before);
    r.directory.append('runner', { type: 'exited', exit: { code: 0, signal: null, endedAt: at0312 } });
    r.refresh();
    expect(r.version).toBe(before + 1);
  });

  test('without a readable spec is none', () => {
    expect(ScriptRecord.load(temporaryFolder(), () => false)).toBeNull();
  });

  test('has no last output before it has written', () => {
    const r = record(started);
    expect([r.lastOutputAt(), r.logBytes(), r.heartbeatAt()]).toEqual([null, 0, null]);
  });
});
