/** What is said of an observed script, and with which restraint. */
import { describe, expect, test } from 'vitest';
import { judge, type JudgeFacts } from '../../app/agents/judge.ts';
import { type Memory, remember, type Watched } from '../../app/agents/memory.ts';
import type { ObservedScript } from '../../app/agents/observed-script.ts';
import { recognisers } from '../../app/agents/recognisers/index.ts';
import { onLinux } from './fixtures/linux.ts';
import { look } from './forest-of.ts';

const minute = 60_000;
const begin = Date.UTC(2026, 0, 15, 3, 0);
const seen = look(onLinux['tentacle']!).scripts[0]!;

/** Looked at every minute; its log grows and its processes work until then. */
function watched(script: ObservedScript, minutes: number, { grows = 0, works = 0 } = {}): Watched {
  let memory: Memory = new Map();
  for (let m = 0; m <= minutes; m += 1) {
    const file = { bytes: Math.min(m, grows), changedAt: begin, head: null };
    const members = script.members.map((row) => ({ ...row, cpuMs: Math.min(m, works) * 10_000 }));
    memory = remember(memory, [{ ...script, members, log: script.log && { ...script.log, file } }], begin + m * minute);
  }
  return memory.get(script.id)!;
}

const say = (of: Watched, minutes: number, changes: Partial<JudgeFacts> = {}) =>
  judge({
    now: begin + minutes * minute,
    watched: of,
    stage: { kind: 'none' },
    through: null,
    waiters: [],
    silentAfterMs: 10 * minute,
    ...changes,
  });

describe('an observed script', () => {
  test('that is silent and idle is stuck only when somebody was seen waiting for it', () => {
    const silent = watched(seen, 30);
    expect(say(silent, 30)).toMatchObject({ key: 'silent', severity: 'warning', stuck: false });
    expect(say(silent, 30, { waiters: ['ServerTasks-9'] })).toMatchObject({
      key: 'stuck',
      stuck: true,
      next: 'cancel',
      headline: 'Stuck: no output for 30 min. "ServerTasks-9" waits for it.',
    });
  });

  test('that works or writes is not stuck, whoever waits', () => {
    const waiters = ['ServerTasks-9'];
    expect(say(watched(seen, 30, { works: 30 }), 30, { waiters })).toMatchObject({ key: 'silent-busy', stuck: false });
    expect(say(watched(seen, 30, { grows: 30 }), 30, { waiters })).toMatchObject({ key: 'running', stuck: false });
  });

  test('without a log needs an idle processor and a waiter', () => {
    const blind = watched({ ...seen, log: null }, 30);
    expect(say(blind, 30)).toMatchObject({ key: 'running', stuck: false });
    expect(say(blind, 30, { waiters: ['apt-get (PID 7)'] })).toMatchObject({ key: 'stuck', stuck: true });
  });

  test.each(recognisers.filter((r) => r.mayBeQuiet === true).map((r) => [r.name, r] as const))(
    'of %s may be quiet for a day',
    (_name, recogniser) => {
      expect(say(watched({ ...seen, recogniser }, 1_440), 1_440)).toMatchObject({ key: 'running', stuck: false });
    },
  );

  test('that its agent has left behind is stuck at once', () => {
    const left = watched({ ...seen, leftBehind: 'No process of Octopus Tentacle waits for it any more.' }, 0);
    expect(say(left, 0)).toMatchObject({ key: 'left-behind', severity: 'critical', stuck: true, next: 'kill' });
  });

  test('that ignored Cancel is stuck only when somebody waits', () => {
    const stage = { kind: 'cancel-ignored', since: begin, left: 1, of: 2 } as const;
    expect(say(watched(seen, 1), 1, { stage })).toMatchObject({ severity: 'warning', stuck: false });
    expect(say(watched(seen, 1), 1, { stage, waiters: ['a'] })).toMatchObject({ severity: 'critical', stuck: true });
  });

  test('that runs through Unjam says under which ticket, however silent it is', () => {
    expect(say(watched(seen, 30), 30, { through: 't1', waiters: ['a'] })).toMatchObject({
      key: 'runs-through-unjam',
      stuck: false,
      headline: 'It runs through Unjam under ticket t1.',
    });
  });

  test('that has ended says so, and leaves the result to its agent', () => {
    const [gone] = [...remember(new Map([[seen.id, watched(seen, 2)]]), [], begin + 2 * minute).values()];
    expect(say(gone!, 2)).toMatchObject({ key: 'gone', severity: 'neutral', next: 'none' });
  });
});
