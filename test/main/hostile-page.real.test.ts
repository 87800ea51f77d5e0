/**
 * A page that was taken over may call every method with every input, in every order. Before a real application with real
 * scripts, and a person who answers every question with "Go back", it changes nothing that matters.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openApplication, type Application } from '../../app/host/application.ts';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import { methods, type Input, type Method, type Output } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { weakenings } from '../../app/settings/weaken.ts';
import { confirmed } from '../../main/page/confirm.ts';
import { oneQuestion } from '../../main/page/question.ts';

const owner: Caller = { user: 'root', via: 'cli', role: 'owner' };
const page: Caller = { user: 'root', via: 'window', role: 'owner' };
const hang = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];

let home: string;
let application: Application;
let asked: number;
let guarded: Dispatch;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'unjam-hostile-'));
  application = await openApplication({
    stateDirectory: home,
    policies: { machineFile: null, distrust: () => null, registry: { read: async () => ({}) } },
    log: () => undefined,
  });
  asked = 0;
  let clock = 0;
  guarded = confirmed({
    dispatch: application.dispatch,
    dialog: { showMessageBox: async () => (asked++, { response: 0, checkboxChecked: false }) },
    parent: () => null,
    machine: 'here',
    watch: () => undefined,
    gathered: () => new Promise(setImmediate),
    exclusively: oneQuestion(() => (clock += 10_000)), // every question may be asked at once
    now: Date.now,
  });
});
afterEach(async () => {
  await call('settings.set', { values: { requireReason: false } });
  for (const { ticket, state, orphan } of await call('scripts.list', { all: true }))
    if (state !== 'final' || orphan) await call('scripts.kill', { ticket });
  await expect
    .poll(async () => (await call('scripts.list', { all: true })).some((s) => s.state !== 'final' || s.orphan), {
      timeout: 30_000,
    })
    .toBe(false);
  await application.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

async function call<M extends Method>(method: M, input: Input<M>): Promise<Output<M>> {
  const reply = await application.dispatch(method, input, owner);
  if (!reply.ok) throw new Error(`${method}: ${reply.error.message}`);
  return reply.value as Output<M>;
}

const isolation = (mutex: string) => ({ level: 'full', mutex }) as const;
const until = (ticket: string, state: string) =>
  expect.poll(async () => (await call('scripts.get', { ticket })).state, { timeout: 30_000 }).toBe(state);

/** One script of each kind that has something to lose. */
async function setTheScene(): Promise<readonly string[]> {
  await call('scripts.start', { ticket: 'holder', command: hang, isolation: isolation('M') });
  await call('scripts.start', { ticket: 'waiter', command: hang, isolation: isolation('M') });
  await call('scripts.start', { ticket: 'killer', command: hang, cancelSignal: 'SIGKILL' });
  await call('scripts.start', { ticket: 'done', command: [process.execPath, '-e', ''], waitMs: 30_000 });
  await call('scripts.start', { ticket: 'orphan', command: hang, isolation: isolation('Held') });
  await until('orphan', 'running');
  await call('scripts.abandon', { ticket: 'orphan', holdQueue: true });
  await call('scripts.start', { ticket: 'held', command: hang, isolation: isolation('Held') });
  for (const ticket of ['holder', 'killer']) await until(ticket, 'running');
  for (const ticket of ['waiter', 'held']) await until(ticket, 'queued');
  return ['holder', 'waiter', 'killer', 'done', 'orphan', 'held'];
}

/** What a hostile page must not be able to change. */
async function whatMatters(tickets: readonly string[]): Promise<unknown> {
  const scripts = await Promise.all(tickets.map((ticket) => call('scripts.get', { ticket })));
  const mutexes = await call('locks.list', {});
  const history = await call('history.list', {});
  return {
    scripts: scripts.map((s) => [s.ticket, s.state, s.verdict, s.pid, s.orphan, s.holdsMutex, isAlive(s.pid)]),
    paused: mutexes.filter((mutex) => mutex.paused).map((mutex) => mutex.name),
    acts: history.filter((entry) => ['cancel', 'kill', 'abandoned', 'resume'].includes(entry.kind)).length,
  };
}

function isAlive(pid: number | null): boolean {
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('no sequence of calls ends, abandons or deletes anything, or weakens a guard', { timeout: 240_000 }, async () => {
  const tickets = await setTheScene();
  const scripts = await Promise.all(tickets.map((ticket) => call('scripts.get', { ticket })));
  const processes = scripts.flatMap(({ process }) =>
    process === null ? [] : [{ pid: process.pid, startTime: process.startTime }],
  );
  const before = await whatMatters(tickets);

  const settings = Object.fromEntries(
    Object.entries(defaultSettings).map(([key, value]) => [
      key,
      typeof value === 'boolean'
        ? fc.boolean()
        : typeof value === 'number'
          ? fc.constantFrom(1, 2, 10, 30, 60, 90, 365, 1_000)
          : key === 'access'
            ? fc.constantFrom([], [{ who: 'guest', role: 'owner' }])
            : key === 'scriptRules'
              ? fc.constantFrom([], [{ name: '*', silentAfterMinutes: 1_440 }])
              : fc.constantFrom('dark', 'light'),
    ]),
  );
  const target = {
    ticket: fc.constantFrom(...tickets),
    name: fc.constantFrom('M', 'Held', 'held'),
    command: fc.constant(['sh', '-c', `kill -9 ${processes.map(({ pid }) => pid).join(' ')}`]),
    values: fc.record(settings, { requiredKeys: [] }),
  };
  const more = fc.record(
    {
      version: fc.integer({ min: 0, max: 12 }),
      process: fc.constantFrom(...processes),
      reason: fc.constantFrom('because', ' '),
      confirmPid: fc.constantFrom(...processes.map(({ pid }) => pid), 1),
      holdQueue: fc.boolean(),
      escalate: fc.boolean(),
      signal: fc.constantFrom('SIGKILL', 'SIGTERM', 'SIGINT', 'ctrl-c'),
      graceMs: fc.constantFrom(0, 1, 10_000),
      reset: fc.subarray(Object.keys(defaultSettings)),
      all: fc.boolean(),
      minutes: fc.constant(0.1),
    },
    { requiredKeys: [] },
  );
  const input = fc
    .tuple(fc.record(target), fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, more))
    .map(([aim, rest]) => ({ ...aim, ...rest }));
  /** Only the fields of the method, so that the schema does not refuse what would be dangerous. */
  const one = fc
    .tuple(
      fc.constantFrom(...(Object.keys(methods) as Method[])),
      fc.oneof({ weight: 9, arbitrary: input }, fc.anything()),
    )
    .map(([method, given]) => {
      const shape = methods[method].input.shape as Record<string, unknown>;
      const isRecord = typeof given === 'object' && given !== null && !Array.isArray(given);
      const fitting = isRecord ? Object.fromEntries(Object.entries(given).filter(([key]) => key in shape)) : given;
      return { method, input: fitting };
    });
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 10, maxLength: 25 }), async (calls) => {
      // Some at the same time, as a page would that looks for a race.
      for (let i = 0; i < calls.length; i += 3)
        await Promise.all(calls.slice(i, i + 3).map(({ method, input: given }) => guarded(method, given, page)));
      expect(await whatMatters(tickets)).toEqual(before);
      const { values } = await call('settings.get', {});
      expect(weakenings(defaultSettings, { values })).toEqual([]);
    }),
    { numRuns: 40 },
  );
  expect(asked).toBeGreaterThan(20);
  expect((await call('host.info', {})).pid).toBe(process.pid);
});
