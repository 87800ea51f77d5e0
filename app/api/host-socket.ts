/** The host's own door: HTTP on a Unix socket or named pipe, for the CLI and for agents. Needs the state directory's token. */
import { timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { UnjamError } from '../contract/errors.ts';
import type { Caller } from '../contract/dispatcher.ts';
import { addressFolder, type ConnectionOwner } from '../processes/index.ts';
import { actorUser, headerText } from './actor.ts';
import { type ApiOptions, createApi, refuse, requestBounds } from './http-server.ts';

export interface HostSocket {
  close(): Promise<void>;
}

export async function openHostSocket(
  address: string,
  token: string,
  ownerOf: ConnectionOwner,
  options: ApiOptions,
): Promise<HostSocket> {
  const handle = createApi(options);
  const folder = addressFolder(address);
  if (folder !== null) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    rmSync(address, { force: true }); // of a host that was killed; this process was elected
  }
  const owners = new WeakMap<Socket, string>();
  const server = createServer(requestBounds, (request, response) => {
    if (!isToken(request, token)) {
      refuse(
        response,
        new UnjamError(
          'unauthorized',
          'The token is missing or wrong.',
          'Send "Authorization: Bearer" with the content of the file "token" in the state directory.',
        ),
      );
      return;
    }
    handle(request, response, callerOf(request, owners.get(request.socket) ?? null)).then(
      (known) => {
        if (!known)
          refuse(
            response,
            new UnjamError(
              'unknown-method',
              `There is nothing at "${request.url ?? ''}".`,
              'Use POST /rpc/<method>, GET /events or GET /openapi.json.',
            ),
          );
      },
      () => response.destroy(),
    );
  });
  server.on('connection', (socket) => {
    const owner = ownerOf(socket);
    if (owner !== null) owners.set(socket, owner);
  });
  await listen(server, address);
  if (folder !== null) chmodSync(address, 0o600);
  return {
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isToken(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Whoever has the token may act; in whose name is not for the caller alone to say. */
function callerOf(request: IncomingMessage, owner: string | null): Caller {
  const via = request.headers['x-unjam-via'];
  return {
    via: via === 'cli' || via === 'window' || via === 'browser' ? via : 'api',
    user: actorUser(headerText(request.headers['x-unjam-user']), owner),
  };
}
