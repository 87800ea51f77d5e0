/** What an error of the engine or of the way to it means to who asked. */
import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { Engine } from '../../app/fleet/postgres.ts';

afterEach(() => vi.restoreAllMocks());

/** Of their many forms those that the engine's connection uses. */
const client = pg.Client.prototype as unknown as { connect: () => Promise<void>; query: () => Promise<never> };
const ofNode = (code: string): Error => Object.assign(new Error(`write ${code}`), { code });
const ofEngine = (code: string): Error => Object.assign(new pg.DatabaseError('no', 2, 'error'), { code });

test.each([
  ['a connection that broke while something was written', ofNode('EPIPE'), 'ENGINE_AWAY'],
  ['a connection that was reset', ofNode('ECONNRESET'), 'ENGINE_AWAY'],
  ['a connection that ended', new Error('Connection terminated unexpectedly'), 'ENGINE_AWAY'],
  ['an engine that stops', ofEngine('57P01'), 'ENGINE_AWAY'],
  ['an engine that is full', ofEngine('53100'), 'ENGINE_AWAY'],
  ['a missing right', ofEngine('42501'), 'fleet-refused'],
  ['a refusal of the guard', ofEngine('UJ002'), 'fleet-refused'],
  ['a retired host', ofEngine('UJ001'), 'fleet-retired'],
])('%s is told apart', async (_what, error, code) => {
  vi.spyOn(client, 'connect').mockResolvedValue();
  vi.spyOn(client, 'query').mockRejectedValue(error);
  const engine = new Engine({ host: 'localhost', port: 1, database: 'unjam', user: 'web-1' }, 'test');
  await expect(engine.query('select 1')).rejects.toMatchObject({ code });
  await engine.close();
});
