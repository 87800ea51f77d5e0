import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { request, type RequestOptions } from 'node:http';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleServer, openConsole } from '../../app/api/console-server.ts';
import { openConnectionOwner } from '../../app/processes/index.ts';
import { methods, type Reply } from '../../app/contract/methods.ts';
import { keyOf } from '../support/console-key.ts';
import { root, World } from '../support/world.ts';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // it has just been closed
  }
};

let world: World;
let page: ConsoleServer;
let cookie: string;
let key: string;

function http(options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

const socket = (path: string, body = '', more: Record<string, string> = {}, method = 'POST') =>
  http(
    {
      socketPath: world.hostFile().address,
      path,
      method,
      headers: { authorization: `Bearer ${world.hostFile().token}`, 'content-type': 'application/json', ...more },
    },
    body,
  );
const browser = (path: string, body = '', more: Record<string, string> = {}, method = 'POST') =>
  http(
    {
      host: '127.0.0.1',
      port: page.port,
      path,
      method,
      headers: { cookie, 'x-unjam-key': key, origin: `http://127.0.0.1:${page.port}`, ...more },
    },
    body,
  );

beforeAll(async () => {
  world = await World.open();
  page = await openConsole({
    dispatch: (method, input) => world.client.send(method, input),
    subscribe: (listener) => world.client.on('snapshot', listener),
    version: 'test',
    root: join(root, 'dist/renderer'),
    port: 0,
    user: 'tester',
    role: 'owner',
    ownerOf: await openConnectionOwner(null),
  });
  const login = await http({
    host: '127.0.0.1',
    port: page.port,
    path: new URL(page.oneTimeUrl()).pathname + new URL(page.oneTimeUrl()).search,
  });
  cookie = String(login.headers['set-cookie']?.[0]).split(';')[0] ?? '';
  key = keyOf(login.text);
});
afterAll(async () => {
  await page.close();
  await world[Symbol.asyncDispose]();
});

describe.each([
  ['the socket', socket],
  ['the loopback console', browser],
])('bad input on %s', (_name, call) => {
  const refused = async (method: string, input: unknown): Promise<Reply & { ok: false } & { status: number }> => {
    const answer = await call(`/rpc/${method}`, typeof input === 'string' ? input : JSON.stringify(input));
    const reply = JSON.parse(answer.text) as Reply;
    if (reply.ok) throw new Error(`${method} was not refused`);
    expect(reply.error.next).not.toBe('');
    return { ...reply, status: answer.status };
  };

  test.each([
    ['scripts.get', { ticket: 'nobody' }, 'unknown-ticket', 404, 'ticket'],
    ['scripts.kill', { ticket: 'nobody' }, 'unknown-ticket', 404, 'ticket'],
    ['scripts.abandon', { ticket: 'nobody' }, 'unknown-ticket', 404, 'ticket'],
    ['scripts.start', { command: ['true'], ticket: '../x' }, 'bad-ticket', 400, 'ticket'],
    ['scripts.start', { command: ['true'], ticket: 'CON' }, 'bad-ticket', 400, 'ticket'],
    [
      'scripts.start',
      { command: ['true'], isolation: { level: 'full', mutex: 'a\nb' } },
      'bad-mutex-name',
      400,
      'isolation.mutex',
    ],
    ['scripts.start', { command: ['true'], isolation: { level: 'full' } }, 'bad-input', 400, 'isolation.mutex'],
    [
      'scripts.start',
      { command: ['true'], isolation: { level: 'exclusive', mutex: 'a' } },
      'bad-input',
      400,
      'isolation.level',
    ],
    [
      'scripts.start',
      { command: ['true'], isolation: { level: 'full', mutex: 'a', timeoutMs: 9 } },
      'bad-input',
      400,
      'isolation.timeoutMs',
    ],
    ['scripts.start', { command: ['true'], timeoutMs: 86_400_001 }, 'bad-input', 400, 'timeoutMs'],
    ['scripts.start', { command: [] }, 'bad-input', 400, 'command'],
    ['scripts.start', { command: ['true'], cwd: '/a\0b' }, 'bad-input', 400, 'cwd'],
    ['scripts.start', { command: ['a\0b'] }, 'bad-input', 400, 'command.0'],
    ['scripts.start', { command: ['true'], environment: { A: 'x\0hunter2-nul' } }, 'bad-input', 400, 'environment.A'],
    ['scripts.start', { command: [' '] }, 'missing-command', 400, 'command'],
    ['scripts.start', {}, 'bad-input', 400, 'command'],
    ['scripts.start', { command: 'true' }, 'bad-input', 400, 'command'],
    ['scripts.start', { command: ['no-such-command-here'] }, 'command-not-found', 500, 'command.0'],
    ['scripts.start', { command: ['true'], cwd: '/no/such/folder' }, 'folder-not-found', 500, 'cwd'],
    ['scripts.start', { command: ['true'], surprise: 1 }, 'bad-input', 400, 'surprise'],
    ['locks.resume', { name: 'never-used' }, 'unknown-mutex', 404, 'name'],
    ['scripts.explode', {}, 'unknown-method', 404, undefined],
    ['__proto__', {}, 'unknown-method', 404, undefined],
    ['constructor', {}, 'unknown-method', 404, undefined],
    ['scripts.list', '{not json', 'bad-input', 400, undefined],
    ['scripts.list', '[]', 'bad-input', 400, 'input'],
  ] as const)('%s %j is refused as %s', async (method, input, code, status, field) => {
    const { error, status: answered } = await refused(method, input);
    expect(error.code).toBe(code);
    expect(answered).toBe(status);
    expect(error.field).toBe(field);
    expect(error.message).not.toContain('hunter2-nul');
  });

  test('a body of more than 1 MiB is refused with an answer, not with a broken connection', async () => {
    const { error, status } = await refused(
      'scripts.start',
      JSON.stringify({ command: ['true', 'x'.repeat(2_000_000)] }),
    );
    expect(error.code).toBe('too-large');
    expect(status).toBe(413);
  });
});

test('nothing of all that was started, no folder was made, and no value of a variable was repeated', async () => {
  expect(JSON.stringify(await world.client.call('history.list', {})) + world.hostLog).not.toContain('hunter2-nul');
  expect(await world.client.call('scripts.list', { all: true })).toEqual([]);
  expect(await world.client.call('locks.list', {})).toEqual([]);
});

test('every method is in openapi.json, with its fields', async () => {
  const answer = await socket('/openapi.json', '', {}, 'GET');
  const api = JSON.parse(answer.text) as { paths: Record<string, unknown> };
  expect(Object.keys(api.paths)).toEqual([
    ...Object.keys(methods).map((m) => `/rpc/${m}`),
    '/events',
    '/scripts/{ticket}/events',
    '/metrics',
  ]);
  expect(answer.text).toContain('ends the script after this long without output');
});

test('the socket knows who calls without a secret, and only its owner can read what lies beside it', async () => {
  const none = await http({ socketPath: world.hostFile().address, path: '/rpc/host.info', method: 'POST' });
  expect(none.status).toBe(200);
  expect(JSON.parse(none.text)).toMatchObject({
    value: { you: { user: userInfo().username, role: 'owner', refused: {} } },
  });
  expect(statSync(world.hostFile().address).mode & 0o777).toBe(0o600);
  expect(statSync(join(world.home, 'token')).mode & 0o777).toBe(0o600);
  expect(statSync(join(world.home, 'journal.sqlite')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(world.home, 'token'), 'utf8')).toBe(world.hostFile().token);
});

test('a client of another protocol and this host part politely', async () => {
  const answer = await socket('/rpc/scripts.list', '{}', { 'x-unjam-protocol': '999' });
  expect(answer.status).toBe(426);
  expect(answer.text).toContain('version-mismatch');
  expect(await socket('/v2/rpc/scripts.list', '{}')).toMatchObject({ status: 426 });
  expect(await socket('/v2/metrics', '', {}, 'GET')).toMatchObject({ status: 426 });
  expect(await socket('/v1/rpc/scripts.list', '{}')).toMatchObject({ status: 200 });
  expect(await socket('/v1/metrics', '', {}, 'GET')).toMatchObject({ status: 200 });
});

describe('the loopback console', () => {
  test('lets a one-time address in once', async () => {
    const url = new URL(page.oneTimeUrl());
    const options = { host: '127.0.0.1', port: page.port, path: url.pathname + url.search };
    const login = await http(options);
    expect(login.status).toBe(200);
    expect(login.headers['set-cookie']).toEqual([expect.stringMatching(/; HttpOnly; SameSite=Strict; Path=\/$/)]);
    expect((await http(options)).status).toBe(403);
  });

  test('is off until it is asked for: a host listens on no port', () => {
    const inodes = (file: string): string[] =>
      readFileSync(`/proc/${world.hostPid}/net/${file}`, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[3] === '0A') // TCP_LISTEN
        .map((fields) => `socket:[${fields[9]}]`);
    const open = readdirSync(`/proc/${world.hostPid}/fd`).map((fd) => linkOf(`/proc/${world.hostPid}/fd/${fd}`));
    expect([...inodes('tcp'), ...inodes('tcp6')].filter((inode) => open.includes(inode))).toEqual([]);
  });

  test('answers nobody without its cookie, from another host name, or from another origin', async () => {
    expect((await browser('/rpc/host.info', '{}', { cookie: '' })).status).toBe(401);
    expect((await browser('/', '', { host: `evil.example:${page.port}` }, 'GET')).status).toBe(421);
    expect((await browser('/rpc/host.info', '{}', { origin: 'http://evil.example' })).status).toBe(401);
    const { origin: _origin, ...rest } = { origin: '', cookie, 'x-unjam-key': key };
    expect(
      (await http({ host: '127.0.0.1', port: page.port, path: '/rpc/host.info', method: 'POST', headers: rest }))
        .status,
    ).toBe(401);
  });

  test.each(['/events', '/scripts/x/events', '/metrics', '/v1/metrics', '/openapi.json'])(
    'hands out %s to nobody without the page’s key',
    async (path) => {
      expect((await browser(path, '', { 'x-unjam-key': '' }, 'GET')).status).toBe(401);
    },
  );

  test('serves the page with its policy, uncached, and nothing outside its folder', async () => {
    const index = await browser('/', '', {}, 'GET');
    expect(index.status).toBe(200);
    expect(index.headers['content-security-policy']).toContain("require-trusted-types-for 'script'");
    expect(index.headers['cache-control']).toBe('no-store');
    expect(index.headers['access-control-allow-origin']).toBeUndefined();
    for (const path of [
      '/../../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/assets/../../cli.js',
    ])
      expect((await browser(path, '', {}, 'GET')).status).toBe(404);
  });

  test('shuts the door after too many wrong addresses', async () => {
    const tries = await Promise.all(
      Array.from({ length: 25 }, () => http({ host: '127.0.0.1', port: page.port, path: '/login?t=guess' })),
    );
    expect(tries.map((t) => t.status)).toContain(429);
  });
});

test('events begin with a whole snapshot, and every change brings another', async () => {
  const { ticket } = await world.start('echo hello', { waitMs: 10_000 });
  const script = await world.until(ticket, (s) => s.state === 'final');
  expect(script).toMatchObject({ verdict: 'exited', exitCode: 0 });
});
