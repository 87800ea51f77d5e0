/** Toasts are few and actionable, however badly the scripts behave. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScriptView, Snapshot } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import {
  nothingTold,
  observe,
  pause,
  pausedUntil,
  resumed,
  type Effect,
  type NotifierState,
  type Wishes,
} from '../../main/toasts/rules.ts';
import type { Toast } from '../../main/toasts/texts.ts';
import { wishesOf } from '../../main/toasts/settings.ts';
import { at, minutes, mutex, now, observed, script, snapshot } from './fixtures.ts';

const usualWishes = wishesOf(null);

/** Feeds snapshots to the reducer and collects what a person would see. */
class Watcher {
  state: NotifierState = nothingTold;
  wishes: Wishes = usualWishes;
  readonly shown: { at: number; toast: Toast }[] = [];
  readonly withdrawn: string[] = [];

  see(seen: Snapshot, when: number): Effect[] {
    const { state, effects } = observe(this.state, seen, when, this.wishes);
    this.state = state;
    for (const effect of effects) {
      if (effect.do === 'show') this.shown.push({ at: when, toast: effect.toast });
      else this.withdrawn.push(effect.id);
    }
    return effects;
  }
  get titles(): string[] {
    return this.shown.map(({ toast }) => toast.title);
  }
}

const stuckOn = (name: string, changes: Partial<ScriptView> = {}) =>
  script({ ticket: `t-${name}`, mutex: name, ...changes });
const alone = (one: ScriptView, waitingSince?: number) =>
  snapshot([one], [mutex(one.mutex ?? '', [one], waitingSince)]);
const condition = (key: string, next: ScriptView['condition']['next']) => ({ ...script().condition, key, next });
const unkillable = (name: string) =>
  stuckOn(name, { state: 'unkillable', condition: condition('unkillable-kernel', 'abandon') });

describe('a stuck script', () => {
  test('is told with what, impact and next step, once somebody has waited 2 minutes', () => {
    const watcher = new Watcher();
    watcher.see(alone(script(), now - 119_000), now);
    expect(watcher.titles).toEqual([]);
    watcher.see(alone(script(), now - 119_000), now + 1_000);
    expect(watcher.shown[0]?.toast).toEqual({
      id: 'web-eu-4',
      ticket: 'web-eu-4',
      title: 'Stuck script blocks 3 scripts',
      body: '"Deploy web-eu / step 4" (PID 7312) holds "RunningScript". No output for 47 min.',
      buttons: ['show', 'cancel'],
      silent: false,
      stays: true,
      leavesAfterMs: null,
    });
  });

  test('of an agent is told once for each agent in a while, and its end tells nothing', () => {
    const watcher = new Watcher();
    const seen = { ...snapshot(), observed: [observed(), observed({ id: 'o-2-2' })] };
    watcher.see(seen, now);
    expect(watcher.shown.map(({ toast }) => toast)).toEqual([
      expect.objectContaining({
        id: 'o-2-2',
        ticket: 'o-2-2',
        title: 'GitHub Actions runner has left a script behind',
        body: '"octo/shop / deploy": Left behind: nothing waits for it any more.',
      }),
    ]);
    watcher.see({ ...snapshot(), observed: [observed({ stuck: false })] }, now + minutes(20));
    expect([watcher.shown.length, watcher.withdrawn]).toEqual([1, ['o-2-2']]);
  });

  test('nobody waits for is not told', () => {
    const watcher = new Watcher();
    const idle = script({ blocks: 0, stuck: true });
    watcher.see(snapshot([idle], [mutex('RunningScript', [idle], now, 0)]), now);
    watcher.see(snapshot([script({ stuck: false })]), now + minutes(60));
    expect(watcher.shown).toEqual([]);
  });

  test('is told again after 30 minutes when nobody touched it, and not before', () => {
    const watcher = new Watcher();
    for (let m = 0; m <= 61; m++) watcher.see(alone(script()), now + minutes(m));
    expect(watcher.shown.map((one) => (one.at - now) / 60_000)).toEqual([0, 30, 60]);
  });

  test('that ignored Cancel, and then cannot be ended, replaces its own toast', () => {
    const watcher = new Watcher();
    watcher.see(alone(stuckOn('M')), now);
    watcher.see(alone(stuckOn('M', { condition: condition('cancel-ignored', 'kill') })), now + minutes(11));
    watcher.see(alone(unkillable('M')), now + minutes(22));
    expect(watcher.titles).toEqual(['Stuck script blocks 3 scripts', 'Cancel was ignored', 'PID 7312 cannot be ended']);
    expect(new Set(watcher.shown.map(({ toast }) => toast.id)).size).toBe(1);
    expect(watcher.shown.map(({ toast }) => toast.body.split('Next: ')[1])).toEqual([
      undefined,
      'Force Kill.',
      'Abandon.',
    ]);
  });

  test('that frees its mutex says so quietly and leaves by itself', () => {
    const watcher = new Watcher();
    watcher.see(alone(stuckOn('M')), now);
    const next = script({ ticket: 'next', name: 'Deploy api-eu / step 1', mutex: 'M', stuck: false, blocks: 0 });
    watcher.see(snapshot([next], [mutex('M', [next], now, 0)]), now + minutes(11));
    expect(watcher.shown[1]?.toast).toMatchObject({
      id: 't-M',
      title: '"M" is free again',
      body: '"Deploy api-eu / step 1" has started.',
      silent: true,
      leavesAfterMs: 5_000,
    });
  });

  test('that recovers, or frees its mutex within the 10 minutes, only takes its toast back', () => {
    const watcher = new Watcher();
    watcher.see(alone(stuckOn('M')), now);
    watcher.see(alone(stuckOn('M', { stuck: false })), now + minutes(5));
    expect([watcher.titles.length, watcher.withdrawn]).toEqual([1, ['t-M']]);
  });
});

test('no toast has a button that ends or releases something', () => {
  const watcher = new Watcher();
  for (const one of [stuckOn('A'), stuckOn('B', { condition: condition('cancel-ignored', 'kill') }), unkillable('C')])
    watcher.see(alone(one), now);
  for (let i = 0; i < 10; i++) watcher.see(alone(stuckOn(`D${i}`)), now + i);
  expect(new Set(watcher.shown.flatMap(({ toast }) => toast.buttons))).toEqual(new Set(['show', 'cancel']));
});

test('texts from scripts stay on one line and short', () => {
  const watcher = new Watcher();
  watcher.see(alone(stuckOn('M', { name: `a\nb\u202E${'x'.repeat(190)}` })), now);
  expect(watcher.shown[0]?.toast.body).not.toMatch(/[\n\u202E]/u);
  expect(watcher.shown[0]?.toast.body.length).toBeLessThan(200);
});

describe('notifications are quiet', () => {
  test('until the time to which a person paused them, and what is still stuck then is told then', () => {
    const until = now + minutes(60);
    const paused = pause(nothingTold, until);
    expect([pausedUntil(paused, now), pausedUntil(paused, until)]).toEqual([until, null]);
    expect(observe(paused, alone(script()), until - 1, usualWishes).effects).toEqual([]);
    expect(observe(paused, alone(script()), until, usualWishes).effects).toHaveLength(1);
    expect(observe(pause(paused, null), alone(script()), now, usualWishes).effects).toHaveLength(1);
  });

  test('for a minute after the machine woke up, which is no pause of theirs', () => {
    const woken = resumed(nothingTold, now);
    expect([observe(woken, alone(script()), now + 59_000, usualWishes).effects, pausedUntil(woken, now)]).toEqual([
      [],
      null,
    ]);
    expect(observe(woken, alone(script()), now + 61_000, usualWishes).effects).toHaveLength(1);
  });
});

/** The budget, checked over every window of the given length. */
function most(times: readonly number[], windowMs: number): number {
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + windowMs).length));
}

function expectWithinBudget(watcher: Watcher): void {
  expect(
    most(
      watcher.shown.map((one) => one.at),
      minutes(60),
    ),
  ).toBeLessThanOrEqual(6);
  const byMutex = Map.groupBy(
    watcher.shown.filter(({ toast }) => toast.ticket !== null),
    ({ toast }) => toast.ticket ?? '',
  );
  for (const times of byMutex.values())
    expect(
      most(
        times.map((one) => one.at),
        minutes(10),
      ),
    ).toBeLessThanOrEqual(1);
}

test(
  '200 flapping scripts over 8 hours stay within 6 toasts an hour and 1 per mutex in 10 minutes',
  { timeout: 30_000 },
  () => {
    const watcher = new Watcher();
    // A small deterministic generator: the run must be the same each time.
    let seed = 42;
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    const base = script(); // Checked once; 384,000 checks would only test zod.
    let snapshots = 0;
    for (let when = now; when < now + minutes(480); when += 30_000) {
      const scripts = Array.from({ length: 200 }, (_, i) => {
        const one = random();
        const state: ScriptView['state'] = one < 0.05 ? 'unkillable' : 'running';
        return {
          ...base,
          mutex: `M${i}`,
          ticket: `t${i}`,
          state,
          stuck: one < 0.5,
          blocks: one < 0.5 ? 1 + Math.floor(random() * 5) : 0,
          condition: condition(one < 0.15 ? 'cancel-ignored' : 'stuck', 'cancel'),
        } satisfies ScriptView;
      });
      const seen = {
        ...emptySnapshot,
        at: at(when),
        scripts,
        mutexes: scripts.map((one) => ({ ...freeMutex, name: one.mutex ?? '', holders: [holder(one)] })),
      };
      watcher.see(seen, when);
      snapshots++;
    }
    expect(snapshots).toBe(960);
    expectWithinBudget(watcher);
    // And it is not silent either: every hour has told something.
    expect(watcher.shown.length).toBeGreaterThanOrEqual(8 * 5);
  },
);

test('the budget holds for any history', { timeout: 30_000 }, () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: minutes(20) }),
    scripts: fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 0, max: 9 }),
        kind: fc.constantFrom('stuck', 'ignored', 'unkillable', 'fine', 'released'),
      }),
      {
        selector: (one) => one.id,
        maxLength: 10,
      },
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const watcher = new Watcher();
      let when = now;
      for (const { afterMs, scripts: seen } of steps) {
        when += afterMs;
        const scripts = seen
          .filter((one) => one.kind !== 'released')
          .map(({ id, kind }) =>
            stuckOn(`M${id}`, {
              ticket: `t${id}`,
              state: kind === 'unkillable' ? 'unkillable' : 'running',
              stuck: kind !== 'fine',
              condition: condition(kind === 'ignored' ? 'cancel-ignored' : 'stuck', 'cancel'),
            }),
          );
        watcher.see(
          {
            ...emptySnapshot,
            scripts,
            mutexes: seen.map(({ id }) => ({
              ...freeMutex,
              name: `M${id}`,
              holders: scripts.filter((s) => s.mutex === `M${id}`).map(holder),
            })),
          },
          when,
        );
      }
      expectWithinBudget(watcher);
    }),
    { numRuns: 200 },
  );
});

describe('the wishes of a person', () => {
  test('leave out stuck scripts when that is switched off', () => {
    const watcher = new Watcher();
    watcher.wishes = { ...usualWishes, stuck: false };
    for (const one of [stuckOn('A'), stuckOn('B', { condition: condition('cancel-ignored', 'kill') }), unkillable('C')])
      watcher.see(alone(one), now);
    expect(watcher.titles).toEqual([]);
  });

  test('tell of an orphan that has ended, once, and only on request', () => {
    const orphan = script({ ticket: 'o', state: 'final', verdict: 'abandoned', orphan: true, stuck: false, blocks: 0 });
    const gone = { ...orphan, orphan: false };
    for (const orphanExited of [false, true]) {
      const watcher = new Watcher();
      watcher.wishes = { ...usualWishes, orphanExited };
      for (const one of [orphan, orphan, gone, gone]) watcher.see(snapshot([one]), now);
      expect(watcher.titles).toEqual(orphanExited ? ['An abandoned script has ended'] : []);
    }
  });
});

test('the wishes are those of the settings, and the defaults before these were read', () => {
  expect(wishesOf(null)).toEqual(wishesOf(defaultSettings));
  expect(wishesOf({ ...defaultSettings, 'notifications.stuck': false })).toEqual({ ...usualWishes, stuck: false });
});

const emptySnapshot = snapshot();
const freeMutex = mutex('M', [], now - minutes(46));
function holder(one: ScriptView): Snapshot['mutexes'][number]['holders'][number] {
  return {
    ticket: one.ticket,
    name: one.name,
    pid: one.pid,
    level: 'full',
    since: one.createdAt,
    fence: 1,
    stuck: one.stuck,
  };
}
