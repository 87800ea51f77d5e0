/** The one importer of `pg`: a connection to a fleet's engine that is made again when it breaks. */
import pg from 'pg';
import { UnjamError } from '../contract/errors.ts';

/** How the engine is reached, as libpq names it; `ssl` holds PEM texts. */
export interface EngineAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  /** Absent: no TLS, for an engine on this very machine. The name of the server is always verified. */
  readonly ssl?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** A statement that takes longer counts as an engine that is away, ms. */
const answerMs = 15_000;
const connectMs = 5_000;
const restAfterMs = 15_000;

/** Carried by every error that waiting may mend: no connection, a lost one, an engine that starts, stops or is full. */
const engineAway = 'ENGINE_AWAY';

export class Engine {
  readonly #address: EngineAddress;
  readonly #name: string;
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();
  #client: pg.Client | null = null;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #resting: NodeJS.Timeout | null = null;
  /** Why it cannot be reached, one sentence; null when the last statement was answered. */
  problem: string | null = null;

  /** `name` is shown in pg_stat_activity. */
  constructor(address: EngineAddress, name: string) {
    this.#address = address;
    this.#name = name;
  }

  /**
   * One statement, in a transaction of its own.
   * @throws Error with the code `ENGINE_AWAY`, when it may or may not have been carried out; UnjamError
   * `fleet-refused` for what no waiting mends
   */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const before = this.#turn;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.#turn = promise; // one statement at a time: a connection has no more
    await before;
    if (this.#resting !== null) clearTimeout(this.#resting);
    try {
      const client = await this.#connected();
      try {
        const { rows } = await client.query<Row>(text, [...values]);
        this.problem = null;
        this.#restLater();
        return rows;
      } catch (error) {
        throw this.#translated(error, client);
      }
    } finally {
      done();
    }
  }

  /**
   * Calls `heard` with each notification of the channel. Nothing is known of what was said before the engine listens,
   * at first and after a connection was made again: then `heard` gets an empty text. Returns what ends it.
   */
  listen(channel: string, heard: (payload: string) => void): () => void {
    const known = this.#listeners.get(channel);
    if (known) known.add(heard);
    else {
      this.#listeners.set(channel, new Set([heard]));
      void this.query(`listen ${pg.escapeIdentifier(channel)}`).then(
        () => this.#listeners.get(channel)?.has(heard) && heard(''),
        () => undefined, // a clock looks as well
      );
    }
    return () => {
      const all = this.#listeners.get(channel);
      all?.delete(heard);
      if (all?.size !== 0) return;
      this.#listeners.delete(channel);
      if (this.#client !== null) void this.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => undefined);
    };
  }

  /** A script that runs for hours needs no connection: the engine has a number of them for all its hosts. */
  #restLater(): void {
    this.#resting = setTimeout(() => {
      if (this.#listeners.size > 0) return;
      const client = this.#client;
      this.#client = null;
      void client?.end().catch(() => undefined);
    }, restAfterMs).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#resting !== null) clearTimeout(this.#resting);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  async #connected(): Promise<pg.Client> {
    if (this.#closed) throw new Error('The connection to the engine was closed.');
    return this.#client ?? this.#connect();
  }

  async #connect(): Promise<pg.Client> {
    const { ssl, ...address } = this.#address;
    const client = new pg.Client({
      ...address,
      ...(ssl ? { ssl: { ...ssl, rejectUnauthorized: true } } : {}),
      application_name: this.#name,
      connectionTimeoutMillis: connectMs,
      query_timeout: answerMs,
      statement_timeout: answerMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const lost = (): void => {
      if (this.#client === client) this.#client = null;
    };
    client.on('error', lost); // without it a broken connection would end the process
    client.on('end', lost);
    client.on('notification', ({ channel, payload }) => {
      for (const heard of this.#listeners.get(channel) ?? []) heard(payload ?? '');
    });
    try {
      await client.connect();
      for (const channel of this.#listeners.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      void client.end().catch(() => undefined);
      throw this.#translated(error, client);
    }
    if (this.#closed) void client.end().catch(() => undefined);
    else this.#client = client;
    for (const heard of [...this.#listeners.values()].flatMap((all) => [...all])) heard('');
    return client;
  }

  #translated(error: unknown, client: pg.Client): Error {
    const { message } = error as Error;
    // Only the engine's own codes: EPIPE of a broken connection looks like one.
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    if (code?.startsWith('UJ'))
      return new UnjamError(
        code === 'UJ001' ? 'fleet-retired' : 'fleet-refused',
        `The engine of the fleet has ${message}.`,
        'Ask who runs the fleet; "unjam fleet doctor" shows what this host may.',
      );
    if (code !== undefined && !isPassing(code)) {
      return new UnjamError(
        'fleet-refused',
        `The engine of the fleet refuses it: ${message} (${code}).`,
        'Look at the rights of its role, and at the version of the schema, with "unjam fleet doctor".',
      );
    }
    // Nothing is known of a statement whose connection broke: it is never used again.
    if (this.#client === client) this.#client = null;
    void client.end().catch(() => undefined);
    this.problem = `The engine of the fleet cannot be reached: ${message}`;
    return Object.assign(new Error(this.problem), { code: engineAway });
  }
}

/**
 * SQLSTATE classes that pass by themselves: connection (08), insufficient resources (53), operator intervention and
 * start-up (57), system error (58), a lock that was not given in time (55P03), read-only (25006, a standby).
 */
function isPassing(code: string): boolean {
  return /^(08|53|57|58)/.test(code) || code === '55P03' || code === '25006';
}
