import { expect, test } from 'vitest';
import { type AlertScript, factsOf, type Look, orphanAfterMs, retryAfterMs } from '../../app/domain/alerts.ts';

const now = Date.parse('2026-11-20T12:00:00.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();
const script = (more: Partial<AlertScript> = {}): AlertScript => ({
  ticket: 't',
  name: 'Deploy web',
  mutex: 'web',
  state: 'running',
  verdict: null,
  stuck: false,
  orphan: false,
  createdAt: iso(now - 100_000),
  endedAt: null,
  condition: { headline: 'Silent for 12 min.' },
  ...more,
});
const look = (more: Partial<Look> = {}): Look => ({
  now,
  scripts: [],
  mutexes: [],
  waitMs: 1_800_000,
  before: { at: now - 5_000, living: 1 },
  isFirst: false,
  ...more,
});
const kinds = (more: Partial<Look>): string[] => factsOf(look(more)).map(({ kind }) => kind);

test('a script that runs, waits or has ended well is no fact', () => {
  const ended = script({ state: 'final', verdict: 'exited', endedAt: iso(now) });
  expect(kinds({ scripts: [script(), script({ state: 'queued' }), ended] })).toEqual([]);
});

test('a stuck script is one, and one that cannot be ended is two', () => {
  expect(kinds({ scripts: [script({ stuck: true })] })).toEqual(['stuck']);
  expect(kinds({ scripts: [script({ stuck: true, state: 'unkillable' })] })).toEqual(['stuck', 'unkillable']);
});

test('an abandoned script is one while something of it runs, and after an hour an orphan too', () => {
  const abandoned = (ago: number, orphan: boolean) =>
    script({ state: 'final', verdict: 'abandoned', orphan, endedAt: iso(now - ago) });
  expect(kinds({ scripts: [abandoned(60_000, true)] })).toEqual(['abandoned']);
  expect(kinds({ scripts: [abandoned(orphanAfterMs, true)] })).toEqual(['abandoned', 'orphan']);
  expect(kinds({ scripts: [abandoned(60_000, false)] })).toEqual([]);
});

test('one whose processes went at once is not missed', () => {
  const gone = script({ state: 'final', verdict: 'abandoned', endedAt: iso(now - 2_000) });
  expect(kinds({ scripts: [gone] })).toEqual(['abandoned']);
});

test('a mutex is one fact, however many wait too long, and names the first of them and who holds it', () => {
  const waiter = (ticket: string, minutes: number) => ({ ticket, name: ticket, since: iso(now - minutes * 60_000) });
  const mutex = { name: 'Web', holders: [{ ticket: 'h', name: 'Holder' }], waiters: [waiter('b', 31), waiter('a', 45), waiter('c', 3)] }; // prettier-ignore
  const [fact, ...rest] = factsOf(look({ mutexes: [mutex] }));
  expect(rest).toEqual([]);
  expect(fact).toMatchObject({ key: 'mutex-wait/web', kind: 'mutex-wait', ticket: 'a', mutex: 'Web' });
  expect(fact?.text).toBe(
    'a (a) has waited for mutex Web since 2026-11-20T11:15:00.000Z; held by Holder (h). Waiting: 3.',
  );
  expect(kinds({ mutexes: [{ ...mutex, waiters: [waiter('c', 29)] }] })).toEqual([]);
});

test('scripts were unwatched when the host before went for over two minutes while something lived', () => {
  const away = (ms: number, living: number, isFirst = true) => kinds({ before: { at: now - ms, living }, isFirst });
  expect(away(120_000, 1)).toEqual(['unwatched']);
  expect(away(119_000, 1)).toEqual([]);
  expect(away(3_600_000, 0)).toEqual([]);
  expect(away(3_600_000, 1, false)).toEqual([]); // the machine slept
});

test('the same ticket of a later script is another fact', () => {
  const key = (createdAt: string) => factsOf(look({ scripts: [script({ stuck: true, createdAt })] }))[0]?.key;
  expect(key(iso(now))).not.toBe(key(iso(now - 1)));
});

test('a delivery that fails is put off longer each time, up to an hour', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 100].map(retryAfterMs);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits.at(-1)).toBe(3_600_000);
});
