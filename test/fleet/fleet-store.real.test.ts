/** A mutex whose state is kept by a real PostgreSQL, under several hosts at once and connections that break. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { joinFleet, takeRestored } from '../../app/fleet/admin.ts';
import { type Fleet, joinedFleet } from '../../app/fleet/index.ts';
import { schema } from '../../app/fleet/schema.ts';
import { FleetStore } from '../../app/fleet/fleet-store.ts';
import { Engine } from '../../app/fleet/postgres.ts';
import { enqueue, newMutex, placeOf } from '../../app/domain/mutex.ts';
import { type LivenessProbe, Mutex } from '../../app/locks/index.ts';
import { lasting } from '../../app/run-directory/lasting.ts';
import { scope, waiter } from '../support/fake-domain.ts';
import { Postgres } from '../support/postgres.ts';

const nobodyLives: LivenessProbe = { liveness: () => 'dead', treeLiveness: () => 'dead' };
const everybodyLives: LivenessProbe = { liveness: () => 'alive', treeLiveness: () => 'alive' };
const hosts = ['web-1', 'web-2', 'web-3'];

let postgres: Postgres;
const engines = new Map<string, Engine>();

beforeAll(async () => {
  postgres = await Postgres.open();
  await postgres.sql(schema);
  for (const host of hosts) {
    await postgres.sql(`create role "${host}" login in role unjam_host`);
    await postgres.sql('select unjam.join_fleet($1, $2)', host, [`installation of ${host}`, '0.1.0']);
    engines.set(host, new Engine({ host: 'localhost', port: postgres.port, database: 'postgres', user: host }, 'test'));
  }
}, 120_000);

afterAll(async () => {
  for (const engine of engines.values()) await engine.close();
  await postgres[Symbol.asyncDispose]();
}, 120_000);

const storeOf = (host: string, name: string): FleetStore => new FleetStore(engines.get(host)!, name, Date.now);
const open = (host: string, name: string, probe = everybodyLives): Mutex => new Mutex(storeOf(host, name), probe, host);

describe('a mutex of a fleet', () => {
  test('is given to one after the other, in the order of the queue, whoever releases it and on whatever host', async () => {
    const order: string[] = [];
    let inside = 0;
    const fences: number[] = [];
    const one = async (host: string, id: string): Promise<void> => {
      const mutex = open(host, 'turns (fleet)');
      const granted = Promise.withResolvers<number>();
      const look = (): void => {
        const place = placeOf(mutex.read(), id);
        if (place.kind === 'holds') granted.resolve(place.hold.fence);
      };
      const stop = mutex.watch(look, id);
      await mutex.enqueue(waiter(id));
      look();
      const fence = await granted.promise;
      stop();
      inside += 1;
      expect(inside).toBe(1);
      order.push(id);
      fences.push(fence);
      expect(await mutex.confirm(id, fence, scope(7, id))).toBe(true);
      inside -= 1;
      await mutex.release(id, fence);
    };
    await Promise.all(Array.from({ length: 24 }, (_, i) => one(hosts[i % 3] ?? '', `script-${i}`)));
    expect(new Set(order).size).toBe(24);
    expect(fences).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
  });

  test('judges nobody of another host, though its processes look dead from here and its machine has the same name', async () => {
    const theirs = await open('web-1', 'judged (fleet)').enqueue(waiter('a'));
    expect(placeOf(theirs, 'a').kind).toBe('holds');
    const here = open('web-2', 'judged (fleet)', nobodyLives);
    await here.enqueue(waiter('b'));
    expect((await here.reap()).holders.map((h) => h.id)).toEqual(['a']);
    expect(here.read().queue).toEqual([]); // its own dead waiter goes
    const there = open('web-1', 'judged (fleet)', nobodyLives);
    await there.enqueue(waiter('c'));
    expect((await there.reap()).holders).toEqual([]);
  });

  test('is changed once, though the connection broke and nobody can say whether before or after', async () => {
    const mutex = open('web-1', 'broken (fleet)');
    await mutex.enqueue(waiter('a', 'none'));
    for (let i = 0; i < 20; i += 1) {
      const asked = lasting(() => mutex.enqueue(waiter(`b${i}`, 'none')));
      await postgres.sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'web-1'`);
      await asked;
    }
    const ids = (await mutex.enqueue(waiter('a', 'none'))).holders.map((h) => h.id);
    expect(ids).toEqual(['a', ...Array.from({ length: 20 }, (_, i) => `b${i}`)]);
  });

  test('is looked at once more when the engine listens: what was said before nobody has heard', async () => {
    const heard = Promise.withResolvers<string>();
    const stop = engines.get('web-1')!.listen('unjam_before', heard.resolve);
    expect(await heard.promise).toBe('');
    stop();
  });

  test('is refused once the engine knows less than it has told before', async () => {
    const mutex = open('web-1', 'restored (fleet)');
    await mutex.enqueue(waiter('a', 'none'));
    await mutex.enqueue(waiter('b', 'none'));
    const before = mutex.read();
    await postgres.sql(
      `alter table unjam.mutex disable trigger guard;
       update unjam.mutex set version = 1, state = jsonb_set(state, '{version}', '1') where key = 'restored (fleet)';
       alter table unjam.mutex enable trigger guard`,
    );
    await expect(mutex.release('b', 2)).rejects.toMatchObject({ code: 'fleet-went-back' });
    await postgres.sql(
      `alter table unjam.mutex disable trigger no_removal; delete from unjam.mutex where key = 'restored (fleet)';
       alter table unjam.mutex enable trigger no_removal`,
    );
    await expect(mutex.release('b', 2)).rejects.toMatchObject({ code: 'fleet-went-back' });
    expect(mutex.read()).toEqual(before);
  });

  test('answers what it saw last while the engine is away, and says how old that is', async () => {
    const store = storeOf('web-1', 'away (fleet)');
    const mutex = new Mutex(store, everybodyLives, 'web-1');
    await mutex.enqueue(waiter('a'));
    await postgres.stop('SIGQUIT');
    await expect(mutex.release('a', 1)).rejects.toMatchObject({ code: 'ENGINE_AWAY' });
    expect(placeOf(mutex.read(), 'a').kind).toBe('holds');
    expect(store.staleMs).toBeGreaterThan(0);
    await postgres.start();
    await lasting(() => mutex.release('a', 1));
    expect(mutex.read().holders).toEqual([]);
  });

  test('is seen by a host that looks, also when the change was under way at the look before', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unjam-look-'));
    await postgres.sql('create role "web-6" login in role unjam_host');
    await joinFleet(folder, { host: 'localhost', port: postgres.port, database: 'postgres', user: 'web-6' }, '0.1.0');
    const host = joinedFleet(folder, everybodyLives, 'test')!;
    const seen = (): string[] => host.busy().map(({ state }) => state.name);
    const change = new pg.Client({ host: postgres.folder, port: postgres.port, user: 'web-2', database: 'postgres' });
    try {
      await change.connect();
      await change.query('begin');
      const state = enqueue(newMutex('slow (fleet)', 'epoch'), { ...waiter('a'), host: 'web-2' }, 0);
      await change.query('insert into unjam.mutex (key, version, state) values ($1, 1, $2)', ['slow (fleet)', { ...state, version: 1 }]); // prettier-ignore
      host.attend();
      for (const name of ['first (fleet)', 'second (fleet)']) {
        await open('web-1', name).enqueue(waiter(name));
        await vi.waitFor(() => expect(seen()).toContain(name), { timeout: 20_000 });
      }
      expect(seen()).not.toContain('slow (fleet)');
      await change.query('commit');
      await vi.waitFor(() => expect(seen()).toContain('slow (fleet)'), { timeout: 20_000 });
    } finally {
      await change.end();
      await host[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('is changed by no process of a host whose engine was restored, until a person lets it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unjam-restored-'));
    const opened: Fleet[] = [];
    const fleetOf = (host: string): Fleet => {
      const fleet = joinedFleet(join(folder, host), everybodyLives, 'test')!;
      opened.push(fleet);
      return fleet;
    };
    const wentBack = { code: 'fleet-went-back' };
    try {
      for (const host of ['web-4', 'web-5']) {
        mkdirSync(join(folder, host));
        await postgres.sql(`create role "${host}" login in role unjam_host`);
        await joinFleet(join(folder, host), { host: 'localhost', port: postgres.port, database: 'postgres', user: host }, '0.1.0'); // prettier-ignore
      }
      const host = fleetOf('web-4');
      host.attend();
      await host.ready();
      const data = join(postgres.folder, 'data');
      await postgres.stop();
      execFileSync('cp', ['-a', data, `${data}.backup`]);
      await postgres.start();
      await host.ready();
      const runner = fleetOf('web-4');
      await runner.ready();
      await host.ready();
      await runner.open('backup (fleet)').enqueue(waiter('a'));
      await open('web-2', 'backup (fleet)').enqueue(waiter('b'));
      await host[Symbol.asyncDispose]();
      await postgres.stop();
      rmSync(data, { recursive: true });
      renameSync(`${data}.backup`, data);
      await postgres.start();

      const fresh = fleetOf('web-4');
      await expect(fresh.ready()).rejects.toMatchObject(wentBack);
      await expect(fresh.open('backup (fleet)').enqueue(waiter('c'))).rejects.toMatchObject(wentBack);
      await expect(runner.open('backup (fleet)').release('a', 1)).rejects.toMatchObject(wentBack);
      await postgres.sql(`update unjam.host set beat = 1000000 where id = 'web-4'`);
      const later = fleetOf('web-4');
      await expect(later.ready()).rejects.toMatchObject(wentBack);
      expect(later.problem).toContain('a backup was restored');

      await takeRestored(join(folder, 'web-4'), 'INC-4471');
      for (const fleet of [fresh, later, fleetOf('web-4'), fleetOf('web-5')]) await fleet.ready();
      const { holders } = await fresh.open('backup (fleet)').enqueue(waiter('c'));
      expect(holders.map((h) => [h.id, h.fence])).toEqual([['c', 1]]);
      expect((await runner.open('backup (fleet)').release('a', 1)).holders.map((h) => h.id)).toEqual(['c']);
      expect(await postgres.sql(`select who, host, reason from unjam.audit where what = 'restored'`)).toEqual([
        { who: 'web-4', host: 'web-4', reason: 'INC-4471' },
      ]);
    } finally {
      for (const fleet of opened) await fleet[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
