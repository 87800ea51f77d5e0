/**
 * The host's own door: HTTP on a Unix socket or named pipe, for the CLI and for agents. The role of a caller comes from
 * what the system says about the process at the other end. Where it says nothing, the token of the state directory, which
 * only an owner can read, stands for it.
 */
import { timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, rmdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { UnjamError } from '../contract/errors.ts';
import type { Caller } from '../contract/dispatcher.ts';
import type { Role } from '../domain/access.ts';
import { addressFolder, type ConnectionOwner, type Peer, socketFolderProblem } from '../processes/index.ts';
import { actorUser, headerText } from './actor.ts';
import { type ApiOptions, createApi, refuse, requestBounds } from './http-server.ts';

/** What one account may keep open at the same time. */
const connectionsPerAccount = 128;

export interface HostSocket {
  /** Hangs up on those who have lost their role. */
  recheck(): void;
  close(): Promise<void>;
}

export interface SocketOptions extends ApiOptions {
  readonly address: string;
  readonly token: string;
  readonly ownerOf: ConnectionOwner;
  /** True for the door of a machine's host: every account may connect, and is let in only with a role. */
  readonly isDoor?: boolean;
  readonly log?: (line: string) => void;
  /** Null for an account that was given nothing. */
  readonly roleOf: (peer: Peer) => Role | null;
}

export async function openHostSocket(options: SocketOptions): Promise<HostSocket> {
  const { address, token, ownerOf, roleOf, isDoor = false } = options;
  const handle = createApi(options);
  const folder = addressFolder(address);
  if (folder !== null) {
    mkdirSync(folder, { recursive: true, mode: isDoor ? 0o755 : 0o700 });
    const problem = await socketFolderProblem(folder, isDoor);
    if (problem !== null)
      throw new UnjamError(
        'state-directory',
        `The host's door cannot be opened in "${folder}": ${problem}.`,
        'Remove that folder, or correct its owner and its rights.',
      );
    rmSync(address, { force: true }); // of a host that was killed; this process was elected
  }
  const peers = new WeakMap<Socket, Peer>();
  const open = new Map<string, Set<Socket>>();
  const server = createServer(requestBounds, (request, response) => {
    const peer = peers.get(request.socket) ?? null;
    const role = peer === null ? (!isDoor && isToken(request, token) ? 'owner' : null) : roleOf(peer);
    if (role === null) {
      refuse(response, peer === null ? unknownCaller() : stranger(peer));
      return;
    }
    handle(request, response, callerOf(request, peer, role)).then(
      (known) => {
        if (!known)
          refuse(
            response,
            new UnjamError(
              'unknown-method',
              `There is nothing at "${request.url ?? ''}".`,
              'Use POST /rpc/<method>, GET /events, GET /scripts/<ticket>/events or GET /openapi.json.',
            ),
          );
      },
      () => response.destroy(),
    );
  });
  server.on('connection', (socket) => {
    let peer: Peer | null;
    try {
      peer = ownerOf(socket);
    } catch (error) {
      options.log?.(`W391 The system does not tell who calls: ${(error as Error).message}. The call was refused.`);
      socket.destroy();
      return;
    }
    const account = peer?.ids[0] ?? '';
    const sockets = open.get(account) ?? new Set();
    if (sockets.size >= connectionsPerAccount && (peer === null || roleOf(peer) !== 'owner')) {
      socket.destroy();
      return;
    }
    open.set(account, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) open.delete(account);
    });
    if (peer !== null) peers.set(socket, peer);
  });
  await listen(server, address);
  // The next instance of a pipe may be refused while others go on: that must not end the host.
  server.on('error', (error) => options.log?.(`W391 The host's door met an error: ${error.message}.`));
  if (folder !== null) chmodSync(address, isDoor ? 0o666 : 0o600);
  return {
    recheck() {
      for (const socket of [...open.values()].flatMap((sockets) => [...sockets])) {
        const peer = peers.get(socket);
        if (peer !== undefined && roleOf(peer) === null) socket.destroy();
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      if (folder === null || isDoor) return;
      try {
        rmdirSync(folder); // the short folder of a long path; a state directory is not empty
      } catch {
        // It is the state directory.
      }
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

const unknownCaller = (): UnjamError =>
  new UnjamError(
    'unauthorized',
    'The system does not tell who calls, and the token is missing or wrong.',
    'Send "Authorization: Bearer" with the content of the file "token" in the state directory.',
  );

const stranger = ({ user }: Peer): UnjamError =>
  new UnjamError(
    'unauthorized',
    `${user} has no role on this host.`,
    'Ask an owner of it for one: unjam access grant <account> viewer.',
  );

/** In whose name somebody acts is not for the caller alone to say. */
function callerOf(request: IncomingMessage, peer: Peer | null, role: Role): Caller {
  const via = request.headers['x-unjam-via'];
  return {
    via: via === 'cli' || via === 'window' || via === 'browser' ? via : 'api',
    user: actorUser(headerText(request.headers['x-unjam-user']), peer?.user ?? null),
    role,
    ...(peer?.pid == null ? {} : { pid: peer.pid }),
    // Behind a console of another process there may be anybody to whom its address was given.
    ...(peer === null || via === 'browser' ? {} : { ids: peer.ids }),
    ...(peer === null ? {} : { from: [...(peer.pid === null ? [] : [`PID ${peer.pid}`]), peer.ids[0]].join(', ') }),
  };
}
