/** Fleet mutexes through death and frost of processes, broken wires, a killed engine and abandons; and who judges it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MutexState } from '../../app/domain/mutex.ts';
import { Engine } from '../../app/fleet/postgres.ts';
import { Mutex, type Store } from '../../app/locks/index.ts';
import { identity } from '../support/fake-domain.ts';
import type { Postgres } from '../support/postgres.ts';
import { Dice } from './dice.ts';
import { fleetChaos, openEngine, socketOf } from './fleet-chaos.ts';
import { planOf } from './fleet-plan.ts';
import { AdvisoryStore, BlindEngine, BlindStore } from './fleet-wrong-stores.ts';
import { judge } from './locks-oracle.ts';
import { turn, watchAndWait } from './locks-turn.ts';
import { Wire } from './wire.ts';

const often = {
  killEveryMs: 1_200,
  freezeEveryMs: 700,
  abandonEveryMs: 500,
  wireEveryMs: 600,
  engineEveryMs: 2_500,
  longestMs: 2_000,
};

describe.runIf(process.platform === 'linux')('two hosts of a fleet, each behind a wire to one engine', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await openEngine();
  });
  afterAll(() => postgres[Symbol.asyncDispose]());

  test('keep exclusion, order and every waiter through SIGKILL, SIGSTOP, broken wires, a killed engine and abandons', async () => {
    const seed = Date.now() % 2 ** 31;
    const c = await fleetChaos(postgres, { ...often, seed, seconds: 6, perHost: 2, mutexes: 2, drainMs: 60_000 });
    const { grants, troubles, details, violations, lostWaiters, orderErrors, crashes } = c;
    console.log(`seed ${seed}: ${grants} grants, ${JSON.stringify(troubles)}`);
    expect({ seed, details, violations, lostWaiters, orderErrors, crashes }).toEqual({ seed, details: [], violations: 0, lostWaiters: 0, orderErrors: 0, crashes: 0 }); // prettier-ignore
    expect(grants).toBeGreaterThan(10);
  });

  describe('are caught by the oracle', () => {
    beforeAll(async () => {
      await postgres.sql(`alter table unjam.mutex disable trigger guard; create sequence advisory_fence;
        create role wrong login in role unjam_host; grant usage on sequence advisory_fence to wrong`);
      await postgres.sql('select unjam.join_fleet($1, $2)', 'wrong', ['installation of wrong', '0.1.0']);
    });

    /** Whether a fault shows at once is chance: they go on until it does. */
    async function caught(openStore: (port: number) => [Engine, Store<MutexState>], trouble?: (wire: Wire) => void) {
      await using wire = await Wire.to(socketOf(postgres));
      await using stack = new AsyncDisposableStack();
      const log: string[] = [];
      let isOver = false;
      const players = Array.from({ length: 6 }, async (_, i) => {
        const [engine, store] = openStore(wire.port);
        stack.defer(() => engine.close());
        const mutex = new Mutex(store, { liveness: () => 'alive', treeLiveness: () => 'alive' }, 'wrong');
        while (!isOver)
          await turn(mutex, 'm', randomUUID(), {
            self: identity(i),
            dice: new Dice(Math.random() * 2 ** 32),
            patienceMs: 300,
            always: true,
            holdMs: 300,
            say: (...words) => log.push(words.join(' ')),
            wait: (m, waiter, patienceMs) => watchAndWait(m, waiter, patienceMs, 1_000),
          });
      });
      const isCaught = (): boolean => judge(log.join('\n')).violations > 0 || log.some((line) => line.startsWith('G '));
      while (!isCaught()) {
        await delay(100);
        trouble?.(wire);
      }
      isOver = true;
      await Promise.all(players);
      const { violations, lostWaiters } = judge(log.join('\n'));
      return { violations, lostWaiters };
    }
    const addressOf = (port: number) => ({ host: '127.0.0.1', port, database: 'postgres', user: 'wrong' });

    test('when their store does not check the version that it writes over', async () => {
      const { violations, lostWaiters } = await caught((port) => {
        const engine = new BlindEngine(addressOf(port), 'torture');
        return [engine, new BlindStore(engine, 'blind (fleet)', Date.now)];
      });
      expect(violations + lostWaiters).toBeGreaterThan(0);
    });

    test('when their store is a session advisory lock, which a broken wire gives away', async () => {
      const { violations } = await caught(
        (port) => {
          const engine = new Engine(addressOf(port), 'torture');
          return [engine, new AdvisoryStore(engine)];
        },
        (wire) => wire.reset(),
      );
      expect(violations).toBeGreaterThan(0);
    });
  });
});

test('a seed decides all that goes wrong in a fleet', () => {
  const plan = planOf(7, 60, 6, 2, often);
  expect(planOf(7, 60, 6, 2, often)).toEqual(plan);
  expect(planOf(8, 60, 6, 2, often)).not.toEqual(plan);
  const kinds = new Set(plan.map(({ what }) => what));
  expect(kinds).toEqual(new Set(['kill', 'freeze', 'abandon', 'reset', 'cut', 'stall', 'engine']));
});
