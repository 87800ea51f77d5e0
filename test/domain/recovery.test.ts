import { describe, expect, test } from 'vitest';
import { limits } from '../../app/domain/limits.ts';
import { conclude, type RecoveryFacts } from '../../app/domain/recovery.ts';

/** A script that ran, with its runner alive. */
const found = (changes: Partial<RecoveryFacts> = {}): RecoveryFacts => ({
  claimed: true,
  ageMs: 3_600_000,
  runner: 'alive',
  started: true,
  tree: 'alive',
  exit: false,
  rebooted: false,
  ...changes,
});
const gone = { runner: 'dead', tree: 'dead' } as const;

describe('what a host concludes about a script without a verdict', () => {
  test('a spec that no runner has taken waits for one', () => {
    const fresh = found({ claimed: false, started: false, ...gone });
    expect(conclude({ ...fresh, ageMs: limits.startMs - 1 })).toEqual({ kind: 'wait' });
    expect(conclude({ ...fresh, ageMs: limits.startMs })).toEqual({
      kind: 'never-started',
      why: 'no runner took it over within a minute',
    });
  });

  test('a living runner decides, whatever else is found', () => {
    expect(conclude(found())).toEqual({ kind: 'leave-to-runner' });
    expect(conclude(found({ exit: true, tree: 'dead' }))).toEqual({ kind: 'leave-to-runner' });
    expect(conclude(found({ started: false, tree: 'dead' }))).toEqual({ kind: 'leave-to-runner' });
  });

  test('a runner that cannot be seen from here decides too', () => {
    expect(conclude(found({ runner: 'unknown', tree: 'unknown' }))).toEqual({ kind: 'leave-to-runner' });
  });

  test('runner gone, script alive: it is orphaned and watched', () => {
    expect(conclude(found({ runner: 'dead' }))).toEqual({ kind: 'orphaned' });
    expect(conclude(found({ runner: 'dead', tree: 'unknown' }))).toEqual({ kind: 'orphaned' });
  });

  test('runner gone, exit.json there, nobody left: the exit code counts', () => {
    expect(conclude(found({ ...gone, exit: true }))).toEqual({ kind: 'conclude-exit' });
    expect(conclude(found({ ...gone, exit: true, rebooted: true }))).toEqual({ kind: 'conclude-exit' });
  });

  test('runner gone, exit.json there, children left: they are watched first', () => {
    expect(conclude(found({ runner: 'dead', exit: true }))).toEqual({ kind: 'orphaned' });
  });

  test('runner gone, nobody left, no exit.json: lost, and why', () => {
    expect(conclude(found(gone))).toMatchObject({
      kind: 'lost',
      why: expect.stringContaining('nobody watched') as string,
    });
    expect(conclude(found({ ...gone, rebooted: true }))).toMatchObject({
      kind: 'lost',
      why: expect.stringContaining('restarted') as string,
    });
  });

  test('runner gone before the start: never started, and why', () => {
    const waited = found({ ...gone, started: false });
    expect(conclude(waited)).toMatchObject({
      kind: 'never-started',
      why: expect.stringContaining('runner died') as string,
    });
    expect(conclude({ ...waited, rebooted: true })).toMatchObject({
      kind: 'never-started',
      why: expect.stringContaining('while it waited') as string,
    });
  });

  test('a runner.json that a power cut took does not undo what was written after it', () => {
    expect(conclude(found({ claimed: false, ...gone, exit: true }))).toEqual({ kind: 'conclude-exit' });
    expect(conclude(found({ claimed: false, ...gone, exit: true, ageMs: 0 }))).toEqual({ kind: 'conclude-exit' });
    expect(conclude(found({ claimed: false, ...gone }))).toMatchObject({ kind: 'lost' });
    expect(conclude(found({ claimed: false, runner: 'dead' }))).toEqual({ kind: 'orphaned' });
  });
});
