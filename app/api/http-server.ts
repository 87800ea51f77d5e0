/**
 * The contract over HTTP: `POST /rpc/<method>`, `GET /events` and `GET /scripts/<ticket>/events` (SSE), `GET /metrics`,
 * `GET /openapi.json`, `POST /tentacle/v2/<verb>`; each also below `/v1`. Knows no sockets.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Caller, Dispatch } from '../contract/dispatcher.ts';
import { type ErrorBody, errorCodes, UnjamError } from '../contract/errors.ts';
import type { Output, Reply, Snapshot } from '../contract/methods.ts';
import { contractProtocol, versionHeader } from '../contract/protocol.ts';
import { limits } from '../domain/limits.ts';
import { answerMetrics } from './metrics-answer.ts';
import { openApi } from './open-api.ts';
import type { Tentacle } from './tentacle.ts';

export interface ApiOptions {
  readonly dispatch: Dispatch;
  readonly subscribe: (listener: (snapshot: Snapshot) => void) => () => void;
  readonly version: string;
  /** Absent: nothing answers below `/tentacle`. */
  readonly tentacle?: Tentacle;
}

/** What a slow or broken caller can keep open, ms: the head of a request for 10 s, the whole of it for 30 s. */
export const requestBounds = {
  keepAliveTimeout: 60_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
} as const;

/** The path of a request, or null when it is not one: `//` and `http://[` are not. */
export function pathOf(request: IncomingMessage): URL | null {
  return URL.parse(request.url ?? '/', 'http://unjam');
}

/** Answers one request; `caller` was found out by whoever accepted it. Returns false when the path is not of the API. */
export function createApi({ dispatch, subscribe, version, tentacle }: ApiOptions) {
  return async function handle(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<boolean> {
    const [path, protocol] = apiPath(pathOf(request)?.pathname ?? '') ?? [];
    if (path === undefined) return false;
    const problem = protocolProblem(path, protocol ?? request.headers['x-unjam-protocol']);
    if (problem !== null) {
      refuse(response, problem);
      return true;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const waiting = { ...caller, gone: gone.signal };
    if (path.startsWith('/rpc/')) {
      response.setHeader(versionHeader, version);
      const method = decoded(path.slice('/rpc/'.length));
      await reply(response, await posted(request, (body) => dispatch(method, body, waiting)));
      return true;
    }
    if (path.startsWith(tentaclePath) && tentacle !== undefined) {
      const verb = path.slice(tentaclePath.length);
      const answer = await posted(request, async (body) => ({ ok: true, value: await tentacle(verb, body, waiting) }));
      await (answer.ok ? json(response, 200, answer.value) : reply(response, answer));
      return true;
    }
    if (path === '/events' && request.method === 'GET') {
      events(response);
      return true;
    }
    const [, ticket] = /^\/scripts\/([^/]+)\/events$/.exec(path) ?? [];
    if (ticket !== undefined && request.method === 'GET') {
      await follow(request, response, decoded(ticket), waiting);
      return true;
    }
    if (path === '/metrics' && request.method === 'GET') {
      const answer = await dispatch('metrics.get', {}, caller);
      if (answer.ok) answerMetrics(request, response, (answer.value as Output<'metrics.get'>).text);
      else await reply(response, answer);
      return true;
    }
    if (path === '/openapi.json' && request.method === 'GET') {
      await json(response, 200, openApi(version));
      return true;
    }
    return false;
  };

  /** Null when the caller speaks the protocol of this host, or does not say. */
  function protocolProblem(path: string, spoken: string | string[] | undefined): UnjamError | null {
    // Who the host is, and that it makes room for another one, is said in every protocol: an upgrade needs both.
    const isForAll = path === '/rpc/host.info' || path === '/rpc/host.retire';
    if (spoken === undefined || Number(spoken) === contractProtocol || isForAll) return null;
    return new UnjamError(
      'version-mismatch',
      `This host (Unjam ${version}) speaks protocol ${contractProtocol}, the caller ${String(spoken)}.`,
      'Let a host of the caller\'s version take over, with "unjam serve --take-over" of that version; scripts keep running.',
    );
  }

  /** Asks anew for every event, so that a role that was taken away ends it. Ends with the script. */
  async function follow(request: IncomingMessage, response: ServerResponse, ticket: string, caller: Caller) {
    const resumed = request.headers['last-event-id'];
    let since = typeof resumed === 'string' ? resumed : undefined;
    while (!response.destroyed) {
      const waitMs = response.headersSent ? beatMs : 1;
      const input = { ticket, ...(since === undefined ? {} : { since }), waitMs };
      const answer = await dispatch('scripts.follow', input, caller);
      if (!answer.ok) {
        if (response.headersSent) response.end(`retry: ${retryAfterS * 1_000}\n\n`);
        else await reply(response, answer);
        return;
      }
      const { mark, complete, script } = answer.value as Output<'scripts.follow'>;
      if (complete && mark === since && !response.headersSent) {
        response.writeHead(204).end(); // so that an EventSource does not come again
        return;
      }
      if (!response.headersSent) response.writeHead(200, streamHead);
      const isTaken = response.write(
        mark === since ? stillHere : `event: script\nid: ${mark}\ndata: ${JSON.stringify(script)}\n\n`,
      );
      since = mark;
      if (complete) {
        response.end();
        return;
      }
      if (!isTaken) await once(response, 'drain', { signal: caller.gone }).catch(() => undefined);
    }
  }

  function events(response: ServerResponse): void {
    response.writeHead(200, streamHead);
    // A reader that does not keep up gets the newest snapshot when it has read the one before, and no backlog.
    let newest: Snapshot | null = null;
    const send = (snapshot: Snapshot): void => {
      newest = response.writableNeedDrain ? snapshot : null;
      if (newest === null) response.write(eventOf(snapshot));
    };
    const stop = subscribe(send);
    response.on('drain', () => newest && send(newest));
    const beat = setInterval(() => response.writableNeedDrain || response.write(stillHere), beatMs);
    response.on('close', () => {
      clearInterval(beat);
      stop();
    });
  }
}

const events = new WeakMap<Snapshot, Buffer>();

/** Made once for all who listen. */
function eventOf(snapshot: Snapshot): Buffer {
  const known = events.get(snapshot);
  if (known) return known;
  const made = Buffer.from(`event: snapshot\nid: ${snapshot.sequence}\ndata: ${JSON.stringify(snapshot)}\n\n`);
  events.set(snapshot, made);
  return made;
}

/** The path without its `/v1`, and the protocol that it names; null for what is not of the API. */
export function apiPath(pathname: string): readonly [path: string, protocol?: string] | null {
  const [, protocol, path = ''] =
    /^(?:\/v(\d+))?(\/(?:rpc|scripts|tentacle)\/.*|\/(?:events|metrics|openapi\.json))$/.exec(pathname) ?? [];
  if (path === '') return null;
  return protocol === undefined ? [path] : [path, protocol];
}

async function posted(request: IncomingMessage, carryOut: (body: unknown) => Promise<Reply>): Promise<Reply> {
  try {
    if (request.method !== 'POST')
      throw new UnjamError('bad-input', 'Methods are called with POST.', 'Use POST with a JSON body.');
    return await carryOut(await readBody(request));
  } catch (error) {
    if (error instanceof UnjamError) return { ok: false, error: error.toBody() };
    throw error;
  }
}

/** A name that is not percent-encoded text is looked up as it stands, and not found. */
function decoded(method: string): string {
  try {
    return decodeURIComponent(method);
  } catch {
    return method;
  }
}

/** With `Accept: application/problem+json` an error comes as RFC 9457 has it. */
async function reply(response: ServerResponse, value: Reply): Promise<void> {
  if (value.ok) return json(response, 200, value);
  const { error } = value;
  const status = statusOf(error);
  if (!(response.req.headers.accept ?? '').includes(problemType)) return json(response, status, value);
  const { message: detail, code, ...rest } = error;
  const problem = { type: `urn:unjam:error:${code}`, title: code, status, detail, code, ...rest };
  return json(response, status, problem, problemType);
}

const streamHead = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};
/** How long a stream is silent at most, ms. */
const beatMs = 15_000;
const stillHere = ': still here\n\n';
const tentaclePath = '/tentacle/v2/';
const problemType = 'application/problem+json';

export function refuse(response: ServerResponse, error: UnjamError): void {
  void reply(response, { ok: false, error: error.toBody() });
}

/** Answers shorter than this are not worth the time, bytes. */
const gzipFrom = 65_536;
/** When a host that was too busy is worth another try, s. */
const retryAfterS = 60;

async function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  type = 'application/json',
): Promise<void> {
  const text = Buffer.from(JSON.stringify(value));
  const isZipped = text.length >= gzipFrom && /\bgzip\b/.test(String(response.req.headers['accept-encoding'] ?? ''));
  const body = isZipped ? await promisify(gzip)(text, { level: 1 }) : text;
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(isZipped ? { 'content-encoding': 'gzip', vary: 'accept-encoding' } : {}),
    ...(status === 503 ? { 'retry-after': String(retryAfterS) } : {}),
    ...(status === 413 ? { connection: 'close' } : {}),
  });
  response.end(body);
}

/** The HTTP status of an error. */
export function statusOf(error: Pick<ErrorBody, 'code'>): number {
  switch (error.code) {
    case 'unknown-method':
    case 'unknown-ticket':
    case 'unknown-mutex':
      return 404;
    case 'too-large':
      return 413;
    case 'unauthorized':
      return 401;
    case 'forbidden':
    case 'not-allowed':
      return 403;
    case 'stale-version':
    case 'other-process':
    case 'wrong-confirmation':
    case 'not-confirmed':
    case 'not-final':
    case 'not-possible':
    case 'not-paused':
      return 409;
    case 'version-mismatch':
      return 426;
    case 'start-failed':
    case 'busy':
      return 503;
    default:
      return errorCodes[error.code] === 'usage' ? 400 : 500;
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // What is too much is read and dropped, so that the caller gets the answer and not a broken connection.
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limits.bodyMaxBytes) chunks.push(chunk);
      else if (size > 64 * limits.bodyMaxBytes) request.destroy();
    });
    request.on('end', () =>
      size <= limits.bodyMaxBytes
        ? resolve(Buffer.concat(chunks))
        : reject(
            new UnjamError(
              'too-large',
              `The request body is larger than ${limits.bodyMaxBytes} bytes.`,
              'Send less: pass large input to the script through a file.',
            ),
          ),
    );
    request.on('error', reject);
    request.on('close', () => reject(new Error('The request ended before its body did.')));
  });
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new UnjamError(
      'bad-input',
      'The request body is not JSON.',
      'Send one JSON object; GET /openapi.json describes it.',
    );
  }
}
