/**
 * Runners of one host that queue for one mutex, hold it for a moment and queue again. Prints each moment as
 * `queued|got|released MS`, the last before it is given back. `how` names the product or a peer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { placeOf } from '../../app/domain/mutex.ts';
import { Fleet } from '../../app/fleet/index.ts';
import { lasting } from '../../app/run-directory/lasting.ts';
import { scope, waiter } from '../support/fake-domain.ts';
import { everybodyLives, fleetConfig } from './fleet-engine.ts';
import { nowMs } from './processes-measure.ts';

const [, , home = '', host = '', count = '1', how = 'unjam', port = ''] = process.argv;
const say = (what: 'queued' | 'got' | 'released'): boolean => process.stdout.write(`${what} ${nowMs()}\n`);
const config = fleetConfig(host, Number(port));

interface Turn {
  readonly give: () => Promise<unknown>;
}

/** In the order in which a runner does it. */
async function unjam(i: number): Promise<() => Promise<Turn>> {
  const mutex = new Fleet(home, config, everybodyLives, `runner ${i}`, () => undefined).open('bench (fleet)');
  let turn = 0;
  return async () => {
    const id = `${host}-${i}-${(turn += 1)}`;
    await lasting(() => mutex.enqueue(waiter(id)));
    say('queued');
    const fence = await new Promise<number>((granted) => {
      const stop = mutex.watch(() => look(), id);
      const look = (): void => {
        const place = placeOf(mutex.read(), id);
        if (place.kind !== 'holds') return;
        stop();
        granted(place.hold.fence);
      };
      look();
    });
    say('got');
    await lasting(() => mutex.confirm(id, fence, scope(1, id)));
    return { give: () => lasting(() => mutex.release(id, fence)) };
  };
}

async function advisory(): Promise<() => Promise<Turn>> {
  const client = new pg.Client(config.engine);
  await client.connect();
  await client.query('listen bench');
  return async () => {
    const tries = async (): Promise<boolean> =>
      (await client.query<{ got: boolean }>('select pg_try_advisory_lock(1) as got')).rows[0]?.got === true;
    if (how === 'waits') {
      say('queued');
      await client.query('select pg_advisory_lock(1)');
    } else {
      let heard = Promise.withResolvers<void>();
      client.on('notification', () => heard.resolve());
      for (let isQueued = false; !(await tries()); isQueued = true) {
        if (!isQueued) say('queued');
        await (how === 'polls' ? delay(10 + Math.random() * 490) : heard.promise);
        heard = Promise.withResolvers();
      }
      client.removeAllListeners('notification');
    }
    say('got');
    return { give: () => client.query('select pg_advisory_unlock(1); notify bench') };
  };
}

await Promise.all(
  Array.from({ length: Number(count) }, async (_, i) => {
    const take = await (how === 'unjam' ? unjam(i) : advisory());
    for (;;) {
      const { give } = await take();
      await delay(30 + Math.random() * 30);
      say('released');
      await give();
      await delay(how === 'polls' ? 500 : 10); // who polls would take it again before the other has looked
    }
  }),
);
