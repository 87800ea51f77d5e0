/**
 * The console for a browser: the built page and the API on a loopback port. A one-time token in the URL becomes an
 * HttpOnly, SameSite=Strict cookie; Host and Origin are checked, nothing is cached, there is no CORS.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join, normalize, sep } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import type { Role } from '../domain/access.ts';
import type { ConnectionOwner, Peer } from '../processes/index.ts';
import { actorUser } from './actor.ts';
import { contentSecurityPolicy } from './csp.ts';
import { type ApiOptions, createApi, pathOf, refuse, requestBounds } from './http-server.ts';

export interface ConsoleServer {
  readonly port: number;
  /** A URL that opens the console once; every call makes a new one. Valid for ten minutes. */
  oneTimeUrl(): string;
  close(): Promise<void>;
}

export interface ConsoleOptions extends ApiOptions {
  /** Folder of the built renderer. */
  readonly root: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Who opened this console: what is recorded, marked as unverified, when the system does not tell who calls. */
  readonly user: string;
  readonly ownerOf: ConnectionOwner;
  /** What who opened this console may do: a one-time address hands on no more than that. */
  readonly role: Role;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
const tokenLivesMs = 600_000;
/** Wrong log-in attempts within a minute before the door stays shut for the rest of it. */
const triesPerMinute = 20;
/** A browser uses six; more than this many at once are not answered. */
const connectionsMax = 128;

export async function openConsole(options: ConsoleOptions): Promise<ConsoleServer> {
  const handle = createApi(options);
  const session = randomBytes(32).toString('base64url');
  const oneTime = new Map<string, number>();
  const peers = new WeakMap<Socket, Peer>();
  let tries = { minute: 0, count: 0 };
  let origin = '';
  let cookieName = '';

  const server = createServer(requestBounds, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' || error.code === 'EACCES'
          ? new UnjamError(
              'not-possible',
              `Port ${options.port} cannot be used: ${error.message}.`,
              'Give another with --port, or none.',
              'port',
            )
          : error,
      ),
    );
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  // Cookies are shared by all ports of a host: the name keeps two consoles apart.
  cookieName = `unjam-${port}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (request.headers.host !== `127.0.0.1:${port}`) {
      response.writeHead(421).end('Misdirected request');
      return;
    }
    const url = pathOf(request);
    if (url === null) {
      response.writeHead(400).end('Bad request\n');
      return;
    }
    if (url.pathname === '/login') {
      login(url, response);
      return;
    }
    if (!hasSession(request)) {
      response
        .writeHead(401, { 'content-type': 'text/plain; charset=utf-8' })
        .end('This console needs the one-time address that "unjam serve --console" prints.\n');
      return;
    }
    const crossSite = request.headers.origin !== undefined && request.headers.origin !== origin;
    if (request.method === 'POST' && (crossSite || request.headers.origin === undefined)) {
      refuse(
        response,
        new UnjamError('unauthorized', 'The request came from another page.', 'Use the console’s own page.'),
      );
      return;
    }
    if (await handle(request, response, { user: userOf(request.socket), via: 'browser', role: options.role })) return;
    await file(url.pathname, response);
  }

  function login(url: URL, response: ServerResponse): void {
    const minute = Math.floor(Date.now() / 60_000);
    if (tries.minute !== minute) tries = { minute, count: 0 };
    if (tries.count >= triesPerMinute) {
      response.writeHead(429, { 'retry-after': '60' }).end('Too many attempts\n');
      return;
    }
    const given = url.searchParams.get('t') ?? '';
    const born = [...oneTime].find(([token]) => same(token, given))?.[1];
    oneTime.delete(given);
    if (born === undefined || Date.now() - born > tokenLivesMs) {
      tries.count += 1;
      response
        .writeHead(403, { 'content-type': 'text/plain; charset=utf-8' })
        .end('This address was used already, or is too old. Ask for a new one with "unjam serve --console".\n');
      return;
    }
    response
      .writeHead(303, { location: '/', 'set-cookie': `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/` })
      .end();
  }

  /** Another user of this machine may have been given the address. */
  function userOf(socket: Socket): string {
    return peerOf(socket)?.user ?? actorUser(options.user, null);
  }

  function peerOf(socket: Socket): Peer | null {
    const known = peers.get(socket);
    if (known !== undefined) return known;
    const peer = options.ownerOf(socket);
    if (peer !== null) peers.set(socket, peer);
    return peer;
  }

  function hasSession(request: IncomingMessage): boolean {
    const cookies = (request.headers.cookie ?? '').split(/;\s*/);
    return cookies.some((c) => c.startsWith(`${cookieName}=`) && same(c.slice(cookieName.length + 1), session));
  }

  async function file(pathname: string, response: ServerResponse): Promise<void> {
    const path = normalize(join(options.root, pathname === '/' ? 'index.html' : pathname));
    const type = types[extname(path)];
    if (!path.startsWith(options.root + sep) || type === undefined) {
      response.writeHead(404).end('Not found\n');
      return;
    }
    try {
      const content = await readFile(path);
      response.writeHead(200, { 'content-type': type, 'content-length': content.length }).end(content);
    } catch {
      response.writeHead(404).end('Not found\n');
    }
  }

  return {
    port,
    oneTimeUrl() {
      const token = randomBytes(32).toString('base64url');
      oneTime.set(token, Date.now());
      return `${origin}/login?t=${token}`;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const headers = {
  'content-security-policy': contentSecurityPolicy('browser'),
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
