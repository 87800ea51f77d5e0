/** The guard of a fleet's engine: it takes all that the rules make, and refuses all else that a client could send. */
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../app/fleet/schema.ts';
import * as rules from '../../app/domain/mutex.ts';
import { type Hold, type MutexState, newMutex, placeOf, type Waiter } from '../../app/domain/mutex.ts';
import { at0312, kim, scope, waiter } from '../support/fake-domain.ts';
import { Postgres } from '../support/postgres.ts';

type Role = 'web-1' | 'web-2' | 'oncall';
const ids = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
/** Whose scripts they are. */
const hostOf = (id: string): 'web-1' | 'web-2' => ('abc'.includes(id) ? 'web-1' : 'web-2');

let postgres: Postgres;
let client: pg.Client;

beforeAll(async () => {
  postgres = await Postgres.open();
  await postgres.sql(schema);
  await postgres.sql(
    `create role "web-1" login in role unjam_host; create role "web-2" login in role unjam_host;
     create role "gone" login in role unjam_host; create role oncall login in role unjam_operator;
     create role stranger login;`,
  );
  for (const host of ['web-1', 'web-2', 'gone'])
    await postgres.sql('select unjam.join_fleet($1, $2)', host, [`installation of ${host}`, '0.1.0']);
  await postgres.sql(`update unjam.host set retired_at = now() where id = 'gone'`);
  client = new pg.Client({ host: '127.0.0.1', port: postgres.port, user: 'postgres', database: 'postgres' });
  await client.connect();
}, 120_000);

afterAll(async () => {
  await client.end();
  await postgres[Symbol.asyncDispose]();
}, 120_000);

/** Null when the engine took it, else what it said. */
async function put(key: string, state: MutexState, by: string): Promise<string | null> {
  await client.query(`set session authorization "${by}"`);
  try {
    const { rowCount } = await client.query(
      state.version === 1
        ? 'insert into unjam.mutex (key, version, state) values ($1, $2, $3)'
        : 'update unjam.mutex set version = $2, state = $3 where key = $1',
      [key, state.version, JSON.stringify(state)],
    );
    return rowCount === 1 ? null : 'no row';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.query('reset session authorization');
  }
}

const id = fc.constantFrom(...ids);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('enqueue' as const), id, level: fc.constantFrom('full' as const, 'none' as const) }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ do: fc.constant('inherit' as const), id, from: id }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'confirm' as const, 'release' as const, 'ended' as const), id }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abandon' as const), id, holdQueue: fc.boolean(), operator: fc.boolean() }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reap' as const), host: fc.constantFrom('web-1' as const, 'web-2' as const), dead: fc.uniqueArray(id) }) }, // prettier-ignore
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const own = (x: string, level: 'full' | 'none', changes: Partial<Waiter> = {}): Waiter =>
  waiter(x, level, { host: hostOf(x), ...changes });
const fenceOf = (s: MutexState, x: string): number => {
  const place = placeOf(s, x);
  return place.kind === 'holds' ? place.hold.fence : -1;
};

/** What the rules make of it, and who asks for it. */
function apply(s: MutexState, x: Step, at: number): { readonly next: MutexState; readonly by: Role } {
  switch (x.do) {
    case 'enqueue':
      return { next: rules.enqueue(s, own(x.id, x.level), at), by: hostOf(x.id) };
    case 'inherit': {
      const changes = { inherit: true as const, ancestors: hostOf(x.from) === hostOf(x.id) ? [x.from] : [] };
      return { next: rules.enqueue(s, own(x.id, 'none', changes), at), by: hostOf(x.id) };
    }
    case 'leave':
      return { next: rules.leave(s, x.id, at), by: hostOf(x.id) };
    case 'confirm':
      return { next: rules.confirm(s, x.id, fenceOf(s, x.id), scope(77, x.id)), by: hostOf(x.id) };
    case 'release':
      return { next: rules.release(s, x.id, fenceOf(s, x.id), at), by: hostOf(x.id) };
    case 'ended':
      return { next: rules.orphanEnded(s, x.id), by: hostOf(x.id) };
    case 'abandon': {
      const by = x.operator || x.holdQueue ? 'oncall' : hostOf(x.id);
      return { next: rules.abandon(s, x.id, { at, by: kim, reason: 'INC-4471', holdQueue: x.holdQueue }), by };
    }
    case 'pause':
      return { next: rules.pause(s, kim, at), by: 'oncall' };
    case 'resume':
      return { next: rules.resume(s, at), by: 'oncall' };
    case 'reap':
      return { next: rules.reap(s, (e) => e.host === x.host && x.dead.includes(e.id as never), at), by: x.host };
  }
}

let mutexes = 0;
const fresh = (): { key: string; state: MutexState } => {
  mutexes += 1;
  return { key: `m${mutexes}`, state: newMutex(`m${mutexes}`, `epoch-${mutexes}`) };
};

describe('the guard', () => {
  test('takes every change that the rules make, by whom it belongs to', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (all) => {
        const { key, state } = fresh();
        let now = state;
        for (const [i, x] of all.entries()) {
          const { next, by } = apply(now, x, at0312 + i);
          if (next === now || (now.version === 0 && by === 'oncall')) continue;
          const committed = { ...next, version: now.version + 1 };
          expect(await put(key, committed, by), JSON.stringify({ x, now, committed })).toBeNull();
          now = committed;
        }
      }),
      { numRuns: 60 },
    );
  });

  /** web-1's "a" holds exclusively; "e" of web-2, "b" of web-1 and "f" of web-2 wait. */
  async function busy(): Promise<{ key: string; state: MutexState }> {
    const { key, state } = fresh();
    let now = state;
    for (const x of ['a', 'e', 'b', 'f']) {
      now = { ...rules.enqueue(now, own(x, 'full'), at0312), version: now.version + 1 };
      expect(await put(key, now, hostOf(x))).toBeNull();
    }
    return { key, state: now };
  }

  type Change = (s: MutexState) => Partial<MutexState>;
  const grantTo = (w: Waiter, fence: number): Hold => ({ ...w, fence, grantedAt: at0312, scope: null });
  test.each<[string, Role, Change, string]>([
    [
      'releases another host’s script',
      'web-2',
      (s) => ({ holders: [grantTo(s.queue[0]!, 2)], queue: s.queue.slice(1), fence: 2 }),
      'a change of "a"',
    ],
    [
      'abandons another host’s script',
      'web-2',
      (s) => ({
        ...rules.abandon(s, 'a', { at: at0312, by: kim, reason: null, holdQueue: false }),
        version: s.version + 1,
      }),
      'a change of "a"',
    ],
    ['alters another host’s hold', 'web-2', (s) => ({ holders: [{ ...s.holders[0]!, name: 'x' }] }), 'a change of "a"'],
    [
      'takes another host’s script out of the queue',
      'web-1',
      (s) => ({ queue: s.queue.filter((w) => w.id !== 'e') }),
      'a change of "e"',
    ],
    ['overtakes', 'web-1', (s) => ({ queue: [s.queue[1]!, s.queue[0]!, s.queue[2]!] }), 'a place before'],
    ['puts a new one in front', 'web-1', (s) => ({ queue: [own('c', 'full'), ...s.queue] }), 'a place before'],
    [
      'takes the turn of the first in line',
      'web-1',
      (s) => ({ holders: [grantTo(s.queue[1]!, 2)], queue: [s.queue[0]!, s.queue[2]!], fence: 2 }),
      'a place before',
    ],
    [
      'holds beside an exclusive hold',
      'web-2',
      (s) => ({ holders: [...s.holders, grantTo(s.queue[0]!, 2)], queue: s.queue.slice(1), fence: 2 }),
      'two holders',
    ],
    ['leaves a first in line waiting', 'web-1', () => ({ holders: [] }), 'left waiting'],
    [
      'gives a fence twice',
      'web-1',
      (s) => ({ holders: [grantTo(s.queue[0]!, 1)], queue: s.queue.slice(1), fence: 1 }),
      'a fence',
    ],
    [
      'leaves out a fence',
      'web-1',
      (s) => ({ holders: [grantTo(s.queue[0]!, 3)], queue: s.queue.slice(1), fence: 3 }),
      'a fence',
    ],
    ['counts fences without a grant', 'web-1', () => ({ fence: 9 }), 'a fence that does not count'],
    ['writes in another’s name', 'web-1', (s) => ({ queue: [...s.queue, own('d', 'full')] }), 'in the name of "web-2"'],
    ['writes in nobody’s name', 'web-1', (s) => ({ queue: [...s.queue, waiter('c')] }), 'a state that is none'],
    ['pauses', 'web-1', () => ({ paused: { by: kim, at: at0312 } }), 'neither pauses nor resumes'],
    ['changes the epoch', 'web-1', () => ({ epoch: 'another' }), 'a changed epoch'],
    ['changes the name', 'web-1', () => ({ name: 'another' }), 'a changed name'],
    ['leaves out a version', 'web-1', (s) => ({ version: s.version + 2 }), 'a version that is not the next'],
    [
      'changes its own hold to shared',
      'web-1',
      (s) => ({ holders: [{ ...s.holders[0]!, level: 'none' }] }),
      'another request under the id',
    ],
    [
      'gives its own hold another fence',
      'web-1',
      (s) => ({ holders: [{ ...s.holders[0]!, fence: 7 }] }),
      'another fence',
    ],
    [
      'moves a hold back into the queue',
      'web-1',
      (s) => ({ holders: [], queue: [...s.queue, own('a', 'full')] }),
      'another fence',
    ],
    ['is there twice', 'web-1', (s) => ({ queue: [...s.queue, s.queue[1]!] }), 'there twice'],
    [
      'invents an orphan',
      'web-1',
      () => ({ abandoned: [{ ...grantTo(own('c', 'full'), 1), abandonedAt: 1, by: kim, reason: null }] }),
      'never held',
    ],
    [
      'holds under a hold that is not its own',
      'web-2',
      (s) => ({ holders: [...s.holders, { ...grantTo(own('d', 'full'), 1), under: 'a' }] }),
      'under one that is not there',
    ],
    ['sends no list of holders', 'web-1', () => ({ holders: null as never }), 'a state that is none'],
    ['sends no pause', 'web-1', () => ({ paused: undefined as never }), 'a state that is none'],
    [
      'puts its script in, as an operator',
      'oncall',
      (s) => ({ queue: [...s.queue, own('c', 'full')] }),
      'in an operator',
    ],
    [
      'releases, as an operator',
      'oncall',
      (s) => ({ holders: [grantTo(s.queue[0]!, 2)], queue: s.queue.slice(1), fence: 2 }),
      'may abandon and take out',
    ],
  ])('refuses a client that %s', async (_what, by, change, why) => {
    // prettier-ignore
    const { key, state } = await busy();
    const said = await put(key, { ...state, version: state.version + 1, ...change(state) }, by);
    expect(said).toContain(why);
    const [row] = (await client.query('select version from unjam.mutex where key = $1', [key])).rows as { version: string }[]; // prettier-ignore
    expect(Number(row?.version)).toBe(state.version);
  });

  test('takes no hold because it says of itself that it was there before', async () => {
    const { key, state } = fresh();
    const held = { ...rules.enqueue(state, own('a', 'full'), at0312), version: 1 };
    expect(await put(key, held, 'web-1')).toBeNull();
    const putBack = (fence: number): Hold => ({ ...grantTo(own('d', 'full'), fence), restored: true });
    const beside = (fence: number): MutexState => ({ ...held, version: 2, fence, holders: [...held.holders, putBack(fence)] });
    expect(await put(key, beside(1), 'web-2')).toContain('a fence that is not the next');
    expect(await put(key, beside(2), 'web-2')).toContain('two holders');
    const paused = rules.abandon(held, 'a', { at: at0312, by: kim, reason: null, holdQueue: true });
    expect(await put(key, { ...paused, version: 2 }, 'oncall')).toBeNull();
    const into = { ...paused, version: 3, fence: 2, holders: [putBack(2)] };
    expect(await put(key, into, 'web-2')).toContain('while the mutex is paused');
    expect(await put(fresh().key, { ...held, fence: 7, holders: [{ ...held.holders[0]!, fence: 7, restored: true }] }, 'web-1')).toContain('a fence');
  }); // prettier-ignore

  test.each([
    ['a retired host', 'gone', 'retired'],
    ['a stranger', 'stranger', 'permission denied'],
  ])('lets %s change nothing', async (_who, by, why) => {
    const { key, state } = await busy();
    expect(await put(key, { ...state, version: state.version + 1 }, by)).toContain(why);
  });

  test('keeps an account of each abandon and pause, which nobody changes', async () => {
    const { key, state } = await busy();
    const abandoned = rules.abandon(state, 'a', { at: at0312, by: kim, reason: 'INC-4471', holdQueue: true });
    expect(await put(key, { ...abandoned, version: state.version + 1 }, 'oncall')).toBeNull();
    const rows = await postgres.sql('select who, host, ticket, what, reason from unjam.audit where mutex = $1', 'oncall', [state.name]); // prettier-ignore
    expect(rows).toEqual([
      { who: 'oncall', host: 'web-1', ticket: 'ticket-a', what: 'abandoned', reason: 'INC-4471' },
      { who: 'oncall', host: null, ticket: null, what: 'paused', reason: null },
    ]);
    for (const text of [
      'delete from unjam.audit',
      `update unjam.audit set who = 'x'`,
      'truncate unjam.audit',
      'delete from unjam.mutex',
    ])
      // prettier-ignore
      await expect(postgres.sql(text)).rejects.toThrow(/audit of a fleet is not changed|is not removed/);
  });

  test('knows a second installation of one name, and names the first', async () => {
    await expect(postgres.sql('select unjam.join_fleet($1, $2)', 'web-1', ['a clone', '0.1.0'])).rejects.toThrow(
      '"web-1" is the name of another installation (installation of web-1)',
    );
  });
});
