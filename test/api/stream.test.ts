/** The streams over HTTP: when that of one script ends, that nobody is waited for who has gone, and what a slow reader gets. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createApi } from '../../app/api/http-server.ts';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import type { Reply, Snapshot } from '../../app/contract/methods.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function stream(dispatch: Dispatch): Promise<IncomingMessage> {
  const handle = createApi({ dispatch, subscribe: () => () => undefined, version: 'test' });
  const caller: Caller = { user: 'kim', via: 'api', role: 'viewer' };
  server = createServer((request, response) => void handle(request, response, caller));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const [response] = (await once(get({ port, path: '/scripts/a%20b/events' }), 'response')) as [IncomingMessage];
  return response;
}

const running: Reply = { ok: true, value: { mark: 'm1', complete: false, script: { ticket: 'a b' } } };

test('a role that is taken away ends it', async () => {
  const asked: unknown[] = [];
  const refused: Reply = { ok: false, error: { code: 'forbidden', message: 'no', next: 'ask' } };
  const response = await stream((method, input) => {
    asked.push([method, input]);
    return Promise.resolve(asked.length === 1 ? running : refused);
  });
  expect(await text(response)).toBe('event: script\nid: m1\ndata: {"ticket":"a b"}\n\nretry: 60000\n\n');
  expect(asked).toMatchObject([
    ['scripts.follow', { ticket: 'a b' }],
    ['scripts.follow', { ticket: 'a b', since: 'm1', waitMs: 15_000 }],
  ]);
});

test('when its reader has gone, the host is told', async () => {
  const told = Promise.withResolvers<Reply>();
  let asked = 0;
  const response = await stream((_method, _input, { gone }) => {
    asked += 1;
    if (asked === 1) return Promise.resolve(running);
    gone?.addEventListener('abort', () => told.resolve(running));
    return told.promise;
  });
  await once(response, 'data');
  response.destroy();
  await told.promise;
  expect(asked).toBe(2);
});

test('who does not keep up with snapshots gets what is under way and the newest, and the host keeps no backlog', async () => {
  let push: (snapshot: Snapshot) => void = () => undefined;
  const subscribe = (listener: typeof push) => {
    push = listener;
    listener({ sequence: 0 } as Snapshot); // as the feed does
    return () => undefined;
  };
  const handle = createApi({ dispatch: () => Promise.reject(new Error('nothing is called')), subscribe, version: 'test' }); // prettier-ignore
  server = createServer((request, response) => void handle(request, response, { user: 'kim', via: 'api', role: 'viewer' })); // prettier-ignore
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const [response] = (await once(get({ port, path: '/events' }), 'response')) as [IncomingMessage];
  const large = 'x'.repeat(1_000_000);
  for (let sequence = 1; sequence <= 200; sequence += 1) push({ sequence, large } as unknown as Snapshot);
  let got = '';
  response.setEncoding('utf8').on('data', (more: string) => (got += more));
  while (!got.includes('id: 200\n') || !got.endsWith('\n\n')) await once(response, 'data');
  expect([...got.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(['0', '1', '200']);
  response.destroy();
});
