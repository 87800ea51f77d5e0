/** Loops over several mutexes, by example. */
import { expect, test } from 'vitest';
import { deadlocks } from '../../app/domain/deadlock.ts';
import * as rules from '../../app/domain/mutex.ts';
import { at0312, waiter } from '../support/fake-domain.ts';

/** `{ A: 'x y<z' }`: x holds A; y, started by z, waits for it. */
function mutexes(of: Readonly<Record<string, string>>): rules.MutexState[] {
  return Object.entries(of).map(([name, ids]) =>
    ids.split(' ').reduce(
      (state, one) => {
        const [id = '', by] = one.split('<');
        return rules.enqueue(state, waiter(id, 'full', { ancestors: by === undefined ? [] : [by] }), at0312);
      },
      rules.newMutex(name, 'epoch-1'),
    ),
  );
}

test('two holders whose children wait for the other mutex are a loop, said of both mutexes in the same words', () => {
  const said = deadlocks(mutexes({ A: 'x q<y', B: 'y p<x' }));
  expect([...said.keys()].sort()).toEqual(['A', 'B']);
  expect(said.get('A')).toEqual(said.get('B'));
  expect(said.get('A')).toHaveLength(1);
  expect([...said.values()][0]?.[0]).toMatchInlineSnapshot(
    `""Deploy y" holds "B" and has started "Deploy q", which waits for "A". "Deploy x" holds "A" and has started "Deploy p", which waits for "B". If each waits for what it has started, they wait for each other forever. Ending any one of them resolves it."`,
  );
});

test('a loop may go over three mutexes; who only waits for one that is in it is not part of it', () => {
  const said = deadlocks(mutexes({ A: 'x r<z s<w', B: 'y p<x', C: 'z q<y', D: 'w' }));
  expect([...said.keys()].sort()).toEqual(['A', 'B', 'C']);
});

test('who waits for what somebody else has started is no loop, nor is a queue', () => {
  expect(deadlocks(mutexes({ A: 'x', B: 'y p<x' })).size).toBe(0);
  expect(deadlocks(mutexes({ A: 'x a b', B: 'y p<x' })).size).toBe(0);
  expect(deadlocks(mutexes({ A: 'x p<x', B: 'y' })).size).toBe(0);
});
