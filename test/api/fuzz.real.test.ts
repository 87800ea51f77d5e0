/** Whatever arrives on the doors of the host: it answers or hangs up, and goes on answering others. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleServer, openConsole } from '../../app/api/console-server.ts';
import { keyOf } from '../support/console-key.ts';
import { root, World } from '../support/world.ts';

interface Door {
  readonly name: string;
  readonly open: () => Socket;
  /** Headers with which a request is let in. */
  readonly key: () => Readonly<Record<string, string>>;
  /** True when a well-formed call is answered. */
  readonly answers: () => Promise<boolean>;
}

let world: World;
let page: ConsoleServer;
let cookie: string;
let key: string;
const reached: string[] = [];

beforeAll(async () => {
  world = await World.open();
  page = await openConsole({
    dispatch: async (method) => {
      reached.push(method);
      return { ok: true, value: null };
    },
    subscribe: () => () => undefined,
    version: 'test',
    root: join(root, 'dist/renderer'),
    port: 0,
    user: 'tester',
    role: 'owner',
    ownerOf: () => null,
  });
  const login = await fetch(page.oneTimeUrl(), { redirect: 'manual' });
  cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  key = keyOf(await login.text());
});
afterAll(async () => {
  await page.close();
  await world[Symbol.asyncDispose]();
});

const doors: readonly Door[] = [
  {
    name: 'the loopback console',
    open: () => connect(page.port, '127.0.0.1'),
    key: () => ({
      host: `127.0.0.1:${page.port}`,
      origin: `http://127.0.0.1:${page.port}`,
      cookie,
      'x-unjam-key': key,
    }),
    answers: async () => {
      const origin = `http://127.0.0.1:${page.port}`;
      const reply = await fetch(`${origin}/rpc/host.info`, {
        method: 'POST',
        headers: { origin, cookie, 'x-unjam-key': key },
      });
      return reply.status === 200;
    },
  },
  {
    name: 'the host’s socket',
    open: () => connect(world.hostFile().address),
    key: () => ({ host: 'unjam', authorization: `Bearer ${world.hostFile().token}` }),
    answers: async () => (await world.client.call('host.info', {})).pid === world.hostPid,
  },
];

/** Sends bytes as they are and resolves with what came back once the door hung up or had nothing more to say. */
async function send(door: Door, bytes: Buffer): Promise<string> {
  const socket = door.open();
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  socket.on('error', () => undefined); // a reset is an answer as well
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(bytes);
  await closed;
  return answer;
}

const request = (line: string, headers: Readonly<Record<string, string>>, body = ''): Buffer =>
  Buffer.from(
    `${line}\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}connection: close\r\n\r\n${body}`,
    'latin1',
  );

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

describe.each(doors)('$name', (door) => {
  test('answers or hangs up on bytes that are no request', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
        expect(statusOf(await send(door, Buffer.from(bytes)))).not.toBe(200);
      }),
      { numRuns: 150 },
    );
    expect(await door.answers()).toBe(true);
  });

  const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'get', '');
  const parts = fc.constantFrom(
    '/rpc/',
    '/events',
    '/login?t=',
    '//',
    '/..',
    '/%',
    '/%2e%2e',
    '%00',
    '/%ff',
    '\\',
    ':',
    '@evil',
    'http://[',
    '/rpc/__proto__',
    '?',
    '#',
    ' ',
    '/openapi.json',
    '/rpc/host.info', // prettier-ignore
  );
  const targets = fc.oneof(
    fc.array(parts, { maxLength: 6 }).map((all) => all.join('')),
    fc.string({ maxLength: 300 }),
  );
  const names = fc.constantFrom(
    'host',
    'origin',
    'cookie',
    'authorization',
    'content-length',
    'transfer-encoding',
    'expect',
    'upgrade',
    'x-unjam-user',
    'x-unjam-via',
    'x-unjam-protocol',
    'content-type',
    'range', // prettier-ignore
  );
  const values = fc.oneof(
    fc.constantFrom('', '%', '%E0%A4%A', '-1', '1e9', '99999999999999999999', 'chunked', 'gzip, chunked', '100-continue', 'websocket', 'null', '__proto__', 'NaN'), // prettier-ignore
    fc.string({ maxLength: 200 }).map((text) => text.replace(/[\r\n]/g, ' ')),
  );
  const headers = fc.dictionary(names, values, { maxKeys: 5 });

  test('never breaks on a request, with its key or without', async () => {
    await fc.assert(
      fc.asyncProperty(methods, targets, headers, fc.boolean(), fc.string({ maxLength: 500 }), async (...given) => {
        const [method, target, more, keyed, body] = given;
        const before = reached.length;
        const answer = await send(door, request(`${method} ${target} HTTP/1.1`, { ...(keyed ? door.key() : {}), ...more }, body)); // prettier-ignore
        // Not "internal", and not a stack: what is refused is refused in words that were meant.
        expect(answer).not.toMatch(/"code":"internal"|\n {4}at /);
        if (keyed) return;
        expect(statusOf(answer)).not.toBe(200);
        expect(reached).toHaveLength(before);
      }),
      { numRuns: 300 },
    );
    expect(await door.answers()).toBe(true);
  });

  test('a name that is not percent-encoded text does not end it', async () => {
    const answer = await send(door, request('POST /rpc/host.info HTTP/1.1', { ...door.key(), 'x-unjam-user': '%E0%A4%A', 'content-length': '0' })); // prettier-ignore
    expect(statusOf(answer)).toBe(200);
    expect(await door.answers()).toBe(true);
  });

  test.each([
    ['a header of 1 MB', { 'x-long': 'x'.repeat(1_000_000) }],
    ['10,000 headers', Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, 'y']))],
  ])('%s is refused', async (_what, more) => {
    const answer = await send(door, request('POST /rpc/host.info HTTP/1.1', { ...door.key(), ...more }));
    expect([0, 431]).toContain(statusOf(answer));
    expect(await door.answers()).toBe(true);
  });

  test('a request whose body never comes does not keep others from theirs', async () => {
    const idle = Array.from({ length: 60 }, () => door.open().on('error', () => undefined));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    for (const socket of idle)
      socket.write(
        request('POST /rpc/host.info HTTP/1.1', { ...door.key(), 'content-length': '1000' }, '{').toString(),
      );
    expect(await door.answers()).toBe(true);
    for (const socket of idle) socket.destroy();
    expect(await door.answers()).toBe(true);
  });

  test('a request whose head never ends is hung up on', { timeout: 60_000 }, async () => {
    const socket = door.open();
    socket.on('error', () => undefined);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    socket.write('POST /rpc/host.info HTTP/1.1\r\nhost: ');
    await once(socket, 'close');
    expect(statusOf(answer)).toBe(408);
  });
});
