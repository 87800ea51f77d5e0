/** The two tables of numbers that callers build on: result codes (Tentacle's) and the exit status of `unjam run`. */
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { exitStatus } from '../../app/cli/exit-status.ts';
import { resultCode, type TimeoutKind, type VerdictKind, verdictKinds } from '../../app/domain/script.ts';

describe('the result code of a script', () => {
  test('is 0 while it has no verdict', () => {
    expect(resultCode(null)).toBe(0);
  });

  test.each<[VerdictKind, TimeoutKind | null, number | null, number]>([
    ['exited', null, 0, 0],
    ['exited', null, 5, 5],
    ['exited', null, 3_221_225_786, 3_221_225_786],
    ['exited', null, null, -41],
    ['cancelled', null, 0, -43],
    ['cancelled', null, null, -43],
    ['killed', null, 1, -43],
    ['timed-out', 'overall', 0, -43],
    ['timed-out', 'first-output', null, -43],
    ['timed-out', 'no-output', null, -43],
    ['timed-out', 'mutex', null, -44],
    ['abandoned', null, null, -48],
    ['failed-to-start', null, null, -42],
    ['never-started', null, null, -47],
    ['lost', null, null, -46],
  ])('of %s (%s, exit code %s) is %i', (kind, timeout, exitCode, code) => {
    expect(resultCode({ kind, timeout, exitCode })).toBe(code);
  });

  test('is never 0 for a verdict other than an exit with 0, whatever the raw code was', () => {
    for (const kind of verdictKinds.filter((k) => k !== 'exited'))
      for (const timeout of [null, 'overall', 'no-output', 'mutex'] as const)
        for (const exitCode of [null, 0]) expect(resultCode({ kind, timeout, exitCode })).toBeLessThan(0);
  });
});

describe('the exit status of unjam run', () => {
  const status = (verdict: VerdictKind | null, more: Partial<Parameters<typeof exitStatus>[0]> = {}): number =>
    exitStatus({
      verdict,
      timeout: null,
      exitCode: null,
      signal: null,
      resultCode: resultCode(
        verdict === null ? null : { kind: verdict, timeout: more.timeout ?? null, exitCode: more.exitCode ?? null },
      ),
      ...more,
    });

  test.each([0, 1, 5, 255])('is the script’s own code: %i', (exitCode) => {
    expect(status('exited', { exitCode })).toBe(exitCode);
  });

  test('is 128 + n after a signal that Unjam did not send', () => {
    expect(status('exited', { signal: 'SIGKILL' })).toBe(137);
    expect(status('exited', { signal: 'SIGSEGV' })).toBe(128 + constants.signals.SIGSEGV);
  });

  test.each<[VerdictKind, Partial<Parameters<typeof exitStatus>[0]>, number]>([
    ['cancelled', { exitCode: 0 }, 171],
    ['killed', { signal: 'SIGKILL' }, 171],
    ['timed-out', { timeout: 'overall' }, 124],
    ['timed-out', { timeout: 'first-output' }, 124],
    ['timed-out', { timeout: 'no-output' }, 124],
    ['timed-out', { timeout: 'mutex' }, 172],
    ['abandoned', {}, 176],
    ['failed-to-start', {}, 170],
    ['never-started', {}, 175],
    ['lost', {}, 174],
  ])('of %s %o is %i', (verdict, more, expected) => {
    expect(status(verdict, more)).toBe(expected);
  });

  // Known: Windows codes have 32 bits, and the low eight alone are passed on.
  test('is never 0 for a code whose low byte is 0', () => {
    for (const exitCode of [256, 0xc000_0100]) expect(status('exited', { exitCode })).not.toBe(0);
  });

  test('is never 0 for anything but an exit with 0', () => {
    for (const verdict of verdictKinds.filter((k) => k !== 'exited'))
      for (const exitCode of [null, 0]) expect(status(verdict, { exitCode })).toBeGreaterThan(0);
    expect(status('exited', { signal: 'SIGNAMEDELSEWHERE' })).toBeGreaterThan(0);
  });
});
