/** A PostgreSQL of its own for a test file, on a port and in a folder of its own; all of it is gone afterwards. */
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** The newest that Debian has installed; null when there is none. */
const programs = ((): string | null => {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  return newest === undefined ? null : `/usr/lib/postgresql/${newest}/bin`;
})();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

export class Postgres implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #connections: number;
  #server: ReturnType<typeof spawn> | null = null;

  private constructor(folder: string, port: number, connections: number) {
    this.folder = folder;
    this.port = port;
    this.#connections = connections;
  }

  /**
   * With `certificate` only over TLS from the network, as "postgres" with the password "secret". `connections` is its
   * `max_connections`; everything else is as PostgreSQL sets it. Its folder is made below `under`.
   */
  static async open(
    certificate?: { readonly file: string; readonly keyFile: string },
    connections = 300,
    under = tmpdir(),
  ): Promise<Postgres> {
    if (programs === null) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
    const postgres = new Postgres(mkdtempSync(join(under, 'unjam-postgres-')), await freePort(), connections);
    const { uid, gid } = postgres.#account();
    chownSync(postgres.folder, uid, gid);
    execFileSync(join(programs, 'initdb'), ['-D', join(postgres.folder, 'data'), '-A', 'trust', '-U', 'postgres', '--no-locale', '-E', 'UTF8', '--no-sync'], { uid, gid, cwd: postgres.folder, stdio: 'ignore' }); // prettier-ignore
    if (certificate) await postgres.#secure(certificate, { uid, gid });
    await postgres.start();
    if (certificate)
      for (const text of ["alter role postgres password 'secret'", 'create database unjam']) await postgres.sql(text);
    return postgres;
  }

  async #secure(
    { file, keyFile }: { readonly file: string; readonly keyFile: string },
    { uid, gid }: { readonly uid: number; readonly gid: number },
  ): Promise<void> {
    const data = join(this.folder, 'data');
    for (const [from, name] of [
      [file, 'server.crt'],
      [keyFile, 'server.key'],
    ] as const) {
      writeFileSync(join(data, name), readFileSync(from), { mode: 0o600 });
      chownSync(join(data, name), uid, gid);
    }
    appendFileSync(join(data, 'postgresql.conf'), 'ssl = on\n');
    writeFileSync(join(data, 'pg_hba.conf'), 'local all all trust\nhostssl all all all scram-sha-256\n');
  }

  /** PostgreSQL refuses to run as root. */
  #account(): { uid: number; gid: number } {
    if (process.getuid?.() !== 0) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const [, , uid, gid] = /^postgres:.*$/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[0].split(':') ?? [];
    return { uid: Number(uid), gid: Number(gid) };
  }

  async start(): Promise<void> {
    const { uid, gid } = this.#account();
    const server = spawn(join(programs ?? '', 'postgres'), ['-D', join(this.folder, 'data'), '-h', 'localhost', '-p', String(this.port), '-k', this.folder, '-c', `max_connections=${this.#connections}`], { uid, gid, cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] }); // prettier-ignore
    let log = '';
    await new Promise<void>((ready, failed) => {
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('ready to accept connections')) ready();
      });
      server.once('exit', () => failed(new Error(log)));
    });
    this.#server = server;
  }

  /** Of the process that starts all others of the server. */
  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  /** SIGKILL of the server and its processes, as a power cut; `start` begins it again. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    const gone = new Promise((done) => server.once('close', done));
    server.kill(signal);
    await gone;
    this.#server = null;
  }

  /** As `user`; the owner when absent. */
  async sql(
    text: string,
    user = 'postgres',
    values: readonly unknown[] = [],
    database = 'postgres',
  ): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: this.folder, port: this.port, user, database });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
