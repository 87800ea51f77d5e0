/** The order of a mutex by example; the properties hold it for every sequence. */
import { describe, expect, test } from 'vitest';
import * as rules from '../../app/domain/mutex.ts';
import type { MutexState } from '../../app/domain/mutex.ts';
import { at0312, kim, scope, waiter } from '../support/fake-domain.ts';

/** `a` and `b` in a row are shared, `A` is exclusive: each joins the queue in this order. */
const joined = (names: string): MutexState =>
  [...names].reduce(
    (s, id) => rules.enqueue(s, waiter(id, id === id.toUpperCase() ? 'full' : 'none'), at0312),
    rules.newMutex('RunningScript', 'epoch-1'),
  );
const who = (s: MutexState): string => `${s.holders.map((h) => h.id).join('')}|${s.queue.map((w) => w.id).join('')}`;
const release = (s: MutexState, id: string): MutexState =>
  rules.release(s, id, s.holders.find((h) => h.id === id)?.fence ?? -1, at0312);
const abandon = (s: MutexState, id: string, holdQueue = false): MutexState =>
  rules.abandon(s, id, { at: at0312, by: kim, reason: null, holdQueue });

describe('a mutex', () => {
  test.each([
    ['A', 'A|'],
    ['AB', 'A|B'],
    ['ab', 'ab|'],
    ['aB', 'a|B'],
    ['aBc', 'a|Bc'],
    ['AbcD', 'A|bcD'],
  ])('that %j ask for is held and queued as %j', (names, state) => {
    expect(who(joined(names))).toBe(state);
  });

  test.each([
    ['A', ['A'], 1, true],
    ['A', ['A.cleanup', 'A'], 1, true],
    ['A', ['A'], 2, false],
    ['AB', ['B'], 1, false],
    ['ab', ['b'], 2, true],
    ['ab', ['b'], 1, false],
  ])('that %j ask for is held by %j with fence %i: %s', (names, runs, fence, held) => {
    expect(rules.holdsStill(joined(names), runs, fence)).toBe(held);
    expect(rules.holdsStill(abandon(joined(names), runs.at(-1) ?? ''), runs, fence)).toBe(false);
  });

  test('grants adjacent shared waiters together, and stops at the next exclusive one', () => {
    expect(who(release(joined('AbcDe'), 'A'))).toBe('bc|De');
  });

  test('grants an exclusive waiter only when the last shared holder has gone', () => {
    const one = release(joined('abC'), 'a');
    expect(who(one)).toBe('b|C');
    expect(who(release(one, 'b'))).toBe('C|');
  });

  test('lets the shared waiters in when the exclusive one before them gives up', () => {
    expect(who(rules.leave(joined('aBc'), 'B', at0312))).toBe('ac|');
  });

  test('lets them in as well when it dies', () => {
    expect(who(rules.reap(joined('aBc'), (e) => e.id === 'B', at0312))).toBe('ac|');
  });

  test('that is abandoned goes to the next in line in the same step, and the orphan stays known', () => {
    const s = abandon(joined('AB'), 'A');
    expect(who(s)).toBe('B|');
    expect(s.abandoned.map((a) => [a.id, a.by, a.abandonedAt])).toEqual([['A', kim, at0312]]);
    expect(who(release(s, 'A'))).toBe('B|');
    expect(rules.orphanEnded(s, 'A').abandoned).toEqual([]);
  });

  test('whose queue is held waits for the operator, and then goes on in order', () => {
    const held = abandon(joined('ABc'), 'A', true);
    expect(who(held)).toBe('|Bc');
    expect(who(rules.enqueue(held, waiter('D'), at0312))).toBe('|BcD');
    expect(who(rules.resume(held, at0312))).toBe('B|c');
  });

  test('hands a fence out with every grant, each higher than all before', () => {
    const s = release(joined('Abc'), 'A');
    expect(s.holders.map((h) => h.fence)).toEqual([2, 3]);
    expect(rules.confirm(s, 'b', 1, scope(7))).toBe(s);
    expect(rules.confirm(s, 'b', 2, scope(7)).holders[0]?.scope).toEqual(scope(7));
  });

  test('recognises a script that would wait for the one that started it', () => {
    const s = joined('A');
    expect(rules.deadlockWith(s, { id: 'x', level: 'full', ancestors: ['A'] })?.id).toBe('A');
    expect(rules.deadlockWith(s, { id: 'x', level: 'none', ancestors: ['x', 'A'] })?.id).toBe('A');
    expect(rules.deadlockWith(s, { id: 'x', level: 'full', ancestors: ['x'] })).toBeNull();
    expect(rules.deadlockWith(joined('a'), { id: 'x', level: 'none', ancestors: ['a'] })).toBeNull();
    expect(rules.deadlockWith(joined('a'), { id: 'x', level: 'full', ancestors: ['a'] })?.id).toBe('a');
    // Shared under shared, but behind an exclusive one that waits for the first.
    expect(rules.deadlockWith(joined('aBc'), { id: 'c', level: 'none', ancestors: ['a'] })?.id).toBe('a');
    expect(rules.deadlockWith(joined('acB'), { id: 'c', level: 'none', ancestors: ['a'] })).toBeNull();
  });

  test('tells each script its place', () => {
    const s = abandon(joined('ABc'), 'A');
    expect(rules.placeOf(s, 'A').kind).toBe('abandoned');
    expect(rules.placeOf(s, 'B').kind).toBe('holds');
    expect(rules.placeOf(s, 'c')).toMatchObject({ kind: 'waits', position: 1, of: 1 });
    expect(rules.placeOf(s, 'z').kind).toBe('absent');
  });

  test('is idle when nobody holds, waits or haunts it and nobody has paused it', () => {
    expect(rules.idle(joined(''))).toBe(true);
    expect(rules.idle(joined('a'))).toBe(false);
    expect(rules.idle(abandon(joined('A'), 'A'))).toBe(false);
    expect(rules.idle(rules.pause(joined(''), kim, at0312))).toBe(false);
  });
});

describe('a script that asks to run under the hold of the one that started it', () => {
  const started = (names: string): MutexState =>
    joined(names).holders.reduce((s, h) => rules.confirm(s, h.id, h.fence, scope(7)), joined(names));
  const inherit = (s: MutexState, id: string, ...ancestors: string[]): MutexState =>
    rules.enqueue(s, waiter(id, id === id.toUpperCase() ? 'full' : 'none', { inherit: true, ancestors }), at0312);

  test('holds the mutex with it at once, under its fence, past the queue', () => {
    const s = inherit(started('AB'), 'X', 'A');
    expect(who(s)).toBe('AX|B');
    expect(s.holders[1]).toMatchObject({ fence: 1, under: 'A', scope: null });
    expect(s.fence).toBe(1);
    expect(rules.jointHolder(s, { id: 'A', fence: 1 })?.id).toBe('X');
  });

  test('joins the innermost hold of those that started it', () => {
    const s = inherit(inherit(started('A'), 'X', 'A'), 'y', 'A', 'X');
    expect(s.holders[2]?.under).toBe('A'); // X has not started yet
    const after = rules.confirm(inherit(started('A'), 'X', 'A'), 'X', 1, scope(8));
    expect(inherit(after, 'y', 'A', 'X').holders[2]).toMatchObject({ under: 'X', fence: 1 });
  });

  test.each([
    ['nobody that started it holds the mutex', started('A'), 'X', ['other']],
    ['that one waits itself', started('AB'), 'X', ['B']],
    ['that one has not started yet', joined('A'), 'X', ['A']],
    ['that one shares the mutex and it wants it alone', started('a'), 'X', ['a']],
    ['that one was abandoned', abandon(started('A'), 'A'), 'X', ['A']],
    ['it was started from nobody', started('A'), 'X', []],
  ] as const)('is refused when %s', (_why, s, id, ancestors) => {
    expect(inherit(s, id, ...ancestors)).toBe(s);
  });

  test.each([
    ['exits', (s: MutexState) => release(s, 'A'), 'X|Bc'],
    ['is abandoned', (s: MutexState) => abandon(s, 'A'), 'X|Bc'],
    ['dies', (s: MutexState) => rules.reap(s, (e) => e.id === 'A', at0312), 'X|Bc'],
  ])('keeps the mutex when the one that started it %s; the queue goes on when both have ended', (_how, end, left) => {
    const s = end(inherit(started('ABc'), 'X', 'A'));
    expect(who(s)).toBe(left);
    expect(who(release(s, 'X'))).toBe('B|c');
  });

  test('releases nothing but its own part when it ends first', () => {
    expect(who(release(inherit(started('AB'), 'X', 'A'), 'X'))).toBe('A|B');
  });

  test('with shared isolation lets shared waiters in when the exclusive one that started it has ended', () => {
    expect(who(release(inherit(started('AbC'), 'x', 'A'), 'A'))).toBe('xb|C');
  });

  test('is abandoned on its own: the mutex stays with the one that started it', () => {
    const s = abandon(inherit(started('AB'), 'X', 'A'), 'X');
    expect(who(s)).toBe('A|B');
    expect(s.abandoned.map((a) => a.id)).toEqual(['X']);
  });
});
