/**
 * The append-only record of events, warnings and operator actions, in SQLite (WAL). A damaged or locked database is
 * set aside or waited out and never blocks an abandon: what could not be written is kept and tried again, and every
 * line stands in the script's own log as well.
 */
import { chmodSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { EventBody, NoteSubject } from '../domain/events.ts';
import { redact } from '../domain/redact.ts';

/** What scripts go through, what is done to mutexes, and the other commands (app/access/audit.ts). */
export type JournalKind =
  | EventBody['type']
  | NoteSubject
  | 'abandon'
  | 'resume'
  | 'start'
  | 'complete'
  | 'settings'
  | 'retire'
  | 'drill'
  | 'console'
  | 'refused'
  | ObservedKind;

/** What is done to scripts of deployment agents, and what comes of it. */
export type ObservedKind =
  | 'agent-seen'
  | `observed-${'cancel' | 'kill' | 'ignored' | 'refused' | 'unkillable' | 'gone' | 'output-held' | 'failed'}`;

export interface JournalEntry {
  readonly at: number;
  readonly ticket: string | null;
  readonly name: string | null;
  readonly mutex: string | null;
  readonly who: string;
  readonly via: string;
  readonly kind: JournalKind;
  readonly code: string | null;
  readonly text: string;
  /** Where it comes from, `<run id>:<offset>`; the same source is written once. */
  readonly source: string | null;
  /** JSON: evidence at that time, counts, identities. */
  readonly data: unknown;
}

/** As it is read: written by any version, so its kind may be one that this version does not know. */
const StoredEntry = z.object({
  id: z.number(),
  at: z.number(),
  ticket: z.string().nullable(),
  name: z.string().nullable(),
  mutex: z.string().nullable(),
  who: z.string(),
  via: z.string(),
  kind: z.string(),
  code: z.string().nullable(),
  text: z.string(),
  source: z.string().nullable(),
  data: z.string().transform((text) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return null; // damaged; the sentence beside it is whole
    }
  }),
});
export type StoredEntry = z.output<typeof StoredEntry>;
const columns = Object.keys(StoredEntry.shape).join(', ');

/** So many entries wait in memory for a journal that cannot be written; each also stands in its script's log. */
const keptBack = 10_000;

const migrations = [
  `CREATE TABLE entry (
     id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, ticket TEXT, name TEXT, mutex TEXT,
     who TEXT NOT NULL, via TEXT NOT NULL, kind TEXT NOT NULL, code TEXT, text TEXT NOT NULL, source TEXT UNIQUE, data TEXT NOT NULL);
   CREATE INDEX entry_at ON entry (at);
   CREATE INDEX entry_ticket ON entry (ticket);
   CREATE TABLE run_time (script TEXT NOT NULL, ended_at INTEGER NOT NULL, duration_ms REAL NOT NULL, UNIQUE (script, ended_at, duration_ms));
   CREATE INDEX run_time_script ON run_time (script, ended_at);`,
];

/** Operator decisions survive a power cut; the rest may lose the last moments (locks.md 4). */
const decisions: ReadonlySet<JournalKind> = new Set([
  'cancel',
  'kill',
  'abandon',
  'abandoned',
  'resume',
  'final',
  'observed-cancel',
  'observed-kill',
]);

export class Journal {
  readonly #path: string;
  readonly #onProblem: (sentence: string) => void;
  #database: DatabaseSync | null = null;
  #insert: StatementSync | null = null;
  #file: string | null = null;
  #unwritten: JournalEntry[] = [];
  /** What the open transaction has written so far. */
  #transaction: JournalEntry[] | null = null;
  #toldUnreadable = false;
  #toldUnopened = false;
  #toldGone = false;

  constructor(path: string, onProblem: (sentence: string) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#open();
  }

  append(entry: JournalEntry): void {
    this.#unwritten.push(entry);
    this.#drain();
  }

  /** Writes what an earlier problem kept back; opens the journal when that has not worked yet. */
  flush(): void {
    this.#putBack();
    if (!this.#database) this.#open();
    this.#drain();
  }

  #drain(): void {
    if (!this.#database) {
      if (this.#unwritten.length > keptBack) this.#unwritten.shift();
      return;
    }
    try {
      for (let entry = this.#unwritten[0]; entry !== undefined; entry = this.#unwritten[0]) {
        this.#write(entry);
        this.#transaction?.push(entry);
        this.#unwritten.shift();
      }
    } catch (error) {
      if (isDamaged(error) || isReadOnly(error)) {
        this.#setAside(error as Error);
        return;
      }
      if (this.#unwritten.length === 1)
        this.#onProblem(`The journal could not be written (${(error as Error).message}); it is tried again.`);
      if (this.#unwritten.length > keptBack) this.#unwritten.shift();
    }
  }

  /** Writes what `act` appends in one transaction: a recovery of thousands of scripts then syncs once. */
  together(act: () => void): void {
    const database = this.#database;
    try {
      database?.exec('BEGIN');
    } catch {
      act(); // locked by somebody: entry by entry then
      return;
    }
    this.#transaction = [];
    try {
      act();
    } finally {
      const written = this.#transaction;
      this.#transaction = null;
      this.#commit(database, written);
    }
  }

  /** What was not committed is written entry by entry later: nothing of it is on disk. */
  #commit(database: DatabaseSync | null, written: readonly JournalEntry[]): void {
    try {
      // A full disk may have rolled it back already: then there is nothing to commit, which fails as well.
      if (this.#database === database) database?.exec('COMMIT');
      else this.#unwritten.unshift(...written); // set aside as damaged meanwhile
    } catch (error) {
      try {
        database?.exec('ROLLBACK');
      } catch {
        // It was rolled back.
      }
      this.#unwritten.unshift(...written);
      this.#onProblem(`The journal could not be written (${(error as Error).message}); it is tried again.`);
    }
  }

  /** Newest first. */
  list(filter: {
    sinceMs?: number | undefined;
    ticket?: string | undefined;
    mutex?: string | undefined;
    kind?: JournalKind | undefined;
    /** Only entries with a smaller id. */
    before?: number | undefined;
    limit?: number | undefined;
  }): StoredEntry[] {
    if (!this.#database) return [];
    const rows = this.#database
      .prepare(
        `SELECT ${columns} FROM entry WHERE at >= ? AND (? IS NULL OR ticket = ? COLLATE NOCASE)
         AND (? IS NULL OR mutex = ? COLLATE NOCASE) AND (? IS NULL OR kind = ?) AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?`,
      )
      .all(
        filter.sinceMs === undefined ? 0 : Date.now() - filter.sinceMs,
        filter.ticket ?? null,
        filter.ticket ?? null,
        filter.mutex ?? null,
        filter.mutex ?? null,
        filter.kind ?? null,
        filter.kind ?? null,
        filter.before ?? null,
        filter.before ?? null,
        filter.limit ?? 1_000,
      );
    const entries = rows.map((row) => StoredEntry.safeParse(row)).filter((parsed) => parsed.success);
    if (entries.length < rows.length && !this.#toldUnreadable) {
      this.#toldUnreadable = true;
      this.#onProblem('Some entries of the journal cannot be read; they are left out.');
    }
    return entries.map(({ data }) => data);
  }

  /** Removes what is older than `before`, ms since 1970: the journal of a busy host would grow for ever. */
  prune(before: number): void {
    try {
      this.#database?.prepare('DELETE FROM entry WHERE at < ?').run(before);
    } catch (error) {
      this.#onProblem(
        `Old entries of the journal could not be removed (${(error as Error).message}); it is tried again.`,
      );
    }
  }

  /** Run ids of the scripts whose end stands in the journal. */
  finished(): Set<string> {
    try {
      const rows =
        this.#database?.prepare(`SELECT source FROM entry WHERE kind = 'final' AND source IS NOT NULL`).all() ?? [];
      return new Set(rows.map((row) => String(row['source']).split(':', 1)[0] ?? ''));
    } catch {
      return new Set();
    }
  }

  /** Remembers how long a successful run took. */
  recordSuccess(script: string, endedAt: number, durationMs: number): void {
    try {
      this.#database?.prepare('INSERT OR IGNORE INTO run_time VALUES (?, ?, ?)').run(script, endedAt, durationMs);
    } catch (error) {
      this.#onProblem(`A run time could not be recorded (${(error as Error).message}).`);
    }
  }

  /** Run times of the last 20 successes of a script's name, newest first, ms. */
  successes(script: string): number[] {
    try {
      const rows =
        this.#database
          ?.prepare('SELECT duration_ms FROM run_time WHERE script = ? ORDER BY ended_at DESC LIMIT 20')
          .all(script) ?? [];
      return rows.map((r) => Number(r['duration_ms']));
    } catch {
      return [];
    }
  }

  close(): void {
    this.flush();
    this.#database?.close();
    this.#database = null;
  }

  #write(entry: JournalEntry): void {
    if (!this.#database || !this.#insert) throw new Error('the journal is not open');
    const decision = this.#transaction === null && decisions.has(entry.kind); // a pragma has no effect inside a transaction
    if (decision) this.#database.exec('PRAGMA synchronous = FULL');
    try {
      this.#insert.run(
        entry.at,
        entry.ticket,
        entry.name === null ? null : redact(entry.name),
        entry.mutex,
        entry.who,
        entry.via,
        entry.kind,
        entry.code,
        redact(entry.text),
        entry.source,
        JSON.stringify(entry.data ?? null, (_key, value: unknown) =>
          typeof value === 'string' ? redact(value) : value,
        ),
      );
    } finally {
      if (decision) this.#database.exec('PRAGMA synchronous = NORMAL');
    }
  }

  /** `mayReplace`: what cannot be used is set aside; not twice in a row. */
  #open(mayReplace = true): void {
    let database: DatabaseSync | null = null;
    try {
      database = new DatabaseSync(this.#path, { timeout: 200 });
      chmodSync(this.#path, 0o600);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
      if (version > migrations.length)
        this.#onProblem(
          `The journal was written by a newer version of Unjam (schema ${version}; this one knows ${migrations.length}). What both know is shown and written.`,
        );
      for (let v = version; v < migrations.length; v += 1)
        database.exec(`BEGIN; ${migrations[v] ?? ''}; PRAGMA user_version = ${v + 1}; COMMIT`);
      this.#insert = database.prepare(
        'INSERT OR IGNORE INTO entry (at, ticket, name, mutex, who, via, kind, code, text, source, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      );
      this.#database = database;
      this.#file = fileAt(this.#path);
    } catch (error) {
      database?.close();
      if (mayReplace && (isDamaged(error) || isReadOnly(error))) this.#setAside(error as Error);
      else if (!this.#toldUnopened) {
        this.#toldUnopened = true;
        this.#onProblem(`The journal could not be opened (${(error as Error).message}); Unjam continues without it.`);
      }
    }
  }

  /** Somebody has removed the file: all of it is still in the open one. Or put another in its place: that one counts. */
  #putBack(): void {
    if (!this.#database || fileAt(this.#path) === this.#file || !existsSync(dirname(this.#path))) return;
    const isGone = !existsSync(this.#path);
    try {
      if (isGone) {
        const copy = `${this.#path}.copy`;
        rmSync(copy, { force: true });
        this.#database.prepare('VACUUM INTO ?').run(copy);
        this.#database.close();
        for (const end of ['-wal', '-shm']) rmSync(this.#path + end, { force: true }); // they belong to the one that is gone
        renameSync(copy, this.#path);
      } else this.#database.close();
      this.#database = null;
      this.#open();
      this.#onProblem(
        isGone
          ? 'Somebody had removed the journal; it has been restored with everything that was in it.'
          : 'Somebody has replaced the journal with another one; from now on Unjam writes to that one.',
      );
    } catch (error) {
      if (!this.#toldGone)
        this.#onProblem(`Somebody has removed the journal; it cannot be restored yet (${(error as Error).message}).`);
      this.#toldGone = true;
    }
  }

  #setAside(error: Error): void {
    try {
      this.#database?.close();
    } catch {
      // It is damaged; what it holds stays in its files.
    }
    this.#database = null;
    const aside = `${this.#path}.damaged-${Date.now()}`;
    try {
      for (const end of ['', '-wal', '-shm'])
        if (existsSync(this.#path + end)) renameSync(this.#path + end, aside + end);
    } catch (problem) {
      if (!this.#toldUnopened)
        this.#onProblem(
          `The journal cannot be used (${error.message}) and could not be set aside (${(problem as Error).message}); Unjam continues without it.`,
        );
      this.#toldUnopened = true;
      return; // no operator's decision waits for a journal
    }
    const what = isDamaged(error) ? 'was damaged' : 'could not be written';
    this.#onProblem(`The journal ${what} (${error.message}). It was kept as ${aside}, and a new one was begun.`);
    this.#open(false);
    if (this.#database) this.flush();
  }
}

/** SQLITE_CORRUPT 11, SQLITE_NOTADB 26 (sqlite.org/rescode.html). */
function isDamaged(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode ?? 0;
  return code % 256 === 11 || code % 256 === 26;
}

/** SQLITE_READONLY 8: the file alone may not be written, or its whole folder (then it cannot be set aside either). */
function isReadOnly(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 8;
}

/** The same for one file as long as it exists; numbers of inodes are used again at once. */
export function fileAt(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.ino}.${stat.birthtimeMs}`;
}
