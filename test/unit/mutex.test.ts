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
    expect(rules.deadlockWith(s, { level: 'full', ancestors: ['A'] })?.id).toBe('A');
    expect(rules.deadlockWith(s, { level: 'none', ancestors: ['x', 'A'] })?.id).toBe('A');
    expect(rules.deadlockWith(s, { level: 'full', ancestors: ['x'] })).toBeNull();
    expect(rules.deadlockWith(joined('a'), { level: 'none', ancestors: ['a'] })).toBeNull();
    expect(rules.deadlockWith(joined('a'), { level: 'full', ancestors: ['a'] })?.id).toBe('a');
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
