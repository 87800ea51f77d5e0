/**
 * The on-call engineer: a host of root serves the machine; ordinary users reach it with the role that they were given, and
 * nobody else does. Three real users of Linux, the command line and the console's own client. Needs root.
 */
import { text } from 'node:stream/consumers';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryEntry, Output, ScriptDetail } from '../../app/contract/methods.ts';
import { type Ended, group, MachineHost, operator, owner, stranger, viewer } from '../support/machine-host.ts';
import type { World } from '../support/world.ts';

describe.skipIf(process.getuid?.() !== 0)('on a host of root (needs root)', () => {
  let host: MachineHost;
  let world: World;
  let base: string;
  const as = (uid: number, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    host.as(uid, args, more);
  const started = (script?: string): Promise<string> => host.started(script);
  const journal = (): Promise<readonly HistoryEntry[]> => world.client.call('history.list', { limit: 200 });

  /** Opens an address as a browser of that user does; the status, then the answers to these calls. */
  const visit = async (
    uid: number,
    url: string,
    ...calls: readonly (readonly [string, object])[]
  ): Promise<unknown> => {
    const driver = join(import.meta.dirname, 'drivers/visit.ts');
    const page = host.start(uid, [process.execPath, driver, url, JSON.stringify(calls)]);
    return JSON.parse(await text(page.stdout!));
  };

  beforeAll(async () => {
    host = await MachineHost.open();
    ({ world, base } = host);
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  test('an operator, by a group, finds it without any setting, and cancels', async () => {
    const ticket = await started();
    const listed = await as(operator, ['ps']);
    expect(listed.stderr).toBe('');
    expect(listed.stdout).toContain(ticket);
    const cancelled = await as(operator, ['cancel', ticket, '--no-escalate', '--grace', '1s', '--reason', 'night']);
    expect(cancelled.status, cancelled.stderr).toBeLessThan(2);
    const { attempts } = await world.get(ticket);
    expect(attempts[0]).toMatchObject({ what: 'cancel', actor: `uid ${operator} (cli)` });
    const killed = await as(operator, ['kill', ticket, '--yes']);
    expect(killed).toMatchObject({ status: 0 });
    expect(killed.stderr).toContain(`Force Kill requested by uid ${operator} (cli)`);
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'killed' });
    const who = (await journal())
      .filter((e) => e.ticket === ticket && e.kind === 'kill')
      .map((e) => `${e.who} ${e.via}`);
    expect(who).toEqual([`uid ${operator} cli`]);
  });

  test('an operator starts and configures nothing, and is told who may', async () => {
    for (const args of [
      ['start', '--', 'true'],
      ['run', '--', 'true'],
      ['access', 'grant', `uid:${operator}`, 'owner'],
    ]) {
      const refused = await as(operator, args);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('You are an operator on this host; this takes an owner');
    }
    expect(await world.client.call('settings.get', {}).then((s) => s.values.access)).toHaveLength(3);
    const refusals = (await journal()).filter((e) => e.kind === 'refused').map((e) => e.who);
    expect(refusals).toContain(`uid ${operator}`);
  });

  test('a viewer sees everything, and every verb says who may', async () => {
    const ticket = await started();
    expect((await as(viewer, ['ps'])).stdout).toContain(ticket);
    expect((await as(viewer, ['logs', ticket])).stdout).toContain('up');
    const seen = JSON.parse((await as(viewer, ['status', ticket, '--json'])).stdout) as ScriptDetail;
    const sentence = `You are a viewer on this host; this takes an operator: gid:${group}, uid:${owner}, and administrators.`;
    for (const verb of [seen.verbs.cancel, seen.verbs.kill, seen.verbs.abandon])
      expect(verb).toEqual({ possible: false, text: sentence });
    for (const verb of ['cancel', 'kill', 'abandon']) {
      const refused = await as(viewer, [verb, ticket, '--yes']);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('this takes an operator');
    }
    expect((await world.get(ticket)).state).toBe('running');
    await world.client.call('scripts.kill', { ticket });
    await world.untilFinal(ticket);
  });

  test('a switch keeps viewers from logs, and operators read them still', async () => {
    const ticket = await started('echo up; true');
    await world.untilFinal(ticket);
    await world.client.call('settings.set', { values: { viewersReadLogs: false } });
    const refused = await as(viewer, ['logs', ticket]);
    expect(refused.stdout).not.toContain('up');
    expect(refused.stderr).toContain('this takes an operator');
    expect((await as(operator, ['logs', ticket])).stdout).toContain('up');
    await world.client.call('settings.set', { reset: ['viewersReadLogs'] });
  });

  test('a third user is not let in, whatever it says', async () => {
    const refused = await as(stranger, ['ps']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`uid ${stranger} has no role on this host.`);
    const posing = await as(stranger, ['ps'], { SUDO_USER: 'root', USER: 'root', LOGNAME: 'root' });
    expect(posing.stderr).toContain(`uid ${stranger} has no role on this host.`);
  });

  test('a role that is taken away is gone at once, also from a connection that is open', async () => {
    const ticket = await started();
    const following = as(viewer, ['logs', ticket, '--follow']);
    expect((await world.cli('access', 'revoke', `uid:${viewer}`)).stderr).toBe('');
    const ended = await following;
    expect(ended.status).not.toBe(0);
    expect((await as(viewer, ['ps'])).stderr).toContain('has no role');
    await world.client.call('scripts.kill', { ticket });
    expect((await world.cli('access', 'grant', `uid:${viewer}`, 'viewer')).stdout).toContain(`uid:${viewer}: viewer`);
  });

  test('a name that nobody has is refused when it is granted', async () => {
    const refused = await world.cli('access', 'grant', 'nobody-has-this-name', 'viewer');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('Nobody is called "nobody-has-this-name" on this machine.');
  });

  test('what one began another is told on an open subscription, with the person', async () => {
    const ticket = await started();
    const watching = host.start(viewer, [process.execPath, join(import.meta.dirname, 'drivers/watch.ts'), ticket]);
    const told: string[] = [];
    const heard = (text: string) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (told.some((line) => line.includes(text))) resolve();
        };
        watching.on('message', look);
        look();
      });
    watching.on('message', (headline: string) => told.push(headline));
    await heard('');
    const cancelled = as(operator, ['cancel', ticket, '--no-escalate', '--grace', '30s']);
    await heard(`Cancel requested by uid ${operator}`);
    await world.client.call('scripts.kill', { ticket });
    await cancelled;
    watching.disconnect();
  });

  test('an address of the console opens it once, for the account and with the role of who asked', async () => {
    const asked = await as(viewer, ['open', '--json']);
    expect(asked.stderr).toBe('');
    const { url, role } = JSON.parse(asked.stdout) as Output<'console.open'>;
    expect(role).toBe('viewer');
    // An owner has more rights, and still cannot come in as somebody else.
    const wrong = await visit(owner, url);
    expect(wrong).toEqual([403, `This address works only in a browser of uid ${viewer}. Run "unjam open" as yourself for one of your own.\n`]); // prettier-ignore
    const ticket = await started();
    const seen = await visit(viewer, url, ['host.info', {}], ['scripts.cancel', { ticket }], ['console.open', {}]);
    expect(seen).toMatchObject([
      200,
      { ok: true, value: { you: { user: `uid ${viewer}`, role: 'viewer' } } },
      { ok: false, error: { code: 'forbidden' } },
      { ok: false, error: { code: 'not-possible' } },
    ]);
    expect(await visit(viewer, url)).toMatchObject([403, expect.stringContaining('was used already')]);
    const entry = (await journal()).find((e) => e.kind === 'console');
    expect(entry).toMatchObject({ who: `uid ${viewer}`, via: 'cli', data: { role: 'viewer' } });
    const token = new URL(url).searchParams.get('t') ?? '';
    expect(world.hostLog).not.toContain(token);
    for (const file of readdirSync(world.home, { recursive: true, withFileTypes: true }))
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.toContain(token);
    await world.client.call('scripts.kill', { ticket });
  });

  test('a console goes with the role of who opened it', async () => {
    const { url } = JSON.parse((await as(viewer, ['open', '--json'])).stdout) as Output<'console.open'>;
    const page = host.start(viewer, [process.execPath, join(import.meta.dirname, 'drivers/visit.ts'), url, 'stay']);
    const said = text(page.stdout!);
    await new Promise((resolve) => page.once('message', resolve));
    expect((await world.cli('access', 'revoke', `uid:${viewer}`)).stderr).toBe('');
    expect(JSON.parse(await said)).toMatchObject([
      200,
      'the events ended',
      { ok: false, error: { code: 'forbidden', message: 'You have no role on this host any more.' } },
    ]);
    expect((await world.cli('access', 'grant', `uid:${viewer}`, 'viewer')).stdout).toContain(`uid:${viewer}: viewer`);
  });

  test('nothing is sent to a server of somebody else at a planted address, nor at the noted one', async () => {
    const evil = join(base, 'evil');
    mkdirSync(evil, { mode: 0o777 });
    chmodSync(evil, 0o777);
    const heard: string[] = [];
    const server = createServer((socket) => socket.on('data', (data) => heard.push(data.toString())));
    await new Promise<void>((resolve) => server.listen(join(evil, 'host.sock'), resolve));
    const planted = join(evil, 'host.json');
    writeFileSync(planted, JSON.stringify({ schema: 1, stateDirectory: world.home, door: join(evil, 'host.sock'), account: `uid:${viewer}` })); // prettier-ignore
    const refused = await as(viewer, ['ps'], { UNJAM_MACHINE_FILE: planted });
    expect(refused.stderr).toContain('is not believed');
    // What root has noted is believed, and who serves it is looked at.
    const noted = join(base, 'etc', 'noted.json');
    const door = join(evil, 'host.sock');
    writeFileSync(noted, JSON.stringify({ schema: 1, stateDirectory: world.home, door, account: 'uid:0' }));
    chmodSync(evil, 0o755);
    chmodSync(door, 0o666);
    for (const path of [door, evil]) chownSync(path, stranger, stranger);
    const asked = await as(viewer, ['ps'], { UNJAM_MACHINE_FILE: noted });
    expect(asked).toMatchObject({ status: 1, stdout: '' });
    expect(asked.stderr).toContain(`the process that answers there belongs to uid ${stranger}. Nothing was sent.`);
    expect(heard).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});
