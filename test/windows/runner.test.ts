/** The real runner under Windows Node, from the host's order to the last record. */
import { describe, expect, test } from 'vitest';
import type { ExitRecord, TreeRecord, TreeScope, VerdictRecord } from '../../app/domain/script.ts';
import type { MutexState } from '../../app/domain/mutex.ts';
import { useWindows } from './support/runtime.ts';

const run = useWindows();

interface Seen {
  readonly verdict: VerdictRecord;
  readonly exit: ExitRecord | null;
  readonly output: string;
  readonly lines: readonly string[];
}

test('a script runs through the runner: claimed, started, its output in the log, its raw exit code in the verdict', async () => {
  const seen = await run.scenario<Seen & { claimedMs: number; tree: TreeRecord; scope: TreeScope }>('host', 'finish');
  console.log(`runner claimed, ${run.windows.version}: ${seen.claimedMs} ms`);
  expect(seen.verdict).toMatchObject({ kind: 'exited', exitCode: 77, signal: null });
  expect(seen.exit).toMatchObject({ code: 77, stdoutBytes: 6 });
  expect(seen.output).toBe('ready\n');
  expect(seen.tree.left).toEqual([]);
  expect(seen.scope.job).toMatch(/^Global\\unjam-[0-9a-f]{32}$/);
});

test('Cancel sends Ctrl-C; a script that answers it in its own way is cancelled, with its own exit code', async () => {
  const seen = await run.scenario<Seen>('host', 'cancel');
  expect(seen.verdict).toMatchObject({ kind: 'cancelled', exitCode: 23 });
  expect(seen.output).toContain('got SIGINT');
  expect(seen.lines[0]).toMatch(/Sent Ctrl-C to the console of PID \d+/);
});

test('Cancel with escalation ends a script that ignores Ctrl-C through its job', async () => {
  const seen = await run.scenario<Seen>('host', 'escalate');
  expect(seen.verdict).toMatchObject({ kind: 'cancelled', exitCode: 137 });
  expect(seen.output).toContain('ignored 1');
});

test('Force Kill ends the whole tree within a second', async () => {
  const seen = await run.scenario<Seen & { ms: number; members: number; left: number }>('host', 'kill');
  expect(seen).toMatchObject({ verdict: { kind: 'killed', exitCode: 137 }, members: 3, left: 0 });
  expect(seen.ms).toBeLessThan(5_000);
  console.log(`Force Kill of three processes to the verdict, ${run.windows.version}: ${seen.ms} ms`);
});

test('a second script waits for the mutex and runs when the first one was killed', async () => {
  const seen = await run.scenario<Seen & { startedEarly: boolean; state: MutexState }>('host', 'isolation');
  expect(seen).toMatchObject({
    startedEarly: false,
    verdict: { kind: 'exited', exitCode: 0 },
    state: { holders: [], queue: [], fence: 2 },
  });
});

test('the script and its runner survive the host; the exit code is there for the next one', async () => {
  const { path } = await run.scenario<{ path: string }>('host', 'host dies');
  expect(await run.scenario('host', 'after the host', { path })).toMatchObject({
    found: { verdict: null, liveness: 'alive', runner: 'alive' },
    verdict: { kind: 'exited', exitCode: 77 },
    exit: { code: 77 },
  });
});

test('the script survives its runner; a host finds the tree by its environment and ends it, and claims no exit code', async () => {
  const seen = await run.scenario<{ tree: string[]; kills: string[] }>('host', 'runner dies');
  expect(seen).toMatchObject({
    before: 3,
    ended: { kind: 'sent' },
    liveness: 'alive',
    job: false,
    exit: null,
    verdict: null,
  });
  expect(seen.tree).toEqual(['root', 'cookie', 'cookie']);
  expect(seen.kills[0]).toBe('sent');
});

test('a program that Windows refuses is a failed start with the reason', async () => {
  const { verdict } = await run.scenario<Seen>('host', 'start failure');
  expect(verdict).toMatchObject({
    kind: 'failed-to-start',
    detail: expect.stringContaining('(Windows error 2)') as string,
  });
});

describe('the mutex', () => {
  test('is exclusive among four processes that take it ten times each', async () => {
    expect(await run.scenario('host', 'contention')).toMatchObject({ codes: [0, 0, 0, 0], holders: 0, waiters: 0 });
  });
});
