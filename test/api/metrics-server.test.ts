/** The numbers on a loopback port: read by this machine alone, by its name alone, and nothing else is there. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MetricsServer } from '../../app/api/metrics-server.ts';

const said: string[] = [];
let made = 0;
let server: MetricsServer;
let port = 0;

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const taken = await taking();
  const { port: free } = taken.address() as AddressInfo;
  await new Promise((resolve) => taken.close(resolve));
  return free;
}

async function taking(): Promise<Server> {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  return other;
}

beforeEach(async () => {
  said.length = 0;
  made = 0;
  server = new MetricsServer({
    text: () => Promise.resolve(`unjam_up ${(made += 1)}\n`),
    log: (line) => said.push(line),
  });
  port = await freePort();
  await server.use(port);
});
afterEach(() => server.close());

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
  readonly address?: string;
  readonly accept?: string;
}

async function ask({ path = '/metrics', method = 'GET', host, accept, address = '127.0.0.1' }: Asked = {}) {
  const call = request({
    host: address,
    port,
    path,
    method,
    headers: { ...(host && { host }), ...(accept && { accept }) },
  });
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

test('are the text of metrics.get, made at most once a second, and cannot be read by a page', async () => {
  const { status, headers, body } = await ask();
  expect([status, body, headers['content-type']]).toEqual([200, 'unjam_up 1\n', 'text/plain; version=0.0.4; charset=utf-8']); // prettier-ignore
  expect(headers['access-control-allow-origin']).toBeUndefined();
  await Promise.all(Array.from({ length: 5 }, () => ask({ host: `localhost:${port}` })));
  expect(made).toBeLessThan(6);
});

test('are OpenMetrics for whoever accepts that, with an end', async () => {
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const { headers, body } = await ask({ accept });
  expect([body, headers['content-type']]).toEqual(['unjam_up 1\n# EOF\n', 'application/openmetrics-text; version=1.0.0; charset=utf-8']); // prettier-ignore
});

test.each([
  [{ host: 'evil.example' }, 421],
  [{ host: 'localhost' }, 421],
  [{ path: '/' }, 404],
  [{ path: '/rpc/host.info', method: 'POST' }, 404],
  [{ path: '/events' }, 404],
  [{ method: 'POST' }, 405],
])('%j is answered %i and has no number', async (asked, status) => {
  const answer = await ask(asked);
  expect(answer.status).toBe(status);
  expect(answer.body).not.toContain('unjam_up');
});

test('are at no other address than 127.0.0.1', async () => {
  await expect(ask({ address: '127.0.0.2' })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('move with the setting, and are gone without it', async () => {
  const before = port;
  port = await freePort();
  await server.use(port);
  expect((await ask()).status).toBe(200);
  port = before;
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await server.use(0);
  expect(said).toEqual([]);
});

test('a port that another program has is said once, and taken when it is free', async () => {
  const other = await taking();
  ({ port } = other.address() as AddressInfo);
  await server.use(port);
  await server.use(port);
  expect(said).toEqual([expect.stringMatching(/^W391 The numbers of this host cannot be read .*EADDRINUSE/)]);
  await new Promise((resolve) => other.close(resolve));
  await server.use(port);
  expect((await ask()).status).toBe(200);
});
