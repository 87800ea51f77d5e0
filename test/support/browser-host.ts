/**
 * A host for the console's specs: the real console server (one-time address, cookie, policy), the real dispatcher with its
 * checks, the real overview and settings, over scripts that are simulated, because many of their states are hard to bring
 * about for real (unkillable, offline, a thousand scripts, hostile output).
 */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { openConsole, type ConsoleServer } from '../../app/api/console-server.ts';
import { createDispatcher, type Dispatch, type Handlers } from '../../app/contract/dispatcher.ts';
import { UnjamError, type ErrorBody } from '../../app/contract/errors.ts';
import type { LogEntry, LogPage, Method, Output, Parsed, Snapshot } from '../../app/contract/methods.ts';
import { settingBounds } from '../../app/contract/settings-schemas.ts';
import { emptyLayer, type Values, viewOf } from '../../app/settings/layers.ts';
import { logLine, logLines, logSearch } from './browser-log-host.ts';
import { hostInfo, listView, type World } from './browser-worlds.ts';

const root = join(import.meta.dirname, '../../dist/renderer');

export interface Call {
  readonly method: Method;
  readonly input: Record<string, unknown>;
}

type Answer = (input: Record<string, unknown>) => unknown;

export class BrowserHost {
  readonly calls: Call[] = [];
  world: World;
  /** Answers of a test, instead of the usual ones. Throw with `refuse` to refuse. */
  readonly answers = new Map<Method, Answer>();
  /** Events are held back until the next `push`. */
  isSilent = false;

  #server!: ConsoleServer;
  readonly #dispatch: Dispatch;
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  readonly #logWaiters = new Set<() => void>();
  #sequence = 0;
  #isDown = false;

  private constructor(world: World) {
    this.world = world;
    this.#dispatch = createDispatcher(this.#handlers(), (method, error) => console.error(method, error));
  }

  static async start(world: World): Promise<BrowserHost> {
    const host = new BrowserHost(world);
    host.#server = await openConsole({
      root,
      port: 0,
      user: 'kim',
      version: hostInfo.version,
      dispatch: (method, input, caller) => host.#answer(method, input, caller),
      subscribe: (listener) => host.#subscribe(listener),
      role: 'owner',
      ownerOf: (socket) => host.#meet(socket),
    });
    return host;
  }

  /** Opens the console once; afterwards the page has a session. */
  get address(): string {
    return this.#server.oneTimeUrl();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wakeLogs();
    await this.#server.close();
  }

  /** Changes the world and tells every page. */
  push(change?: (world: World) => void): void {
    change?.(this.world);
    this.isSilent = false;
    const snapshot = this.#snapshot();
    for (const listener of this.#listeners) listener(snapshot);
  }

  appendLog(ticket: string, entries: readonly Omit<LogEntry, 'seq' | 'next'>[]): void {
    const log = this.world.logs.get(ticket) ?? [];
    this.world.logs.set(ticket, [...log, ...sequenced(entries, log.at(-1)?.next ?? 0)]);
    this.#wakeLogs();
  }

  /** As if the network had gone: connections are cut, and new ones as soon as they ask for something. */
  goDown(): void {
    this.#isDown = true;
    this.#wakeLogs();
    for (const socket of this.#sockets) socket.destroy();
  }

  comeBack(): void {
    this.#isDown = false;
  }

  commands(): readonly Call[] {
    return this.calls.filter(({ method }) =>
      /^scripts\.(?:start|cancel|kill|abandon|complete|evidence|endProcess|take)$|^locks\.resume$|^settings\.set$|^drill\.start$/.test(
        method,
      ),
    );
  }

  #meet(socket: Socket): null {
    if (!this.#sockets.has(socket)) socket.once('close', () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    if (this.#isDown) socket.destroy();
    return null;
  }

  #subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    if (!this.isSilent && !this.#isDown) listener(this.#snapshot());
    return () => this.#listeners.delete(listener);
  }

  #snapshot(): Snapshot {
    this.#sequence += 1;
    return { ...this.world.snapshot(), sequence: this.#sequence };
  }

  #answer: Dispatch = async (method, input, caller) => {
    this.calls.push({ method: method as Method, input: input as Record<string, unknown> });
    const answer = this.answers.get(method as Method);
    // What only the desktop application has is answered by its main process, before the dispatcher.
    if (answer === undefined || !method.startsWith('window.')) return await this.#dispatch(method, input, caller);
    try {
      return { ok: true, value: await answer(input as Record<string, unknown>) };
    } catch (error) {
      return { ok: false, error: error as ErrorBody };
    }
  };

  /** A test's answer, else the usual one. */
  #or<M extends Method>(method: M, usual: (input: Parsed<M>) => Promise<Output<M>> | Output<M>) {
    return async (input: Parsed<M>): Promise<Output<M>> => {
      const answer = this.answers.get(method);
      if (answer === undefined) return await usual(input);
      return (await answer(input)) as Output<M>;
    };
  }

  #handlers(): Handlers {
    const detail = ({ ticket }: { readonly ticket: string }) => this.world.scripts.get(ticket) ?? unknown(ticket);
    const view = (input: { readonly ticket: string }) => listView(detail(input));
    const log = (ticket: string): LogEntry[] => this.world.logs.get(ticket) ?? [];
    const mutex = (name: string) =>
      this.world.mutexes.find((one) => one.name === name) ??
      refuse({ code: 'unknown-mutex', message: `There is no mutex "${name}".`, next: 'Look at the list.' });
    const missing = (method: Method) => () =>
      refuse({ code: 'not-possible', message: `This simulated host cannot ${method}.`, next: 'Give it an answer.' });
    return {
      'host.info': this.#or('host.info', () => ({ ...hostInfo, ...this.world.host })),
      'host.retire': this.#or('host.retire', missing('host.retire')),
      'console.open': this.#or('console.open', missing('console.open')),
      'alerts.get': this.#or('alerts.get', missing('alerts.get')),
      'alerts.test': this.#or('alerts.test', missing('alerts.test')),
      'overview.get': this.#or('overview.get', () => this.#snapshot()),
      'scripts.list': this.#or('scripts.list', () => this.world.snapshot().scripts),
      'scripts.get': this.#or('scripts.get', detail),
      'scripts.follow': this.#or('scripts.follow', missing('scripts.follow')),
      'scripts.why': this.#or('scripts.why', missing('scripts.why')),
      'scripts.start': this.#or('scripts.start', missing('scripts.start')),
      'scripts.cancel': this.#or('scripts.cancel', view),
      'scripts.kill': this.#or('scripts.kill', view),
      'scripts.endProcess': this.#or('scripts.endProcess', view),
      'scripts.take': this.#or('scripts.take', view),
      'scripts.abandon': this.#or('scripts.abandon', view),
      'scripts.complete': this.#or('scripts.complete', missing('scripts.complete')),
      'scripts.evidence': this.#or('scripts.evidence', missing('scripts.evidence')),
      'evidence.read': this.#or('evidence.read', missing('evidence.read')),
      'logs.read': this.#or('logs.read', (input) => this.#readLog(input)),
      'logs.lines': this.#or('logs.lines', (input) => this.#logLines(input)),
      'logs.search': this.#or('logs.search', (input) => logSearch(log(input.ticket), input)),
      'logs.line': this.#or('logs.line', (input) => logLine(log(input.ticket), input)),
      'locks.list': this.#or('locks.list', () => this.world.mutexes),
      'locks.abandon': this.#or('locks.abandon', missing('locks.abandon')),
      'locks.resume': this.#or('locks.resume', ({ name }) => mutex(name)),
      'history.list': this.#or('history.list', (input) => history(this.world, input)),
      'metrics.get': () => ({ text: '' }),
      'settings.get': this.#or('settings.get', () => this.#settings()),
      'settings.set': this.#or('settings.set', (input) => this.#set(input)),
      'agents.list': this.#or('agents.list', () => ({
        observing: true,
        agents: [],
        known: [{ key: 'tentacle', name: 'Octopus Tentacle' }],
        queued: [],
        missing: null,
      })),
      'observed.list': this.#or('observed.list', () => []),
      'observed.get': this.#or('observed.get', missing('observed.get')),
      'observed.why': this.#or('observed.why', missing('observed.why')),
      'observed.log': this.#or('observed.log', missing('observed.log')),
      'observed.cancel': this.#or('observed.cancel', missing('observed.cancel')),
      'observed.kill': this.#or('observed.kill', missing('observed.kill')),
      'observed.take': this.#or('observed.take', missing('observed.take')),
      'observed.evidence': this.#or('observed.evidence', missing('observed.evidence')),
      'foreignLocks.list': this.#or('foreignLocks.list', () => ({ locks: [], missing: null })),
      'fleet.get': this.#or('fleet.get', missing('fleet.get')),
      'fleet.scripts': this.#or('fleet.scripts', missing('fleet.scripts')),
      'drill.start': this.#or('drill.start', missing('drill.start')),
    };
  }

  #set({ values = {}, reset = [] }: Parsed<'settings.set'>): Output<'settings.set'> {
    this.world.settings = Object.fromEntries(
      Object.entries({ ...this.world.settings, ...values }).filter(([key]) => !(reset as string[]).includes(key)),
    );
    return this.#settings();
  }

  #settings(): Output<'settings.get'> {
    const layer = (values: Values) => ({ values, problems: [] });
    return viewOf(
      { user: layer(this.world.settings), machine: emptyLayer, policy: layer(this.world.policy) },
      'C:\\ProgramData\\Unjam\\settings.json',
      settingBounds,
    );
  }

  async #logLines(input: Parsed<'logs.lines'>): Promise<Output<'logs.lines'>> {
    const { ticket } = input;
    const isFinal = this.world.scripts.get(ticket)?.state === 'final';
    const size = this.world.logs.get(ticket)?.at(-1)?.next ?? 0;
    if (input.after !== undefined && input.after >= size && !isFinal) await this.#newLog(input.waitMs ?? 0);
    return logLines(this.world.logs.get(ticket) ?? [], input, isFinal);
  }

  async #readLog(input: Parsed<'logs.read'>): Promise<LogPage> {
    const { ticket } = input;
    const all = (): LogEntry[] => this.world.logs.get(ticket) ?? [];
    const size = (): number => all().at(-1)?.next ?? 0;
    const from = input.tailBytes === undefined ? (input.from ?? 0) : Math.max(0, size() - input.tailBytes);
    const isFinal = this.world.scripts.get(ticket)?.state === 'final';
    if (input.waitMs !== undefined && !isFinal && from >= size()) await this.#newLog(input.waitMs);
    const limit = from + (input.maxBytes ?? 1_048_576);
    const part = all().filter((entry) => entry.seq >= from && entry.seq < limit);
    const next = part.at(-1)?.next ?? from;
    return { entries: part.map(fed), next, size: size(), complete: isFinal && next >= size() };
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
}

/** Newest first, as the journal answers. */
function history({ history: entries }: World, input: Parsed<'history.list'>) {
  const { sinceMs, ticket, mutex, before, limit = 1_000 } = input;
  const since = sinceMs === undefined ? 0 : Date.now() - sinceMs;
  return entries
    .filter((entry) => Date.parse(entry.at) >= since && (ticket === undefined || entry.ticket === ticket))
    .filter((entry) => (mutex === undefined || entry.mutex === mutex) && (before === undefined || entry.id < before))
    .toSorted((a, b) => b.id - a.id)
    .slice(0, limit);
}

/** Script output ends with a line feed; lines of Unjam are one entry each. */
const fed = (entry: LogEntry): LogEntry => (entry.stream === 'unjam' ? entry : { ...entry, text: `${entry.text}\n` });

export function sequenced(entries: readonly Omit<LogEntry, 'seq' | 'next'>[], from = 0): LogEntry[] {
  let seq = from;
  return entries.map((entry) => {
    const next = seq + Buffer.byteLength(entry.text) + 1;
    const whole = { ...entry, seq, next };
    seq = next;
    return whole;
  });
}

const unknown = (ticket: string): never =>
  refuse({ code: 'unknown-ticket', message: `There is no script ${ticket}.`, next: 'Look at the list.' });

export function refuse({ code, message, next, field }: ErrorBody): never {
  throw new UnjamError(code, message, next, field);
}
