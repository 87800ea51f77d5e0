/**
 * The console for a browser: the built page and the API on a loopback port. A one-time token in the URL becomes an
 * HttpOnly, SameSite=Strict cookie and a key that only the page's own origin can read; Host and Origin are checked,
 * nothing is cached, there is no CORS.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { UnjamError } from '../contract/errors.ts';
import type { Role } from '../domain/access.ts';
import type { ConnectionOwner, Peer } from '../processes/index.ts';
import { actorUser } from './actor.ts';
import { ConsoleSessions, type Holder } from './console-sessions.ts';
import { apiPath, type ApiOptions, createApi, pathOf, refuse, requestBounds } from './http-server.ts';
import { consoleFile, htmlType, pageHeaders, scriptType } from './static-files.ts';

export interface ConsoleServer {
  readonly port: number;
  /** A URL that opens the console once; every call makes a new one. Valid for ten minutes, for whoever comes first. */
  oneTimeUrl(): string;
  /** As `oneTimeUrl`, for `holder` alone and for `forMs`. A HEAD request says whether it still waits: 200, then 410. */
  urlFor(holder: Holder, forMs: number): string;
  /** Hangs up on those who have lost their role. */
  recheck(): void;
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

/** A browser uses six for each host; more than this many of one account at once are not answered. */
const connectionsPerAccount = 64;
/** How long the address is good that this process itself shows to who started it, ms. */
const ownAddressMs = 600_000;
/** Where the page keeps its key: of its origin, with the port, and shared by its tabs. */
const keyName = 'unjam-key';

export async function openConsole(options: ConsoleOptions): Promise<ConsoleServer> {
  const handle = createApi(options);
  const sessions = new ConsoleSessions();
  const connections = new Map<string | null, number>();
  const peers = new WeakMap<Socket, Peer>();
  const answering = new Map<ServerResponse, Holder>();
  const opener: Holder = { account: null, user: options.user, role: () => options.role };
  let origin = '';
  let cookieName = '';

  const server = createServer(requestBounds, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    const account = accountOf(socket);
    const open = (connections.get(account) ?? 0) + 1;
    if (open > connectionsPerAccount) {
      socket.destroy();
      return;
    }
    connections.set(account, open);
    socket.once('close', () => {
      const left = (connections.get(account) ?? 1) - 1;
      if (left > 0) connections.set(account, left);
      else connections.delete(account);
    });
  });
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
      if (request.method === 'HEAD')
        response.writeHead(sessions.isWaiting(url.searchParams.get('t') ?? '') ? 200 : 410).end();
      else login(url, request.socket, response);
      return;
    }
    if (url.pathname === '/login.js') {
      response.writeHead(200, { 'content-type': scriptType }).end(loginScript);
      return;
    }
    const isApi = apiPath(url.pathname) !== null;
    const holder = isApi ? holderOf(request, url) : null;
    if (isApi ? holder === null : !sessions.knows(cookiesOf(request), accountOf(request.socket))) {
      response
        .writeHead(401, { 'content-type': 'text/plain; charset=utf-8' })
        .end('This console needs a one-time address: run "unjam open".\n');
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
    if (holder === null) {
      await file(url.pathname, response);
      return;
    }
    const role = holder.role();
    if (role === null) {
      refuse(
        response,
        new UnjamError(
          'forbidden',
          'You have no role on this host any more.',
          'Ask an owner of it for one, then run "unjam open".',
        ),
      );
      return;
    }
    answering.set(response, holder);
    response.once('close', () => answering.delete(response));
    const ids = peerOf(request.socket)?.ids;
    const caller = { user: userOf(request.socket), via: 'browser', role, ...(ids && { ids }) } as const;
    if (!(await handle(request, response, caller))) response.writeHead(404).end('Not found\n');
  }

  function login(url: URL, socket: Socket, response: ServerResponse): void {
    const text = { 'content-type': 'text/plain; charset=utf-8' };
    const login = sessions.login(url.searchParams.get('t') ?? '', accountOf(socket));
    switch (login.kind) {
      case 'too-many':
        response.writeHead(429, { ...text, 'retry-after': '60' }).end('Too many attempts\n');
        return;
      case 'wrong':
        response
          .writeHead(403, text)
          .end('This address was used already, or is too old. Run "unjam open" for a new one.\n');
        return;
      case 'of-another':
        response
          .writeHead(403, text)
          .end(
            `This address works only in a browser of ${login.user}. Run "unjam open" as yourself for one of your own.\n`,
          );
        return;
      case 'in':
        response
          .writeHead(200, {
            'content-type': htmlType,
            'set-cookie': `${cookieName}=${login.cookie}; HttpOnly; SameSite=Strict; Path=/`,
          })
          .end(loginPage(login.key));
    }
  }

  /** Of the page alone: a stream of events has no header, and is asked for by the page's own script. */
  function holderOf(request: IncomingMessage, url: URL): Holder | null {
    const header = request.headers['x-unjam-key'];
    const key = typeof header === 'string' ? header : url.pathname === '/events' ? url.searchParams.get('key') : null;
    return sessions.holder(cookiesOf(request), key ?? '', accountOf(request.socket));
  }

  function accountOf(socket: Socket): string | null {
    return peerOf(socket)?.ids[0] ?? null;
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

  function cookiesOf(request: IncomingMessage): readonly string[] {
    return (request.headers.cookie ?? '')
      .split(/;\s*/)
      .filter((cookie) => cookie.startsWith(`${cookieName}=`))
      .map((cookie) => cookie.slice(cookieName.length + 1));
  }

  async function file(pathname: string, response: ServerResponse): Promise<void> {
    const found = await consoleFile(options.root, pathname);
    if (found === null) response.writeHead(404).end('Not found\n');
    else
      response
        .writeHead(200, { 'content-type': found.type, 'content-length': found.content.length })
        .end(found.content);
  }

  const urlFor = (holder: Holder, forMs: number): string => `${origin}/login?t=${sessions.oneTimeToken(holder, forMs)}`;

  return {
    port,
    oneTimeUrl: () => urlFor(opener, ownAddressMs),
    urlFor,
    recheck() {
      for (const [response, holder] of answering) if (holder.role() === null) response.destroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const headers = { ...pageHeaders('browser'), 'cache-control': 'no-store' };

/** A page of its own: a redirect that began at another site would not carry the cookie along. */
const loginPage = (key: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Unjam</title><meta name="${keyName}" content="${key}"><script src="/login.js"></script>\n`;

const loginScript = `localStorage.setItem('${keyName}', document.querySelector('meta[name=${keyName}]').content);
location.replace('/' + location.hash);
`;
