/** The engine of a fleet whose power is cut: what it has acknowledged is there when it is back. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../app/fleet/postgres.ts';
import { FleetStore } from '../../app/fleet/fleet-store.ts';
import { schema } from '../../app/fleet/schema.ts';
import { type LivenessProbe, Mutex } from '../../app/locks/index.ts';
import { waiter } from '../support/fake-domain.ts';
import { canCutPower, MainsPostgres } from '../support/power-cut.ts';

const everybodyLives: LivenessProbe = { liveness: () => 'alive', treeLiveness: () => 'alive' };

describe.runIf(canCutPower)('after a power cut in the middle of its work, the engine of a fleet', () => {
  let mains: MainsPostgres;
  beforeAll(async () => {
    mains = await MainsPostgres.open();
    await mains.postgres.sql(schema);
    await mains.postgres.sql('create role "web-1" login in role unjam_host');
    await mains.postgres.sql('select unjam.join_fleet($1, $2)', 'web-1', ['installation of web-1', '0.1.0']);
  });
  afterAll(() => mains[Symbol.asyncDispose]());

  /** Of each mutex the version that was acknowledged last, and the one that is there after the cut. */
  async function cutWhileWriting(round: string) {
    const { folder, port } = mains.postgres;
    const made = Array.from({ length: 4 }, (_, i) => {
      const engine = new Engine({ host: folder, port, database: 'postgres', user: 'web-1' }, 'torture');
      const store = new FleetStore(engine, `${round} ${i} (fleet)`, Date.now);
      return { engine, mutex: new Mutex(store, everybodyLives, 'web-1'), acknowledged: 0 };
    });
    const writers = made.map(async (one) => {
      try {
        for (let n = 0; ; n += 1) {
          const id = `${n}`;
          one.acknowledged = (await one.mutex.enqueue(waiter(id))).version;
          one.acknowledged = (await one.mutex.release(id, n + 1)).version;
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENGINE_AWAY' });
      }
    });
    while (made.some(({ acknowledged }) => acknowledged < 20)) await delay(1);
    await mains.cut();
    await Promise.all(writers);
    return Promise.all(
      made.map(async ({ engine, mutex, acknowledged }) => {
        const [row] = await engine.query<{ version: string }>('select version from unjam.mutex where key = $1', [mutex.key.replace(/^fleet:/, '')]); // prettier-ignore
        const refusal = await mutex.current().then(
          () => null,
          (error: { code?: unknown }) => error.code,
        );
        await engine.close();
        return { acknowledged, found: Number(row?.version ?? 0), refusal };
      }),
    );
  }

  test('knows every change that it had acknowledged', async () => {
    for (const { acknowledged, found, refusal } of await cutWhileWriting('kept')) {
      expect(found).toBeGreaterThanOrEqual(acknowledged);
      expect(refusal).toBeNull();
    }
  });

  test('has lost some with synchronous_commit off, and who has seen them changes nothing any more', async () => {
    await mains.postgres.sql('alter system set synchronous_commit = off');
    await mains.postgres.sql('select pg_reload_conf()');
    for (let round = 0; ; round += 1) {
      const all = await cutWhileWriting(`lost ${round}`);
      for (const { acknowledged, found, refusal } of all)
        expect(refusal).toBe(found < acknowledged ? 'fleet-went-back' : null);
      if (all.some(({ acknowledged, found }) => found < acknowledged)) break;
    }
  });
});
