import { describe, expect, test } from 'vitest';
import type { ProcessSnapshot } from '../../app/processes/control.ts';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import type { TreeScope } from '../../app/domain/script.ts';
import { isWindows, useWindows } from './support/runtime.ts';

const run = useWindows();

describe('identity', () => {
  test('names the calling process, the same from every direction', async () => {
    const seen = await run.scenario<{ self: ProcessIdentity; same: ProcessIdentity; user: string; alive: string }>(
      'processes',
      'self',
    );
    expect(seen.same).toEqual(seen.self);
    expect(seen.self).toMatchObject({
      pidNamespace: 'host',
      name: 'node.exe',
      startTime: expect.stringMatching(/^\d{18}$/) as string,
    });
    expect(Math.abs(Date.now() - seen.self.startedAt)).toBeLessThan(60_000);
    expect(Number(seen.self.bootId) * 1000).toBeLessThan(seen.self.startedAt + 1_000);
    expect(seen.user).toMatch(/^[^\\]+\\[^\\]+$/);
    expect(seen.alive).toBe('alive');
  });

  test('that is reused, foreign, missing, ours or a part of Windows is never ended', async () => {
    expect(await run.scenario('processes', 'foreign identities')).toMatchObject({
      reused: [{ kind: 'not-same' }, 'dead'],
      otherMachine: [{ kind: 'not-same' }, 'unknown'],
      idle: { kind: 'denied' },
      system: { kind: 'denied' },
      self: { kind: 'not-same' },
      missing: { kind: 'gone' },
      stillAlive: 'alive',
      real: { kind: 'sent' },
      exit: { code: 137 },
    });
  });

  test('of a process that ended but is still held is dead, and exit code 259 is a code like any other', async () => {
    expect(await run.scenario('processes', 'ended but held')).toEqual({
      alive: 'alive',
      first: { kind: 'sent' },
      again: { kind: 'gone' },
      exit: { code: 259, signal: null },
      after: 'dead',
    });
  });
});

describe('the machine', () => {
  test('is known by its own id: another name, a name without an id and a wrong boot time change nothing', async () => {
    expect(await run.scenario('processes', 'machine')).toEqual({
      machineId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      named: ['alive', ['root']],
      renamed: ['alive', ['root']],
      renamedWithoutId: 'unknown',
      otherId: 'unknown',
      bootTimeWrong: 'alive',
      ended: { kind: 'sent' },
      exit: { code: 137, signal: null },
    });
  });
});

describe('the tree of a script', () => {
  test('is whole after the clock was set back or ahead: by the job, by the cookie, and without its root', async () => {
    const whole = {
      byJob: ['root node.exe', 'job node.exe', 'job node.exe'],
      byCookie: ['root node.exe', 'cookie node.exe', 'cookie node.exe'],
      rootGone: ['job node.exe', 'job node.exe'],
    };
    expect(await run.scenario('processes', 'clock set')).toEqual({ back: whole, ahead: whole });
  });

  test('holds child and grandchild: they are born in the job', async () => {
    const { tree, parents, pids, same } = await run.scenario<{
      tree: string[];
      parents: number[];
      pids: number[];
      same: boolean;
    }>('processes', 'family');
    expect(tree).toEqual(['root node.exe', 'job node.exe', 'job node.exe']);
    expect(parents.slice(1)).toEqual(pids.slice(0, 2));
    expect(same).toBe(true);
  });

  test('holds a process whose parents are gone: by the job, and by its environment when the job is gone too', async () => {
    expect(await run.scenario('processes', 'orphan')).toEqual({
      exit: { code: 0, signal: null },
      tree: ['job node.exe'],
      found: true,
      treeLiveness: 'alive',
      parentGone: true,
      withoutJob: ['cookie node.exe'],
      ended: true,
    });
  });

  test('ends at once with its job, every process with code 137', async () => {
    const seen = await run.scenario<{ ms: number }>('processes', 'end tree');
    expect(seen).toMatchObject({ members: 3, ended: true, exit: { code: 137, signal: null }, again: true });
    expect(seen.ms).toBeLessThan(2_000);
  });

  test('is found and ended by another process through the job’s name, while the runner lives', async () => {
    const holder = run.start('processes', 'hold');
    const { scope } = await holder.next<{ scope: TreeScope }>();
    expect(await run.scenario('processes', 'end tree by name', { scope: JSON.stringify(scope) })).toEqual({
      before: ['root node.exe', 'job node.exe', 'job node.exe'],
      liveness: 'alive',
      ended: true,
    });
    expect(await holder.next()).toEqual({ exit: { code: 137, signal: null } });
    await holder.report();
  });

  test('does not hold a host that it started in the background: that one outlives Force Kill', async () => {
    expect(await run.scenario('processes', 'background', { as: 'host' })).toEqual({
      left: 'left',
      tree: ['root'],
      after: 'alive',
      orphan: [],
    });
  });

  test('holds what left its job with the run’s cookie', async () => {
    expect(await run.scenario('processes', 'background', { as: 'member' })).toEqual({
      left: 'left',
      tree: ['root', 'cookie'],
      after: 'alive',
      orphan: ['cookie'],
    });
  });

  test.skipIf(!isWindows)(
    'loses its job with the runner (Wine keeps a job’s name while processes are in it)',
    async () => {
      const { scope } = await run.scenario<{ scope: TreeScope }>('launch', 'runner dies');
      expect(await run.scenario('processes', 'end tree by name', { scope: JSON.stringify(scope) })).toMatchObject({
        ended: false,
      });
    },
  );
});

describe('a process that denies its termination', () => {
  test('is reported with reason access and who may not, and falls to its job all the same', async () => {
    expect(await run.scenario('processes', 'denied')).toEqual({
      changed: true,
      outcome: { kind: 'denied', errorCode: 5, message: 'access is denied (Windows error 5)' },
      why: { reason: 'access', detail: expect.stringMatching(/access list does not let .+ end it/) as string },
      alive: 'alive',
      job: true,
      exit: { code: 137, signal: null },
    });
  });
});

describe('facts', () => {
  interface Facts {
    readonly root: ProcessIdentity;
    readonly seen: ProcessSnapshot;
    readonly facts: { commandLine: string; user: string; ioBytes: number; waitsFor: string | null };
    readonly cookie: string;
    readonly missing: string;
    readonly runId: string;
    readonly own: number;
    readonly now: number;
  }

  test('of a process: command line, owner, CPU, start, parent, environment', async () => {
    const seen = await run.scenario<Facts>('processes', 'facts');
    expect(seen.seen.identity).toEqual(seen.root);
    expect(seen.seen.parentPid).toBe(seen.own);
    expect(seen.seen.cpuMs).toBeGreaterThan(100);
    expect(seen.now - seen.root.startedAt).toBeLessThan(30_000);
    expect(seen.facts.commandLine).toMatch(/node\.exe"? .*simulant\.js busy "an argument" ünï$/);
    expect(seen.facts.user).toMatch(/^[^\\]+\\[^\\]+$/);
    expect(seen.cookie).toBe(seen.runId);
    expect(seen.missing).toBe('none');
  });

  test.skipIf(!isWindows)('tell I/O and what threads wait for (Wine counts neither)', async () => {
    const { facts } = await run.scenario<Facts>('processes', 'facts');
    expect(facts.ioBytes).toBeGreaterThan(0);
  });

  test('of all processes come from one pass, which the Toolhelp fallback confirms', async () => {
    const { count, ms, own, self, toolhelp } = await run.scenario<{
      count: number;
      ms: number;
      own: ProcessSnapshot;
      self: ProcessIdentity;
      toolhelp: { pid: number; name: string; created: string };
    }>('processes', 'snapshot');
    console.log(`process table, ${run.windows.version}: ${count} processes in ${ms.toFixed(1)} ms`);
    expect(own.identity).toEqual(self);
    expect(toolhelp).toMatchObject({ pid: self.pid, name: 'node.exe', created: self.startTime });
  });
});
