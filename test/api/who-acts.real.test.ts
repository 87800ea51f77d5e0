/** Who acts is what the system saw; what a caller says about itself only stands beside it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleServer, openConsole } from '../../app/api/console-server.ts';
import { openApplication } from '../../app/host/application.ts';
import { HttpClient } from '../../app/api/http-client.ts';
import type { ScriptDetail } from '../../app/contract/methods.ts';
import { openConnectionOwner } from '../../app/processes/index.ts';
import { keyOf } from '../support/console-key.ts';
import { root, World } from '../support/world.ts';

const isRoot = process.getuid?.() === 0;
const program = join(root, 'dist/cli.js');
/** nobody, and a number without a name. */
const [nobody, nameless] = [65_534, 65_533];

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node as a user of this machine. */
const as = (uid: number, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { uid, gid: uid, cwd: '/', env: { PATH: process.env['PATH'], ...env } },
      (error, stdout, stderr) => resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });

describe('on the socket', () => {
  let world: World;
  let host: ChildProcess | null = null;

  beforeAll(async () => {
    world = await World.empty();
    if (!isRoot) {
      await world.startHost();
      return;
    }
    // A host of an ordinary user: root may come in as well, so two users can act on it.
    chownSync(world.home, nobody, nobody);
    chmodSync(world.home, 0o700);
    const serving = spawn(process.execPath, [program, 'serve'], {
      uid: nobody,
      gid: nobody,
      cwd: '/',
      env: { PATH: process.env['PATH'], UNJAM_HOME: world.home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    host = serving;
    await new Promise((resolve, reject) => {
      serving.stdout.once('data', resolve);
      serving.once('exit', () => reject(new Error('The host ended.')));
    });
    world.connect();
  });
  afterAll(async () => {
    if (host) {
      const gone = new Promise((resolve) => host?.once('exit', resolve));
      host.kill('SIGKILL');
      await gone;
    }
    await world[Symbol.asyncDispose]();
  });

  const actorOf = async (ticket: string): Promise<ScriptDetail['actor']> => (await world.get(ticket)).actor;
  const started = async (user: string): Promise<string> => {
    const { address, token } = world.hostFile();
    const client = new HttpClient({ address, token, actor: { user, via: 'api' }, timeoutMs: 20_000 });
    const { ticket } = await client.call('scripts.start', { command: ['true'], cwd: '/' });
    client.close();
    return ticket;
  };

  test('a caller that claims another name is recorded with both', async () => {
    const own = userInfo().username;
    expect(await actorOf(await started('CONTOSO\\kim'))).toEqual({ user: `CONTOSO\\kim (as ${own})`, via: 'api' });
    expect(await actorOf(await started(own))).toEqual({ user: own, via: 'api' });
  });

  test('a claim cannot write lines of its own into a log', async () => {
    const { user } = await actorOf(await started('x\nW221 ABANDONED by root'));
    expect(user).toBe(`x W221 ABANDONED by root (as ${userInfo().username})`);
  });

  test('a console that follows another host passes on who acts in it, and through which door', async () => {
    const console_ = await openApplication({ stateDirectory: world.home, log: () => undefined });
    expect(console_.role).toBe('client');
    const input = { command: ['true'], cwd: '/' };
    const reply = await console_.dispatch('scripts.start', input, {
      user: 'CONTOSO\\kim',
      via: 'browser',
      role: 'owner',
    });
    await console_.close();
    const { ticket } = (reply as { value: { ticket: string } }).value;
    expect(await actorOf(ticket)).toEqual({ user: `CONTOSO\\kim (as ${userInfo().username})`, via: 'browser' });
  });

  test.skipIf(!isRoot)('two users of one host are told apart (needs root)', async () => {
    const start = [program, 'start', '--', 'true'];
    const home = { UNJAM_HOME: world.home };
    const theirs = await as(nobody, start, home);
    expect(theirs.stderr).toBe('');
    expect(await actorOf(theirs.stdout.trim())).toEqual({ user: 'nobody', via: 'cli' });
    const killedAs = async (environment: NodeJS.ProcessEnv): Promise<string | undefined> => {
      const started = await as(nobody, [program, 'start', '--', 'sleep', '3600'], home);
      const ticket = started.stdout.trim();
      expect(await as(0, [program, 'kill', ticket, '--yes'], environment)).toMatchObject({ status: 0 });
      return (await world.get(ticket)).attempts[0]?.actor;
    };
    const roots = await as(0, start, home);
    expect(roots.stdout).toBe('');
    expect(roots.stderr).toContain('runs as nobody, and you are root');
    expect(await killedAs(home)).toBe('root (cli)');
    expect(await killedAs({ ...home, SUDO_USER: 'kim' })).toBe('kim (as root) (cli)');
    // The runner wrote these lines, and the journal gets them.
    const ticket = theirs.stdout.trim();
    const kinds = async () => (await world.client.call('history.list', { ticket })).map((entry) => entry.kind);
    await expect.poll(kinds, { timeout: 10_000 }).toContain('final');
  });

  test.skipIf(!isRoot)('only the host’s own account asks a fleet as who is logged in there (needs root)', async () => {
    const ask = `require('http').request({ socketPath: process.argv[1], path: '/rpc/fleet.scripts', method: 'POST', headers: { 'x-unjam-via': process.argv[2] } }, (r) => r.pipe(process.stdout)).end('{}')`;
    const codeFor = async (uid: number, via: string): Promise<unknown> => {
      const { stdout } = await as(uid, ['-e', ask, world.hostFile().address, via]);
      return (JSON.parse(stdout) as { error: { code: unknown } }).error.code;
    };
    expect(await codeFor(nobody, 'cli')).toBe('fleet-not-joined');
    expect(await codeFor(0, 'cli')).toBe('not-allowed');
    // A console of another process may have been opened by anybody.
    expect(await codeFor(nobody, 'browser')).toBe('not-allowed');
  });

  test.skipIf(!isRoot)('a third user does not even reach it (needs root)', async () => {
    const { address } = world.hostFile();
    const connect = `require('net').connect(${JSON.stringify(address)}).on('connect', () => console.log('in')).on('error', (e) => console.log(e.code))`;
    expect((await as(nameless, ['-e', connect])).stdout.trim()).toBe('EACCES');
    const token = `console.log(require('fs').readFileSync(${JSON.stringify(join(world.home, 'token'))}, 'utf8'))`;
    expect((await as(nameless, ['-e', token])).stderr).toContain('EACCES');
    const refused = await as(nameless, [program, 'ps'], { UNJAM_HOME: world.home, HOME: '/' });
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toContain('belongs to another user, and you may not look into it');
    expect((await as(nobody, ['-e', connect + ".on('connect', () => process.exit())"])).stdout.trim()).toBe('in');
  });
});

describe('on the loopback console', () => {
  let page: ConsoleServer;
  const callers: string[] = [];

  beforeAll(async () => {
    page = await openConsole({
      dispatch: async (_method, _input, caller) => {
        callers.push(`${caller.user} via ${caller.via}, ${caller.ids?.[0]}`);
        return { ok: true, value: null };
      },
      subscribe: () => () => undefined,
      version: 'test',
      root: join(root, 'dist/renderer'),
      port: 0,
      user: 'whoever opened it',
      role: 'owner',
      ownerOf: await openConnectionOwner(null),
    });
  });
  afterAll(() => page.close());

  /** Opens the console with its one-time address and calls a method, as a browser does. */
  const visit = `
    const at = new URL(process.argv[1]);
    fetch(at, { redirect: 'manual' }).then(async (login) => {
      const cookie = login.headers.get('set-cookie').split(';')[0];
      const key = /content="([^"]+)"/.exec(await login.text())[1];
      const reply = await fetch(at.origin + '/rpc/host.info', { method: 'POST', body: '{}', headers: { cookie, 'x-unjam-key': key, origin: at.origin, 'x-unjam-user': 'root', 'x-unjam-via': 'cli' } });
      console.log(reply.status);
    });`;

  test('a browser acts in the name of the user that it runs as, whatever it says', async () => {
    callers.length = 0;
    await as(process.getuid?.() ?? 0, ['-e', visit, page.oneTimeUrl()]);
    expect(callers).toEqual([`${userInfo().username} via browser, uid:${process.getuid?.()}`]);
  });

  test.skipIf(!isRoot)('a session is no use to another user, nor without the page’s own key (needs root)', async () => {
    const login = await fetch(page.oneTimeUrl());
    const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const key = keyOf(await login.text());
    const origin = `http://127.0.0.1:${page.port}`;
    const call = `
      fetch('${origin}/rpc/host.info', { method: 'POST', headers: { cookie: '${cookie}', 'x-unjam-key': process.argv[1], origin: '${origin}' } })
        .then((reply) => console.log(reply.status));`;
    const statusAs = async (uid: number, given: string) => (await as(uid, ['-e', call, given])).stdout.trim();
    callers.length = 0;
    expect(await statusAs(nobody, key)).toBe('401');
    expect(await statusAs(0, 'another key')).toBe('401');
    expect(callers).toEqual([]);
    expect(await statusAs(0, key)).toBe('200');
  });

  test.skipIf(!isRoot)('another user can neither use up the connections nor the attempts (needs root)', async () => {
    const crowd = `
      const { connect } = require('net');
      const at = new URL(process.argv[1]);
      Promise.all(Array.from({ length: 30 }, () => fetch(at.origin + '/login?t=guess'))).then((all) => {
        console.log(all.at(-1).status);
        for (let i = 0; i < 200; i += 1) connect(Number(at.port), '127.0.0.1').on('error', () => undefined);
        setInterval(() => undefined, 1000);
      });`;
    const stranger = spawn(process.execPath, ['-e', crowd, page.oneTimeUrl()], { uid: 65_532, gid: 65_532, cwd: '/', env: {} }); // prettier-ignore
    const gone = new Promise((resolve) => stranger.once('exit', resolve));
    const [seen] = (await once(stranger.stdout, 'data')) as [Buffer];
    expect(seen.toString().trim()).toBe('429');
    expect((await fetch(page.oneTimeUrl())).status).toBe(200);
    stranger.kill('SIGKILL');
    await gone;
  });

  test.skipIf(!isRoot)('another user who was given the address acts in their own name (needs root)', async () => {
    callers.length = 0;
    expect((await as(nobody, ['-e', visit, page.oneTimeUrl()])).stdout.trim()).toBe('200');
    await as(nameless, ['-e', visit, page.oneTimeUrl()]);
    expect(callers).toEqual([`nobody via browser, uid:${nobody}`, `uid ${nameless} via browser, uid:${nameless}`]);
  });

  test('without an answer of the system it says that nobody verified it', async () => {
    const blind = await openConsole({
      dispatch: async (_method, _input, { user }) => ({ ok: true, value: user }),
      subscribe: () => () => undefined,
      version: 'test',
      root: join(root, 'dist/renderer'),
      port: 0,
      user: 'kim',
      role: 'owner',
      ownerOf: () => null,
    });
    const login = await fetch(blind.oneTimeUrl(), { redirect: 'manual' });
    const origin = `http://127.0.0.1:${blind.port}`;
    const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const reply = await fetch(`${origin}/rpc/host.info`, {
      method: 'POST',
      headers: { cookie, 'x-unjam-key': keyOf(await login.text()), origin },
    });
    expect(await reply.json()).toEqual({ ok: true, value: 'kim (unverified)' });
    await blind.close();
  });
});
