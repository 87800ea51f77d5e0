/** The stream of one script, over HTTP: when it ends, and that nobody is waited for who has gone. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createApi } from '../../app/api/http-server.ts';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import type { Reply } from '../../app/contract/methods.ts';

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
