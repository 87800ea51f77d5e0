/** The interpreter of the lifecycle table over a simulated tree: what it sends, in which order, and that it holds one timer. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EventBody, RunnerRequest } from '../../app/domain/events.ts';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { type How, newLife } from '../../app/domain/life.ts';
import type { Line } from '../../app/domain/lines.ts';
import type { TreeScope } from '../../app/domain/script.ts';
import { Driver, type DriverContext } from '../../app/ladder/driver.ts';
import { LimitClocks } from '../../app/ladder/limit-clocks.ts';
import type { TreeControl } from '../../app/ladder/tree-watch.ts';
import type { SignalOutcome } from '../../app/processes/index.ts';
import { identity, kim } from '../support/fake-domain.ts';

const root = identity(7312);
const scope = { root, runId: 'run', group: 7312, job: null };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class Simulation {
  living = new Map<number, ProcessIdentity>([[root.pid, root]]);
  readonly facts: string[] = [];
  readonly codes: string[] = [];
  readonly sent: string[] = [];
  looks = 0;
  over: How | null = null;
  abandoned = false;
  hidden = false;
  deliver: () => Promise<SignalOutcome> = () => Promise.resolve({ kind: 'sent', what: 'SIGTERM' });
  /** What a kill does to a process. */
  onEnd: (p: ProcessIdentity) => void = (p) => void this.living.delete(p.pid);
  readonly driver: Driver;

  constructor(changes: Partial<DriverContext> = {}) {
    const control = {
      elevated: true,
      tree: (of: TreeScope) => {
        this.looks += 1;
        return this.members(of).map((p) => ({ identity: p }));
      },
      treeLiveness: (of: TreeScope) => (this.hidden ? 'unknown' : this.members(of).length === 0 ? 'dead' : 'alive'),
      liveness: (p: ProcessIdentity) => (this.living.has(p.pid) ? 'alive' : 'dead'),
      interrupt: () => {
        this.sent.push('interrupt');
        return this.deliver();
      },
      end: (p: ProcessIdentity) => {
        this.sent.push(`end ${p.pid}`);
        this.onEnd(p);
        return { kind: 'sent' };
      },
      endTree: () => true,
      whyAlive: () => ({ reason: 'pending', detail: 'SIGKILL pending' }),
    } as unknown as TreeControl;
    this.driver = new Driver(
      {
        control,
        scope,
        killDisabled: false,
        cancel: { signal: 'SIGTERM', graceMs: 10_000 },
        clocks: new LimitClocks({ overallMs: null, noOutputMs: null }),
        append: (body: EventBody, line?: Line) => {
          this.facts.push(body.type);
          if (line) this.codes.push(line.code);
        },
        hasWritten: () => false,
        mutexFacts: () => null,
        isAbandoned: () => this.abandoned,
        cleanUp: () => Promise.resolve(),
        conclude: async (how) => void (this.over = how),
        ...changes,
      },
      { ...newLife, stage: { kind: 'running' } },
    );
  }

  /** Of a clean-up command its own alone, of the script everybody. */
  members(of: TreeScope): ProcessIdentity[] {
    return [...this.living.values()].filter((p) => of.runId === 'run' || p.pid >= of.root.pid);
  }

  cancel(id: string, escalate = true): void {
    this.driver.handle({ verb: 'cancel', id, at: 0, actor: kim, reason: null, signal: null, graceMs: null, escalate, evidence: [] }); // prettier-ignore
  }
  kill(id: string): void {
    this.driver.handle({ verb: 'kill', id, at: 0, actor: kim, reason: null, evidence: [] } satisfies RunnerRequest);
  }
  exit(): void {
    this.living.delete(root.pid);
    this.driver.rootExited(0, null, 1);
  }
  get stage(): string {
    return this.driver.life.stage.kind;
  }
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

test('a Force Kill while the cancel signal is still being sent is verified, and the log says that it overtook', async () => {
  const s = new Simulation();
  s.deliver = () => new Promise((resolve) => setTimeout(() => resolve({ kind: 'sent', what: 'Ctrl-C' }), 300));
  s.onEnd = () => undefined; // it takes its time to go
  s.cancel('r1');
  await pass(50);
  s.kill('r2');
  await pass(1_000);
  expect(s.stage).toBe('killing');
  expect(s.codes).toEqual(['W211', 'W208']);
  expect(s.driver.life.answered).toEqual(['r2', 'r1']);
  s.exit();
  await pass(200);
  expect([s.stage, s.over]).toEqual(['final', 'kill']);
});

test('a Force Kill that does not end the tree is called unkillable after its settle time, also after a Cancel', async () => {
  const s = new Simulation();
  s.onEnd = () => undefined;
  s.cancel('r1');
  s.kill('r2');
  await pass(6_000);
  expect(s.stage).toBe('unkillable');
  expect(s.codes.at(-1)).toBe('W214');
  s.exit();
  await pass(2_000);
  expect([s.stage, s.over]).toEqual(['final', 'kill']);
});

test('a survivor that the system does not show is named as one all the same', async () => {
  const s = new Simulation();
  s.hidden = true;
  s.kill('r1');
  s.exit();
  await pass(6_000);
  expect([s.stage, s.codes.at(-1)]).toEqual(['unkillable', 'W215']);
  s.hidden = false;
  await pass(2_000);
  expect(s.over).toBe('kill');
});

test('who survives a kill is sent another one each second', async () => {
  const s = new Simulation();
  s.onEnd = () => undefined;
  s.kill('r1');
  await pass(4_500);
  expect(s.sent.filter((x) => x === 'end 7312').length).toBe(5);
});

test('with kills switched off none is ever sent, not even to call the script unkillable', async () => {
  const s = new Simulation({ killDisabled: true });
  s.kill('r1');
  await pass(9_000);
  expect(s.stage).toBe('unkillable');
  expect(s.sent).toEqual([]);
  expect(s.codes).toContain('W217');
});

test('whoever repeats Cancel at every poll gets the Force Kill of the first one in time', async () => {
  const s = new Simulation();
  for (let i = 0; i < 12; i += 1) {
    s.cancel(`r${i}`);
    await pass(1_000);
  }
  expect(s.over).toBeNull();
  expect(s.codes.filter((c) => c === 'W211')).toHaveLength(1);
  s.exit();
  await pass(100);
  expect([s.over, s.driver.life.cause?.kind]).toEqual(['kill', 'cancelled']);
});

test('a Cancel without escalation is ignored at its deadline, and repeating it signals again', async () => {
  const s = new Simulation();
  s.cancel('r1', false);
  await pass(10_100);
  expect(s.stage).toBe('ignored');
  s.cancel('r2', false);
  await pass(100);
  expect([s.stage, s.sent]).toEqual(['ignored', ['interrupt', 'interrupt']]);
  s.exit();
  await pass(2_000);
  expect(s.over).toBe('cancel');
});

test('one timer and one look at a time, however often the verbs come', async () => {
  const s = new Simulation();
  s.onEnd = () => undefined;
  s.cancel('c', false);
  await pass(10_100);
  for (let i = 0; i < 50; i += 1) {
    s.cancel(`r${i}`, false);
    s.driver.rootExited(null, null, 1, false);
    await pass(1);
  }
  expect(vi.getTimerCount()).toBe(1);
  s.looks = 0;
  await pass(10_000);
  expect(s.looks).toBeLessThanOrEqual(45); // four a second at the most
  s.driver.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('a script that exits while its Cancel is being delivered has exited by itself when nobody got the signal', async () => {
  const s = new Simulation();
  s.deliver = () => {
    s.exit();
    return Promise.resolve({ kind: 'gone' });
  };
  s.cancel('r1');
  await pass(100);
  expect([s.over, s.driver.life.cause, s.codes]).toEqual(['self', null, ['W206']]);
});

test('an abandoned script is ended by no limit and watched until its last process has gone', async () => {
  const s = new Simulation({ clocks: new LimitClocks({ overallMs: 1_000, noOutputMs: null }) });
  s.living.set(7313, identity(7313));
  s.abandoned = true;
  await pass(5_000);
  expect([s.stage, s.sent]).toEqual(['running', []]);
  s.exit();
  await pass(5_000);
  expect(s.over).toBeNull();
  s.living.clear();
  await pass(1_500);
  expect(s.over).toBe('self');
});

test('an adopted script whose root is gone keeps its mutex while another process of it lives', async () => {
  const s = new Simulation({ adopted: true });
  s.living = new Map([[7313, identity(7313)]]);
  await pass(5_000);
  expect([s.stage, s.over]).toEqual(['running', null]);
  s.living.clear();
  await pass(600);
  expect(s.over).toBe('self');
});

test('an adopted script keeps its time limits', async () => {
  const s = new Simulation({ adopted: true, clocks: new LimitClocks({ overallMs: 10_000, noOutputMs: null }, 9_000) });
  await pass(2_000);
  expect([s.stage, s.codes]).toEqual(['cancelling', ['W231']]);
});

const cleanup = { root: identity(7400), runId: 'run.cleanup', group: 7400, job: null };

test('what a clean-up command leaves is ended before the mutex is released', async () => {
  const s = new Simulation({
    cleanUp: async (_how, _life, begin) => {
      s.living.set(7400, cleanup.root);
      begin(cleanup);
    },
  });
  s.kill('r1');
  s.exit();
  await pass(1);
  expect(s.over).toBeNull();
  await pass(500);
  expect([s.over, s.sent]).toEqual(['kill', ['end 7312', 'end 7400']]);
});

test('after an exit of its own the clean-up is ended, and not what the script left on purpose; the cause stays none', async () => {
  const s = new Simulation({
    cleanUp: async (_how, _life, begin) => {
      s.living.set(7400, cleanup.root);
      begin(cleanup);
    },
  });
  s.living.set(7313, identity(7313));
  s.exit();
  await pass(500);
  expect([s.over, s.sent, s.driver.life.cause]).toEqual(['kill', ['end 7400'], null]);
});

test('Force Kill while the clean-up command runs ends it, and concludes once', async () => {
  let end = (): void => undefined;
  const concluded: How[] = [];
  const s = new Simulation({
    cleanUp: (_how, _life, begin) => {
      s.living.set(7400, cleanup.root);
      begin(cleanup);
      return new Promise((resolve) => (end = resolve));
    },
    conclude: async (how) => void concluded.push(how),
  });
  s.cancel('r1');
  await pass(10);
  s.exit();
  await pass(500);
  expect(s.stage).toBe('gone');
  s.kill('r2');
  await pass(500);
  end();
  await pass(500);
  expect([s.stage, concluded, s.driver.life.cause?.kind]).toEqual(['final', ['kill'], 'cancelled']);
});

test('an error of the system in one beat is told once and does not end the watch', async () => {
  const s = new Simulation();
  s.cancel('r1', false);
  await pass(10_100);
  const { living } = s;
  Object.defineProperty(s, 'living', { get: () => { throw new Error('EMFILE'); }, configurable: true }); // prettier-ignore
  await pass(5_000);
  expect(s.codes.filter((c) => c === 'W299')).toHaveLength(1);
  Object.defineProperty(s, 'living', { value: living, writable: true });
  s.exit();
  await pass(2_000);
  expect(s.over).toBe('cancel');
});

test('a clean-up that fails in an unforeseen way is said, and the script is concluded all the same', async () => {
  const s = new Simulation({ cleanUp: () => Promise.reject(new Error('no such user')) });
  s.exit();
  await pass(2_000);
  expect([s.stage, s.over, s.codes]).toEqual(['final', 'self', ['W299']]);
});
