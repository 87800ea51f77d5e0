import { describe, expect, test } from 'vitest';
import { limits } from '../../app/domain/limits.ts';
import { type Found, judge } from '../../app/domain/judgement.ts';

/** A script that ran; its runner is dead. */
const found = (changes: Partial<Found> = {}): Found => ({
  claimed: true,
  ageMs: 3_600_000,
  started: true,
  tree: 'alive',
  exit: false,
  cleanupDue: false,
  rebooted: false,
  ...changes,
});
const gone = { tree: 'dead' } as const;

describe('what a host concludes about a script without a verdict', () => {
  test('a spec that no runner has taken waits for one', () => {
    const fresh = found({ claimed: false, started: false, ...gone });
    expect(judge({ ...fresh, ageMs: limits.startMs - 1 })).toEqual({ kind: 'wait' });
    expect(judge({ ...fresh, ageMs: limits.startMs })).toEqual({
      kind: 'never-started',
      why: 'no runner took it over within a minute',
    });
  });

  test('an exit whose clean-up is still to be run is carried on, but not after a restart of the machine', () => {
    const due = found({ exit: true, cleanupDue: true, ...gone });
    expect(judge(due)).toEqual({ kind: 'adopt' });
    expect(judge({ ...due, rebooted: true })).toEqual({ kind: 'exited' });
    expect(judge({ ...due, exit: false })).toMatchObject({ kind: 'lost' });
  });

  test('runner gone, script alive: it is orphaned and watched', () => {
    expect(judge(found())).toEqual({ kind: 'adopt' });
    expect(judge(found({ tree: 'unknown' }))).toEqual({ kind: 'adopt' });
  });

  test('runner gone, exit.json there, nobody left: the exit code counts', () => {
    expect(judge(found({ ...gone, exit: true }))).toEqual({ kind: 'exited' });
    expect(judge(found({ ...gone, exit: true, rebooted: true }))).toEqual({ kind: 'exited' });
  });

  test('runner gone, exit.json there, children left: they are watched first', () => {
    expect(judge(found({ exit: true }))).toEqual({ kind: 'adopt' });
  });

  test('runner gone, nobody left, no exit.json: lost, and why', () => {
    expect(judge(found(gone))).toMatchObject({
      kind: 'lost',
      why: expect.stringContaining('nobody watched') as string,
    });
    expect(judge(found({ ...gone, rebooted: true }))).toMatchObject({
      kind: 'lost',
      why: expect.stringContaining('restarted') as string,
    });
  });

  test('runner gone before the start: never started, and why', () => {
    const waited = found({ ...gone, started: false });
    expect(judge(waited)).toMatchObject({
      kind: 'never-started',
      why: expect.stringContaining('runner died') as string,
    });
    expect(judge({ ...waited, rebooted: true })).toMatchObject({
      kind: 'never-started',
      why: expect.stringContaining('while it waited') as string,
    });
  });

  test('a runner.json that a power cut took does not undo what was written after it', () => {
    expect(judge(found({ claimed: false, ...gone, exit: true }))).toEqual({ kind: 'exited' });
    expect(judge(found({ claimed: false, ...gone, exit: true, ageMs: 0 }))).toEqual({ kind: 'exited' });
    expect(judge(found({ claimed: false, ...gone }))).toMatchObject({ kind: 'lost' });
    expect(judge(found({ claimed: false }))).toEqual({ kind: 'adopt' });
  });
});
