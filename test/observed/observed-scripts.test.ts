/**
 * The world changes while a script of an agent is watched and ended: somebody sets the clock, the machine sleeps, the
 * script ends.
 */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { keyOf, type Row } from '../../app/agents/known.ts';
import { type Actor, unjam } from '../../app/domain/script.ts';
import { ObservedScripts } from '../../app/observed/observed-scripts.ts';
import type { ForeignProcesses, ProcessControl } from '../../app/processes/index.ts';
import { tableOf } from '../agents/forest-of.ts';
import { onWindows } from '../agents/fixtures/windows.ts';

const kim: Actor = { ...unjam, user: 'kim' };
const hour = 3_600_000;

const settings = {
  observe: true,
  ignore: [],
  verbsOff: null,
  killOff: null,
  silentAfterMs: 600_000,
  graceMs: 60_000,
  settleMs: 10_000,
  lockPaths: [],
};

/** A machine with a Tentacle whose script ignores Ctrl-C. Its clock is `Date`, the time that passes is `now`. */
function machine({ beforeKill }: { readonly beforeKill?: (endScript: () => void) => Promise<void> } = {}) {
  const { rows, answers } = tableOf(Object.values(onWindows)[0]!);
  let table: readonly Row[] = rows;
  let now = 1_000_000;
  let looks = 0;
  const read: string[] = [];
  const said: string[] = [];
  const ended: number[] = [];
  const endScript = (): void => void (table = rows.slice(0, 1));
  const lives = ({ pid }: Row['identity']): boolean => table.some((row) => row.identity.pid === pid);
  const control = {
    platform: 'win32',
    now: () => now,
    snapshot: () => ((looks += 1), table),
    liveness: (of: Row['identity']) => (lives(of) ? 'alive' : 'dead'),
    whyAlive: () => ({ reason: 'kernel', detail: 'it waits in the kernel' }),
    end: (of: Row['identity']) => (ended.push(of.pid), { kind: 'sent' }),
    facts: () => null,
  } as unknown as ProcessControl;
  const foreign = {
    words: (of: Row['identity']) => answers[keyOf(of)]?.words ?? null,
    variables: (of: Row['identity'], names: readonly string[]) => {
      read.push(keyOf(of));
      const all = answers[keyOf(of)]?.variables ?? {};
      return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
    },
    unit: () => null,
    user: () => 'deploy',
    services: () => new Set<number>(),
    freeze: () => false,
    thaw: () => undefined,
    interrupt: async () => ({ kind: 'sent', what: 'Ctrl-C' }),
    outputs: () => [],
    writers: () => [],
    locksOn: () => ({ locks: [], hidden: false }),
  } as unknown as ForeignProcesses;
  const observed = new ObservedScripts({
    control,
    foreign,
    settings: () => settings,
    askers: () => [],
    record: ({ line }) => said.push(line.text),
    self: 999_999,
    beforeKill: async () => beforeKill?.(endScript),
  });
  onTestFinished(() => observed.close());
  return {
    observed,
    said,
    ended,
    read,
    list: () => observed.list(),
    /** Time passes, and the clock goes with it. */
    pass(ms: number): void {
      now += ms;
      vi.setSystemTime(Date.now() + ms);
    },
    set: (by: number): void => void vi.setSystemTime(Date.now() + by),
    /** As many looks as show that nothing comes of it. */
    async looks(): Promise<void> {
      const before = looks;
      await vi.waitUntil(() => looks >= before + 3, { timeout: 20_000 });
    },
    says: (text: string): Promise<unknown> =>
      vi.waitUntil(() => said.some((one) => one.includes(text)), { timeout: 20_000 }),
    endScript,
  };
}

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 15, 3, 0) }));
afterEach(() => vi.useRealTimers());

describe.each([
  ['an hour ahead', hour],
  ['an hour back', -hour],
])('after the clock was set %s', (_, by) => {
  test('Cancel gives the grace that it has said, no less and no more', async () => {
    const m = machine();
    const [script] = await m.list();
    await m.observed.cancel({ id: script!.id, graceMs: 60_000 }, kim);
    m.set(by);
    m.pass(59_000);
    await m.looks();
    expect(m.said.at(-1)).toContain('It has 60 s to stop');
    m.pass(1_000);
    await m.says('ignored');
  });

  test('Force Kill waits as long as it should before it calls a process unkillable', async () => {
    const m = machine();
    const [script] = await m.list();
    await m.observed.kill({ id: script!.id }, kim);
    m.set(by);
    m.pass(9_000);
    await m.looks();
    expect(m.said.at(-1)).toContain('Force Kill');
    m.pass(1_000);
    await m.says('still exist');
  });

  test('a list is looked up again after a second, and what has gone stays in it for ten seconds', async () => {
    const m = machine();
    await m.list();
    m.pass(2_000);
    await m.list(); // seen twice: it is worth a row
    m.endScript();
    m.set(by);
    m.pass(2_000);
    expect(await m.list()).toHaveLength(1);
    m.set(by);
    m.pass(8_000);
    expect(await m.list()).toHaveLength(1);
    m.pass(3_000);
    expect(await m.list()).toEqual([]);
  });

  test('what is shown of a script stays as it is until it is looked at again', async () => {
    const m = machine();
    await m.list();
    m.pass(20_000);
    await m.list();
    const shown = m.observed.current();
    expect(shown).toHaveLength(1);
    m.set(by);
    expect(m.observed.current()).toEqual(shown);
  });

  test('what an environment says is final two seconds after its process was seen first', async () => {
    const m = machine();
    const reads = async (afterMs: number): Promise<number> => {
      const before = m.read.length;
      m.pass(afterMs);
      await m.list();
      return m.read.length - before;
    };
    const all = await reads(0);
    expect(all).toBeGreaterThan(0);
    m.set(by);
    expect(await reads(1_500)).toBe(all);
    expect(await reads(1_500)).toBe(all);
    expect(await reads(1_500)).toBe(0);
  });
});

describe('evidence is saved before Force Kill, and meanwhile', () => {
  test('nothing happens: the script is ended', async () => {
    const m = machine({ beforeKill: async () => undefined });
    const [script] = await m.list();
    await m.observed.kill({ id: script!.id }, kim);
    await m.says('Force Kill');
    expect(m.ended).toContain(script!.pid);
  });

  test('the script ends: nothing is signalled any more', async () => {
    const m = machine({ beforeKill: async (endScript) => endScript() });
    const [script] = await m.list();
    await expect(m.observed.kill({ id: script!.id }, kim)).rejects.toMatchObject({ code: 'not-possible' });
    expect(m.ended).toEqual([]);
  });
});
