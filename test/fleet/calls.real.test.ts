/** A person asks another host through the engine: who may, who may not, once, and never late. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UnjamError } from '../../app/contract/errors.ts';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import { CallClient } from '../../app/fleet/call-client.ts';
import { type Call, CallDesk } from '../../app/fleet/call-desk.ts';
import { addedSince, migrationFrom, schema, schemaVersion } from '../../app/fleet/schema.ts';
import { Engine } from '../../app/fleet/postgres.ts';
import { migrateFleet } from '../../app/fleet/admin.ts';
import { answerTo } from '../../app/host/fleet-seat.ts';
import { scriptsOf, ShopWindow } from '../../app/fleet/snapshot.ts';
import { listView, script } from '../support/browser-worlds.ts';
import { Postgres } from '../support/postgres.ts';

let postgres: Postgres;
const engines: Engine[] = [];
const seen: { method: string; input: unknown; caller: Caller }[] = [];

/** A host's answers, without a host. */
const dispatch: Dispatch = async (method, input, caller) => {
  seen.push({ method, input, caller });
  return { ok: true, value: method === 'locks.list' ? [] : { removed: true, warning: null } };
};

function engineOf(user: string): Engine {
  const engine = new Engine({ host: '127.0.0.1', port: postgres.port, database: 'postgres', user }, 'test');
  engines.push(engine);
  return engine;
}

const deskOf = (host: string, answer = (call: Call) => answerTo(call, dispatch)): CallDesk =>
  new CallDesk(engineOf(host), `installation of ${host}`, answer);
const clientOf = (person: string, host = 'web-1'): CallClient => new CallClient(engineOf(person), host);
const ask = (person: string, method = 'locks.list', host = 'web-1'): Promise<string> =>
  postgres.sql('select unjam.ask($1, $2, $3) as id', person, [host, method, { ticket: 'a' }]).then(([row]) => String(row?.['id'])); // prettier-ignore
const take = (host: string, installation = `installation of ${host}`): Promise<Record<string, unknown>[]> =>
  postgres.sql('select * from unjam.take_calls($1)', host, [installation]);
const stateOf = (id: string, person: string): Promise<Record<string, unknown> | undefined> =>
  postgres.sql('select * from unjam.answer_of($1)', person, [id]).then(([row]) => row);
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => (error instanceof UnjamError ? error.code : String(error)),
  );

beforeAll(async () => {
  postgres = await Postgres.open();
  // As it was before there were calls, and brought up by the command's own steps.
  const before = schema.replace(addedSince(1), '').replace(`values (${schemaVersion})`, 'values (1)');
  await postgres.sql(before);
  await postgres.sql(
    `create role "web-1" login in role unjam_host; create role "web-2" login in role unjam_host;
     create role oncall login in role unjam_operator; create role kim login in role unjam_operator;
     create role looker login in role unjam_viewer; create role stranger login;`,
  );
  for (const host of ['web-1', 'web-2'])
    await postgres.sql('select unjam.join_fleet($1, $2)', host, [`installation of ${host}`, '0.1.0']);
}, 120_000);

beforeEach(async () => {
  seen.length = 0;
});

afterAll(async () => {
  for (const engine of engines) await engine.close();
  await postgres[Symbol.asyncDispose]();
}, 120_000);

describe.runIf(process.platform === 'linux')('a call to another host', () => {
  test('needs a schema that knows calls; a migration brings it, and only once', async () => {
    expect(await codeOf(clientOf('oncall').call('locks.list', {}))).toBe('fleet-refused');
    await deskOf('web-1').look(); // a host of the new version at an engine of the old one
    expect(await migrateFleet(engineOf('postgres'))).toBe(1);
    expect(await migrateFleet(engineOf('postgres'))).toBe(schemaVersion);
    expect(migrationFrom(schemaVersion)).not.toContain('create');
    expect(await postgres.sql('select schema_version from unjam.meta')).toEqual([{ schema_version: schemaVersion }]);
    // The version before knows nothing of it and goes on.
    await postgres.sql('select * from unjam.beat($1)', 'web-1', ['installation of web-1']);
  });

  test('is answered by that host, with who asks as the engine knows them, and leaves nothing behind', async () => {
    const answer = clientOf('oncall').call('locks.list', {});
    const desk = deskOf('web-1');
    await expect.poll(() => desk.look().then(() => seen.length)).toBe(1);
    expect(await answer).toEqual([]);
    expect(seen[0]?.caller).toEqual({ user: 'oncall', via: 'fleet', role: 'operator' });
    expect(await postgres.sql('select * from unjam.call')).toEqual([]);
  });

  test('of a viewer may look and not act; what is no verb and no view is refused for everybody', async () => {
    const asked = [
      clientOf('looker').call('scripts.complete', { ticket: 'a' }),
      clientOf('oncall').call('scripts.complete', { ticket: 'a' }),
      ...(['settings.get', 'drill.start', 'host.retire', 'alerts.get', 'console.open'] as const).map((method) =>
        clientOf('oncall').call(method, {}),
      ),
      clientOf('oncall').call('scripts.start', { command: ['true'] }),
    ].map(codeOf);
    const desk = deskOf('web-1');
    await expect.poll(() => desk.look().then(() => seen.length)).toBe(2);
    let done = false;
    const codes = Promise.all(asked).finally(() => (done = true));
    await expect.poll(() => desk.look().then(() => done), { timeout: 20_000 }).toBe(true);
    expect(await codes).toEqual(['done', 'done', ...Array<string>(6).fill('not-allowed')]);
    expect(seen.map(({ caller }) => caller.role).sort()).toEqual(['owner', 'viewer']);
    const audit = await postgres.sql(`select who, host, ticket, what from unjam.audit where who = 'oncall'`);
    expect(audit).toEqual([{ who: 'oncall', host: 'web-1', ticket: 'a', what: 'asked scripts.complete' }]);
  });

  test('is taken once, by the installation of that host alone', async () => {
    const id = await ask('oncall');
    expect(await take('web-2')).toEqual([]);
    expect(await take('web-1', 'a copy of its state directory')).toEqual([]);
    const took = await Promise.all([take('web-1'), take('web-1'), take('web-1')]);
    expect(took.flat()).toMatchObject([{ id, actor: 'oncall', role: 'operator', method: 'locks.list' }]);
    // Another host cannot answer it, another person cannot read the answer, and the first answer counts.
    await postgres.sql(`select unjam.answer($1, 'forged')`, 'web-2', [id]);
    expect(await stateOf(id, 'oncall')).toEqual({ state: 'taken', answer: null });
    await postgres.sql(`select unjam.answer($1, 'true')`, 'web-1', [id]);
    await postgres.sql(`select unjam.answer($1, 'changed')`, 'web-1', [id]);
    expect(await stateOf(id, 'kim')).toEqual({ state: 'gone', answer: null });
    expect(await stateOf(id, 'oncall')).toEqual({ state: 'answered', answer: 'true' });
    expect(await stateOf(id, 'oncall')).toEqual({ state: 'gone', answer: null });
  });

  test('that was not taken in its time is carried out by nobody, and says so', async () => {
    const answer = clientOf('oncall')
      .call('scripts.cancel', { ticket: 'a' })
      .catch((error: unknown) => error);
    await expect.poll(() => postgres.sql('update unjam.call set expires_at = now() returning id')).toHaveLength(1);
    expect(await answer).toMatchObject({ code: 'host-silent', message: expect.stringContaining('"web-1"') as string });
    expect(await take('web-1')).toEqual([]);
    expect(await postgres.sql('select * from unjam.call')).toEqual([]);
  });

  test('is withdrawn by who asked, before a host has taken it, and by nobody else; the audit tells it', async () => {
    const [id, taken] = [await ask('oncall', 'scripts.cancel'), await ask('oncall', 'scripts.cancel', 'web-2')];
    await take('web-2');
    const withdraw = (which: string, user: string) => postgres.sql('select unjam.withdraw($1) as done', user, [which]);
    for (const [which, user, done] of [
      [id, 'kim', false],
      [id, 'looker', false],
      [taken, 'oncall', false],
      [id, 'oncall', true],
      [id, 'oncall', false],
    ] as const)
      expect(await withdraw(which, user), `${which} by ${user}`).toEqual([{ done }]);
    expect(await take('web-1')).toEqual([]);
    expect(await stateOf(taken, 'oncall')).toEqual({ state: 'taken', answer: null });
    const told = await postgres.sql(`select who, host, ticket, what from unjam.audit where what like 'withdrew%'`);
    expect(told).toEqual([{ who: 'oncall', host: 'web-1', ticket: 'a', what: 'withdrew scripts.cancel' }]);
    await postgres.sql('truncate unjam.call');
  });

  test('that is stopped is withdrawn; taken it is answered, or its outcome is unknown; an older engine says so', async () => {
    const stopped = async (before: () => Promise<unknown>): Promise<string> => {
      const stop = new AbortController();
      const answer = codeOf(clientOf('oncall').call('scripts.complete', { ticket: 'a' }, stop.signal));
      await expect.poll(() => postgres.sql('select id from unjam.call')).toHaveLength(1);
      await before();
      stop.abort();
      return answer;
    };
    expect(await stopped(async () => undefined)).toBe('host-silent');
    expect(await postgres.sql('select id from unjam.call')).toEqual([]);
    expect(await stopped(() => take('web-1'))).toBe('outcome-unknown');
    await postgres.sql('truncate unjam.call');
    const answered = async (): Promise<void> => {
      const [call] = await take('web-1');
      const reply = JSON.stringify({ ok: true, value: { removed: true, warning: null } });
      await postgres.sql('select unjam.answer($1, $2)', 'web-1', [call?.['id'], reply]);
    };
    expect(await stopped(answered)).toBe('done');
    await postgres.sql('alter function unjam.withdraw rename to later');
    expect(await stopped(async () => undefined)).toBe('outcome-unknown');
    await postgres.sql('alter function unjam.later rename to withdraw; truncate unjam.call');
  });

  test('that a host took before it slept is not begun when it wakes up', async () => {
    let answers: unknown;
    const asleep = {
      query: async (text: string, values: unknown[]) => {
        if (!text.includes('take_calls')) answers = JSON.parse(String(values[1]));
        return [{ id: '1', actor: 'oncall', role: 'operator', method: 'locks.list', input: {}, left_ms: -1 }];
      },
    };
    await new CallDesk(asleep as unknown as Engine, 'x', (call) => answerTo(call, dispatch)).look();
    await expect.poll(() => answers).toMatchObject({ ok: false, error: { code: 'host-silent' } });
    expect(seen).toEqual([]);
  });

  test('that was taken and lost has an unknown outcome when it acts, and none when it only looks', async () => {
    for (const [method, code] of [
      ['scripts.complete', 'outcome-unknown'],
      ['scripts.get', 'host-silent'],
    ] as const) {
      const answer = codeOf(clientOf('oncall').call(method, { ticket: 'a' }));
      await expect.poll(() => take('web-1')).toHaveLength(1);
      await postgres.sql('truncate unjam.call'); // as after a crash of the engine
      expect(await answer).toBe(code);
    }
  });

  test('says who asks: nobody asks in another name, or without being a person of the fleet', async () => {
    const refused = (text: string, user: string): Promise<string> =>
      postgres.sql(text, user).then(
        () => 'done',
        (error: Error) => error.message,
      );
    const forged = `insert into unjam.call (host, actor, role, method, input) values ('web-1', 'kim', 'operator', 'locks.list', '{}')`;
    for (const user of ['oncall', 'looker', 'web-1', 'stranger']) {
      for (const text of [
        forged,
        'select * from unjam.call',
        `update unjam.call set actor = 'kim'`,
        'delete from unjam.call',
      ])
        // prettier-ignore
        expect(await refused(text, user), `${user}: ${text}`).toContain('permission denied');
    }
    for (const [text, users] of [
      [`select unjam.ask('web-1', 'locks.list', '{}')`, ['web-1', 'stranger']],
      [`select unjam.take_calls('installation of web-1')`, ['oncall', 'looker', 'stranger']],
      [`select unjam.answer(1, '')`, ['oncall', 'looker', 'stranger']],
      [`select installation from unjam.host`, ['web-1', 'stranger']],
      [`select unjam.answer_of(1)`, ['web-1', 'stranger']],
      [`select unjam.withdraw(1)`, ['web-1', 'stranger']],
    ] as const)
      for (const user of users) expect(await refused(text, user), `${user}: ${text}`).toContain('permission denied');
    const id = await ask('oncall');
    await postgres.sql(`set role unjam_operator; select unjam.ask('web-1', 'locks.list', '{}')`, 'oncall');
    expect((await take('web-1')).map(({ actor }) => actor)).toEqual(['oncall', 'oncall']);
    await postgres.sql(`update unjam.call set answer = '1', answered_at = now()`);
    await stateOf(id, 'oncall');
  });

  test('is not needed to see the scripts of all hosts: each host shows its own, and persons alone read them', async () => {
    const shop = (host: string, ticket: string, installation = `installation of ${host}`): ShopWindow => {
      const scripts = [{ ...listView(script({ ticket })), stuck: true }];
      return new ShopWindow(engineOf(host), installation, () => ({ scripts }));
    };
    await Promise.all([shop('web-1', 'a').show(), shop('web-2', 'b').show()]);
    await shop('web-2', 'forged', 'a copy of its state directory').show();
    const shown = async (person: string): Promise<unknown> =>
      (await scriptsOf(engineOf(person))).map(({ host, scripts }) => [host, scripts.map(({ ticket }) => ticket)]);
    for (const person of ['oncall', 'looker'])
      expect(await shown(person)).toEqual([
        ['web-1', ['a']],
        ['web-2', ['b']],
      ]);
    // With the credentials of a host, in its own words: neither the others' nor its own, and nobody's but its own to write.
    for (const text of [
      'select * from unjam.snapshot',
      `select scripts from unjam.snapshot where host = 'web-1'`,
      `update unjam.snapshot set host = 'web-2'`,
      `insert into unjam.snapshot (host, scripts) values ('web-2', '')`,
      'delete from unjam.snapshot',
      'copy unjam.snapshot to stdout',
    ])
      for (const user of ['web-1', 'stranger'])
        await expect(postgres.sql(text, user), `${user}: ${text}`).rejects.toThrow('permission denied');
    for (const user of ['oncall', 'looker', 'stranger'])
      await expect(postgres.sql(`select unjam.show_scripts('installation of web-1', '')`, user)).rejects.toThrow(
        'permission denied',
      );
    await expect(postgres.sql(`update unjam.snapshot set scripts = ''`, 'oncall')).rejects.toThrow('permission denied');
    expect(
      await postgres.sql(`select unjam.show_scripts('installation of web-2', 'forged') as taken`, 'web-1'),
    ).toEqual([{ taken: false }]);
    const long = postgres.sql('select unjam.show_scripts($1, $2)', 'web-1', ['installation of web-1', 'x'.repeat(262_145)]); // prettier-ignore
    await expect(long).rejects.toThrow('violates check constraint');
    // Written again only when there is something new; a host that leaves takes its scripts along.
    const written = (): Promise<unknown> => postgres.sql(`select at from unjam.snapshot where host = 'web-1'`);
    const again = shop('web-1', 'a');
    await again.show();
    const before = await written();
    await again.show();
    expect(await written()).toEqual(before);
    await postgres.sql(`select unjam.show_scripts('installation of web-1', 'no JSON')`, 'web-1');
    expect((await scriptsOf(engineOf('oncall')))[0]).toMatchObject({ host: 'web-1', scripts: [], problem: expect.any(String) as string }); // prettier-ignore
    await postgres.sql('select unjam.leave_fleet()', 'web-1');
    expect(await postgres.sql('select host from unjam.snapshot')).toEqual([{ host: 'web-2' }]);
    await postgres.sql('select unjam.join_fleet($1, $2)', 'web-1', ['installation of web-1', '0.1.0']);
  });

  test('to a host that is retired or unknown is refused; one person has no more than 50 open', async () => {
    expect(await codeOf(clientOf('oncall', 'nobody').call('locks.list', {}))).toBe('fleet-refused');
    const open = Array.from({ length: 50 }, () => ask('kim', 'locks.list', 'web-2'));
    await Promise.all(open);
    expect(await codeOf(clientOf('kim', 'web-2').call('locks.list', {}))).toBe('fleet-refused');
    await postgres.sql(`select unjam.retire('web-2', 'gone')`, 'oncall');
    expect(await codeOf(clientOf('oncall', 'web-2').call('locks.list', {}))).toBe('fleet-refused');
    expect(await take('web-2')).toEqual([]);
  });

  test('is forgotten: an answer after a minute, what nobody answers after 150 s', async () => {
    await postgres.sql('truncate unjam.call');
    await ask('oncall');
    await take('web-1');
    const made = (interval: string, more = '') =>
      postgres.sql(`update unjam.call set at = now() - interval '${interval}'${more}`);
    const left = async (): Promise<number> => {
      await take('web-1');
      return (await postgres.sql('select id from unjam.call')).length;
    };
    await made('149 s');
    expect(await left()).toBe(1);
    await made('149 s', `, answer = '1', answered_at = now() - interval '59 s'`);
    expect(await left()).toBe(1);
    await made('149 s', `, answered_at = now() - interval '61 s'`);
    expect(await left()).toBe(0);
    await ask('oncall');
    await made('151 s');
    expect(await left()).toBe(0);
  });

  test('is not believed more than the contract says: hostile answers are errors, and any bytes of a log arrive', async () => {
    const page = (text: string) => ({
      entries: [{ seq: 0, next: 1, stream: 'stdout', at: null, code: null, text }],
      next: 1,
      size: 1,
      complete: true,
    });
    const hostile = 'a\u0000b\ud800\u001b]0;x\u0007\u202e';
    const answers: unknown[] = [
      { ok: true, value: page(hostile) },
      { ok: true, value: { entries: 'all' } },
      { ok: false, error: { code: 'constructor', message: 'x', next: 'y' } },
      'nothing',
      { ok: true, value: page('x'.repeat(9_000_000)) },
    ];
    const desk = deskOf('web-1', async () => answers.shift() as Awaited<ReturnType<typeof answerTo>>);
    const read = async (): Promise<unknown> => {
      let reply: unknown = null;
      clientOf('oncall')
        .call('logs.read', { ticket: 'a' })
        .then(
          (value) => (reply = value),
          (error: unknown) => (reply = (error as UnjamError).code),
        );
      await expect.poll(() => desk.look().then(() => reply), { timeout: 20_000 }).not.toBeNull();
      return reply;
    };
    expect(await read()).toEqual(page(hostile));
    expect([await read(), await read(), await read(), await read()]).toEqual([
      'version-mismatch',
      'internal',
      'version-mismatch',
      'too-large',
    ]);
  });
});
