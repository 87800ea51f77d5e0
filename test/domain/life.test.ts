import { describe, expect, test } from 'vitest';
import type { EventBody } from '../../app/domain/events.ts';
import { type Life, newLife, recall } from '../../app/domain/life.ts';
import { type Actor, unjam } from '../../app/domain/script.ts';
import { at0312, identity, kim, survivor, verdict } from '../support/fake-domain.ts';

/** Folds events that are a second apart. */
const after = (...bodies: (EventBody & { code?: string; text?: string })[]): Life =>
  bodies.reduce<Life>((l, b, i) => recall(l, { ...b, at: at0312 + i * 1_000 }), newLife);

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
    expect(newLife.stage).toEqual({ kind: 'starting' });
  });

  test('it queues, is granted, starts, runs', () => {
    expect(after(queued).stage.kind).toBe('queued');
    expect(after(queued, { type: 'waiting' }).stage.kind).toBe('queued');
    expect(after(queued, granted).stage.kind).toBe('starting');
    expect(after(queued, granted, started).stage.kind).toBe('running');
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

  test('an ignored Cancel counts who is left; repeating it moves neither the stage nor the time since when it is overdue', () => {
    const ignored = after(started, cancel, { type: 'cancel-ignored', left: three, of: 4 });
    expect(ignored.stage).toEqual({ kind: 'ignored', since: at0312 + 2_000, left: 3, of: 4 });
    const again = after(
      started,
      cancel,
      { type: 'cancel-ignored', left: three, of: 4 },
      { ...cancel, requestId: 'r3' },
    );
    expect(again.stage.kind).toBe('ignored');
    expect(again.answered).toEqual(['r1', 'r3']);
    expect(again.attempts).toHaveLength(2);
    expect(again.overdueSince).toBe(at0312 + 2_000);
  });

  test('a kill counts those who have gone, up to all', () => {
    expect(after(started, kill).stage).toEqual({
      kind: 'killing',
      since: at0312 + 1_000,
      ended: 0,
      of: 3,
      told: false,
    });
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
    expect(p).toMatchObject({ escalate: true, stage: { kind: 'cancelling', until: at0312 + 9_000 } });
    expect(p.attempts).toMatchObject([{ what: 'timeout', actor: null }]);
  });

  test('a refused request is answered and changes nothing else', () => {
    const p = after(started, { type: 'refused', requestId: 'r9', reason: 'over' });
    expect(p).toEqual({ ...after(started), answered: ['r9'] });
  });

  test('an abandon is an attempt; the end of the orphan is kept with its time', () => {
    const p = after(started, { type: 'abandoned', actor: kim, reason: null, evidence: [] }, { type: 'orphan-ended' });
    expect(p).toMatchObject({ abandoned: true, stage: { kind: 'final' } });
    expect(p.attempts).toMatchObject([{ what: 'abandon', actor: kim }]);
    expect(p.orphanEndedAt).toBe(at0312 + 2_000);
  });

  test('an exit is noted while the tree is still looked at', () => {
    expect(after(started, { type: 'exited', exit: { code: 0, signal: null, endedAt: at0312 } })).toMatchObject({
      root: { code: 0, known: true },
      stage: { kind: 'running' },
    });
  });

  test('an end that was begun is kept: the first reason holds, but an operator may turn a Cancel into a kill', () => {
    const intent = (verb: 'cancel' | 'kill' | 'timeout', actor: Actor = kim): EventBody => ({
      type: 'intent',
      verb,
      actor,
    });
    const begun = (...bodies: EventBody[]) => after(started, ...bodies).cause;
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

  test.each<EventBody>([{ type: 'waiting' }, { type: 'note' }])('$type moves nothing', (body) => {
    expect(after(started, body)).toEqual(after(started));
  });

  test('a verdict ends it; that of an abandon leaves its processes to be watched', () => {
    expect(after(started, { type: 'final', verdict: verdict() }).stage.kind).toBe('final');
    const orphan = after(started, { type: 'final', verdict: { ...verdict(), kind: 'abandoned' } });
    expect(orphan).toMatchObject({ abandoned: true, stage: { kind: 'running' } });
  });

  test('the deadline of the first signal stays when Cancel is repeated', () => {
    const p = after(started, cancel, { ...cancel, requestId: 'r3', until: at0312 + 90_000, escalate: true });
    expect(p).toMatchObject({ escalate: true, stage: { kind: 'cancelling', until: at0312 + 30_000 } });
  });

  test('a Cancel that reached nobody is withdrawn: the script has ended by itself', () => {
    const intent: EventBody = { type: 'intent', verb: 'cancel', actor: kim, until: at0312 };
    expect(after(started, intent)).toMatchObject({ stage: { kind: 'signalling' }, cause: { kind: 'cancelled' } });
    const p = after(started, intent, { type: 'refused', requestId: 'r1', reason: 'exited', withdrawn: true });
    expect(p).toMatchObject({ stage: { kind: 'running' }, cause: null, answered: ['r1'] });
  });

  test('the event of a later version changes nothing', () => {
    expect(after(started, { type: 'from-a-later-version' } as unknown as EventBody)).toEqual(after(started));
  });

  test('a runner that died is remembered from its line, as older versions wrote it', () => {
    expect(after(started, { type: 'note', code: 'W304', text: 'died' }).runnerDied).toBe(true);
  });
});
