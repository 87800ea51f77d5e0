/**
 * A host in memory for the console: the contract over HTTP and server-sent events, with states that are hard to bring
 * about for real (unkillable, offline, a thousand scripts, hostile output). It serves the built page under the strict policy.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { ErrorBody } from '../../app/contract/errors.ts';
import type { Input, LogEntry, LogPage, Method, Output, Reply } from '../../app/contract/methods.ts';
import { settingBounds } from '../../app/contract/settings-schemas.ts';
import { emptyLayer, type Values, viewOf } from '../../app/settings/layers.ts';
import { logLine, logLines, logSearch } from './browser-log-host.ts';
import { hostInfo, type World } from './browser-worlds.ts';

const root = join(import.meta.dirname, '../../dist/renderer');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

const strictPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html',
].join('; ');

export interface Call {
  readonly method: Method;
  readonly input: Record<string, unknown>;
}

type Answer = (input: Record<string, unknown>) => unknown;

export class FakeHost {
  readonly calls: Call[] = [];
  world: World;
  /** Answers of a test, instead of the usual ones. Throw an ErrorBody to refuse. */
  readonly answers = new Map<Method, Answer>();
  /** Events are held back until the next `push`. */
  isSilent = false;

  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #logWaiters = new Set<() => void>();
  #sequence = 0;
  #isDown = false;

  private constructor(world: World) {
    this.world = world;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(world: World): Promise<FakeHost> {
    const host = new FakeHost(world);
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endStreams();
    this.#wakeLogs();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Changes the world and tells every page. */
  push(change?: (world: World) => void): void {
    change?.(this.world);
    const data = this.#event();
    for (const stream of this.#streams) stream.write(data);
  }

  appendLog(ticket: string, entries: readonly Omit<LogEntry, 'seq' | 'next'>[]): void {
    const log = this.world.logs.get(ticket) ?? [];
    this.world.logs.set(ticket, [...log, ...sequenced(entries, log.at(-1)?.next ?? 0)]);
    this.#wakeLogs();
  }

  /** As if the host had gone: streams end, calls are cut. */
  goDown(): void {
    this.#isDown = true;
    this.#endStreams();
    this.#wakeLogs();
    this.#server.closeAllConnections();
  }

  comeBack(): void {
    this.#isDown = false;
  }

  commands(): readonly Call[] {
    return this.calls.filter(({ method }) =>
      /^scripts\.(?:start|cancel|kill|abandon|complete)$|^locks\.resume$|^settings\.set$|^drill\.start$/.test(method),
    );
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isDown) {
      request.socket.destroy();
      return;
    }
    const path = new URL(request.url ?? '/', 'http://host').pathname;
    if (path === '/events') this.#subscribe(response);
    else if (path.startsWith('/rpc/')) await this.#answer(path.slice(5) as Method, request, response);
    else await serveFile(path, response);
  }

  #subscribe(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 200\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    if (!this.isSilent) response.write(this.#event());
  }

  #event(): string {
    this.#sequence += 1;
    const snapshot = { ...this.world.snapshot(), sequence: this.#sequence };
    return `event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`;
  }

  async #answer(method: Method, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const input = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
    this.calls.push({ method, input });
    const reply = await this.#reply(method, input);
    if (this.#isDown) {
      request.socket.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(reply));
  }

  async #reply(method: Method, input: Record<string, unknown>): Promise<Reply> {
    try {
      const answer = this.answers.get(method);
      return { ok: true, value: answer === undefined ? await this.#usual(method, input) : await answer(input) };
    } catch (error) {
      return { ok: false, error: error as ErrorBody };
    }
  }

  async #usual(method: Method, input: Record<string, unknown>): Promise<unknown> {
    const ticket = String(input['ticket'] ?? '');
    switch (method) {
      case 'host.info':
        return hostInfo;
      case 'overview.get':
        return { ...this.world.snapshot(), sequence: this.#sequence } satisfies Output<'overview.get'>;
      case 'scripts.get':
      case 'scripts.cancel':
      case 'scripts.kill':
      case 'scripts.abandon':
        return (
          this.world.scripts.get(ticket) ??
          refuse({ code: 'unknown-ticket', message: `There is no script ${ticket}.`, next: 'Look at the list.' })
        );
      case 'logs.read':
        return await this.#readLog(ticket, input as Input<'logs.read'>);
      case 'logs.lines':
        return await this.#logLines(ticket, input as Input<'logs.lines'>);
      case 'logs.search':
        return logSearch(this.world.logs.get(ticket) ?? [], input as Input<'logs.search'>);
      case 'logs.line':
        return logLine(this.world.logs.get(ticket) ?? [], input as Input<'logs.line'>);
      case 'history.list':
        return this.world.history;
      case 'settings.get':
        return this.#settings();
      case 'settings.set': {
        const { values = {}, reset = [] } = input as Input<'settings.set'>;
        this.world.settings = Object.fromEntries(
          Object.entries({ ...this.world.settings, ...values }).filter(([key]) => !(reset as string[]).includes(key)),
        );
        return this.#settings();
      }
      case 'locks.resume':
        return this.world.mutexes.find((mutex) => mutex.name === input['name']);
      default:
        return refuse({ code: 'unknown-method', message: `The fake host has no ${method}.`, next: 'Add it.' });
    }
  }

  #settings(): Output<'settings.get'> {
    const layer = (values: Values) => ({ values, problems: [] });
    return viewOf(
      { user: layer(this.world.settings), machine: emptyLayer, policy: layer(this.world.policy) },
      'C:\\ProgramData\\Unjam\\settings.json',
      settingBounds,
    );
  }

  async #logLines(ticket: string, input: Input<'logs.lines'>): Promise<Output<'logs.lines'>> {
    const isFinal = this.world.scripts.get(ticket)?.state === 'final';
    const size = this.world.logs.get(ticket)?.at(-1)?.next ?? 0;
    if (input.after !== undefined && input.after >= size && !isFinal) await this.#newLog(input.waitMs ?? 0);
    return logLines(this.world.logs.get(ticket) ?? [], input, isFinal);
  }

  async #readLog(ticket: string, input: Input<'logs.read'>): Promise<LogPage> {
    const all = (): LogEntry[] => this.world.logs.get(ticket) ?? [];
    const size = (): number => all().at(-1)?.next ?? 0;
    const from = input.tailBytes === undefined ? (input.from ?? 0) : Math.max(0, size() - input.tailBytes);
    const isFinal = this.world.scripts.get(ticket)?.state === 'final';
    if (input.waitMs !== undefined && !isFinal && from >= size()) await this.#newLog(input.waitMs);
    const limit = from + (input.maxBytes ?? 1_048_576);
    const part = all().filter((entry) => entry.seq >= from && entry.seq < limit);
    const next = part.at(-1)?.next ?? from;
    const wanted = input.search;
    return {
      entries: wanted === undefined ? together(part) : part.filter((entry) => entry.text.includes(wanted)).map(fed),
      next,
      size: size(),
      complete: isFinal && next >= size(),
    };
  }

  #newLog(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#logWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#logWaiters.add(done);
    });
  }

  #wakeLogs(): void {
    for (const wake of this.#logWaiters) wake();
  }

  #endStreams(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }
}

/** Script output ends with a line feed; lines of Unjam are one entry each. */
const fed = (entry: LogEntry): LogEntry => (entry.stream === 'unjam' ? entry : { ...entry, text: `${entry.text}\n` });

/** The real host answers with many lines in one entry when they came at once. */
function together(lines: readonly LogEntry[]): LogEntry[] {
  const entries: LogEntry[] = [];
  for (const line of lines.map(fed)) {
    const last = entries.at(-1);
    if (last !== undefined && last.stream === line.stream && last.at === line.at && line.stream !== 'unjam')
      entries[entries.length - 1] = { ...last, next: line.next, text: last.text + line.text };
    else entries.push(line);
  }
  return entries;
}

export function sequenced(entries: readonly Omit<LogEntry, 'seq' | 'next'>[], from = 0): LogEntry[] {
  let seq = from;
  return entries.map((entry) => {
    const next = seq + Buffer.byteLength(entry.text) + 1;
    const whole = { ...entry, seq, next };
    seq = next;
    return whole;
  });
}

export function refuse(error: ErrorBody): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- an answer, not an exception
  throw error;
}

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  const file = join(root, normalize(path === '/' ? '/index.html' : path));
  try {
    const body = await readFile(file);
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': strictPolicy,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}
