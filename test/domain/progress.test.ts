import { describe, expect, test } from 'vitest';
import type { EventBody } from '../../app/domain/events.ts';
import { advance, noProgress, type Progress } from '../../app/domain/progress.ts';
import type { Actor } from '../../app/domain/script.ts';
import { at0312, identity, kim, survivor, verdict } from '../support/fake-domain.ts';

/** Folds events that are a second apart. */
const after = (...bodies: (EventBody & { code?: string; text?: string })[]): Progress =>
  bodies.reduce<Progress>((p, b, i) => advance(p, { ...b, at: at0312 + i * 1_000, by: 'runner' }), noProgress);

const queued: EventBody = { type: 'queued', mutex: 'RunningScript' };
const granted: EventBody = { type: 'granted', mutex: 'RunningScript', fence: 1, waitedMs: 0 };
const started: EventBody = { type: 'started', pid: 7312 };
const cancel: EventBody = {
  type: 'cancel',
  requestId: 'r1',
  actor: kim,
  signal: 'SIGTERM',
  until: at0312 + 30_000,
  escalate: false,
  evidence: [],
};
const kill: EventBody = { type: 'kill', requestId: 'r2', actor: kim, count: 3, evidence: [] };
const three = [1, 2, 3].map((pid) => identity(pid));

describe('where a script stands', () => {
  test('it is starting until something is known', () => {
    expect(noProgress.stage).toEqual({ kind: 'starting' });
  });

  test('it queues, is granted, starts, runs', () => {
    expect(after(queued).stage.kind).toBe('queued');
    expect(after(queued, { type: 'waiting' }).stage.kind).toBe('queued');
    expect(after(queued, granted).stage.kind).toBe('starting');
    expect(after(queued, granted, started).stage.kind).toBe('running');
    expect(after(queued, granted, started, { type: 'first-output' }).stage.kind).toBe('running');
  });

  test('a Cancel gives it time, and is remembered with who and when', () => {
    const p = after(started, { ...cancel, code: 'W201', text: 'Cancel requested' });
    expect(p.stage).toEqual({ kind: 'cancelling', since: at0312 + 1_000, until: at0312 + 30_000 });
    expect(p.attempts).toEqual([
      { at: at0312 + 1_000, what: 'cancel', actor: kim, code: 'W201', text: 'Cancel requested' },
    ]);
    expect(p.answered).toEqual(['r1']);
  });

  test('a Cancel or Force Kill in the queue leaves it queued: there is nothing to stop', () => {
    const p = after(queued, cancel, { ...kill, count: 0 });
    expect(p.stage).toEqual({ kind: 'queued' });
    expect(p.answered).toEqual(['r1', 'r2']);
  });

  test('an ignored Cancel counts who is left; repeating it asks again', () => {
    const ignored = after(started, cancel, { type: 'cancel-ignored', left: three, of: 4 });
    expect(ignored.stage).toEqual({ kind: 'cancel-ignored', since: at0312 + 2_000, left: 3, of: 4 });
    const again = after(
      started,
      cancel,
      { type: 'cancel-ignored', left: three, of: 4 },
      { ...cancel, requestId: 'r3' },
    );
    expect(again.stage.kind).toBe('cancelling');
    expect(again.answered).toEqual(['r1', 'r3']);
    expect(again.attempts).toHaveLength(2);
  });

  test('a kill counts those who have gone, up to all', () => {
    expect(after(started, kill).stage).toEqual({ kind: 'killing', since: at0312 + 1_000, ended: 0, of: 3 });
    expect(after(started, kill, { type: 'kill-progress', ended: 2, of: 4 }).stage).toMatchObject({ ended: 2, of: 4 });
    expect(after(started, { type: 'kill-progress', ended: 2, of: 4 }).stage.kind).toBe('running');
  });

  test('survivors make it unkillable, and a repeated kill tries again', () => {
    const survivors = [survivor(8444)];
    const p = after(started, kill, { type: 'unkillable', survivors, ended: 2, of: 3 });
    expect(p.stage).toEqual({ kind: 'unkillable', since: at0312 + 2_000, survivors, of: 3 });
    expect(after(started, kill, { type: 'unkillable', survivors, ended: 2, of: 3 }, kill).stage.kind).toBe('killing');
  });

  test('a kill by the ladder answers no request', () => {
    expect(after(started, { ...kill, requestId: null }).answered).toEqual([]);
  });

  test('a time-out is an attempt of nobody, and its kind is kept', () => {
    const p = after(started, { type: 'timeout', timeout: 'no-output', until: at0312 + 9_000 });
    expect(p).toMatchObject({ timeout: 'no-output', stage: { kind: 'cancelling', until: at0312 + 9_000 } });
    expect(p.attempts).toMatchObject([{ what: 'timeout', actor: null }]);
  });

  test('a refused request is answered and changes nothing else', () => {
    const p = after(started, { type: 'refused', requestId: 'r9', reason: 'over' });
    expect(p).toEqual({ ...after(started), answered: ['r9'] });
  });

  test('an abandon is an attempt; the end of the orphan is kept with its time', () => {
    const p = after(started, { type: 'abandoned', actor: kim, reason: null, evidence: [] }, { type: 'orphan-ended' });
    expect(p.stage.kind).toBe('running');
    expect(p.attempts).toMatchObject([{ what: 'abandon', actor: kim }]);
    expect(p.orphanEndedAt).toBe(at0312 + 2_000);
  });

  test('an exit is noted while the tree is still looked at', () => {
    expect(after(started, { type: 'exited', exit: { code: 0, signal: null, endedAt: at0312 } }).rootExited).toBe(true);
  });

  test('an end that was begun is kept: the first reason holds, but an operator may turn a Cancel into a kill', () => {
    const unjam = { user: 'unjam', via: 'unjam' } as const;
    const intent = (verb: 'cancel' | 'kill' | 'timeout', actor: Actor = kim): EventBody => ({
      type: 'intent',
      verb,
      actor,
    });
    const begun = (...bodies: EventBody[]) => after(started, ...bodies).begun;
    expect(begun()).toBeNull();
    expect(begun(intent('cancel'))).toEqual({ kind: 'cancelled', timeout: null, actor: kim });
    expect(begun(intent('cancel'), intent('kill', unjam))).toMatchObject({ kind: 'cancelled', actor: kim });
    expect(begun(intent('cancel'), intent('kill'))).toMatchObject({ kind: 'killed', actor: kim });
    expect(begun(intent('timeout', unjam), { type: 'timeout', timeout: 'overall', until: 0 })).toMatchObject({
      kind: 'timed-out',
      timeout: 'overall',
    });
    expect(begun(intent('timeout', unjam), intent('kill'))).toMatchObject({ kind: 'timed-out' });
    expect(begun(intent('kill', unjam))).toMatchObject({ kind: 'timed-out' });
  });

  test.each<EventBody>([
    { type: 'waiting' },
    { type: 'note' },
    { type: 'first-output' },
    { type: 'final', verdict: verdict() },
  ])('$type moves nothing', (body) => {
    expect(after(started, body)).toEqual(after(started));
  });
});
