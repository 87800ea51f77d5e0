/**
 * A small state that any process of the machine may change, as a chain of immutable files `s.<version>.json`.
 * A change is "create version n+1 unless it exists" (link(2) of a finished file): the kernel decides the winner,
 * a loser reads again. No clock, no owner, no half-written state; a process killed or frozen between any two
 * steps leaves a readable chain and can only lose its own change. Measured against locks with time-outs: locks.md 3.
 */
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../contract/errors.ts';
import { randomHex } from '../domain/random.ts';
import { makeFolder } from '../run-directory/disk.ts';
import type { Check } from './schemas.ts';
import type { Store } from './store.ts';

/** Versions kept behind the newest, so that a slow reader finds what it listed. */
const kept = 32;
/** Older ones are collected once in so many versions: listing a folder costs as much as everything else of a change. */
const collectEvery = 16;
/** After so many lost races a writer takes the guard: proper-lockfile keeps losers few, it decides nothing. */
const racesBeforeGuard = 3;
const temporaryFilesLiveMs = 600_000;
const readTries = 20;

interface Versioned {
  readonly version: number;
}

/** A version as it was read or written, and which file that was. */
interface Found<State> {
  readonly state: State;
  readonly version: number;
  /** Null when `state` is not what the file of `version` holds: there is none, or it is torn. */
  readonly mark: string | null;
}

export class VersionStore<State extends Versioned> implements Store<State> {
  readonly staleMs = 0;
  readonly directory: string;
  readonly #initial: () => State;
  readonly #check: Check;
  #known: Found<State> | null = null;

  constructor(directory: string, initial: () => State, check: Check) {
    this.directory = directory;
    this.#initial = initial;
    this.#check = check;
  }

  /**
   * The newest state; the initial one when there is none yet. Fails closed: what this version does not understand is
   * never taken for a free mutex.
   * @throws UnjamError `state-directory` when the newest state is not one that this version understands.
   */
  read(): State {
    return this.#newest().state;
  }

  get key(): string {
    return this.directory;
  }

  now(): number {
    return Date.now();
  }

  /**
   * Changes the state. `change` is pure and may run several times; returning the very state that it got means
   * "no change". Resolves with the state that holds afterwards. A process that is frozen right after its commit until
   * its version is collected cannot know that it won, and changes again: `change` recognises its own work (by an id).
   */
  async change(change: (state: State) => State): Promise<State> {
    let release: (() => Promise<void>) | null = null;
    try {
      for (let lost = 0; ; lost += 1) {
        const base = this.#newest();
        const next = change(base.state);
        if (next === base.state) return next;
        const committed = { ...next, version: base.version + 1 };
        if (this.#commit(committed, base)) return committed;
        if (lost >= racesBeforeGuard && release === null) release = await this.#guard();
        else await delay(Math.random() * Math.min(lost, 10));
      }
    } finally {
      await release?.().catch(() => undefined);
    }
  }

  /**
   * Calls `look` when the state may have changed, at once after a change on this machine. A watch may be refused or
   * stay silent (node#18073): who must know looks by a clock too. Returns what ends it.
   */
  watch(look: () => void): () => void {
    let watcher: ReturnType<typeof watch> | null = null;
    try {
      this.#create();
      watcher = watch(this.directory, (_event, file) => {
        if (file === null || file.startsWith('s.')) look();
      });
      watcher.on('error', () => undefined); // the clock goes on
    } catch {
      // The clock goes on.
    }
    return () => watcher?.close();
  }

  #newest(): Found<State> {
    if (this.#known !== null && this.#isNewest(this.#known)) return this.#known;
    this.#known = null;
    for (let tries = 1; ; tries += 1) {
      const versions = this.#versions().reverse();
      const newest = versions[0];
      if (newest === undefined) return { state: this.#initial(), version: 0, mark: null };
      try {
        // After a power cut the newest file may be empty: its number counts, the content before it holds.
        for (const version of versions) {
          const found = this.#read(version);
          if (found === null) continue;
          if (version !== newest) return { state: found.state, version: newest, mark: null };
          this.#known = found;
          return found;
        }
      } catch (error) {
        // Collected since it was listed, or on Windows just being deleted: list again. A file that is whole but cannot
        // be read (EMFILE, EIO) must not make the state before it the newest: that would undo a grant.
        if (error instanceof UnjamError) throw error;
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' || tries < readTries) continue;
        throw error;
      }
      throw new Error(`No readable state is left in ${this.directory}.`);
    }
  }

  /** Null when the file is torn. */
  #read(version: number): Found<State> | null {
    const file = openSync(this.#file(version), 'r');
    try {
      const value = parse(readFileSync(file, 'utf8'));
      if (value === undefined) return null;
      const wrong = this.#check(value);
      if (wrong !== null) throw this.#unknownState(version, wrong);
      return { state: value as State, version, mark: markOf(fstatSync(file, { bigint: true })) };
    } finally {
      closeSync(file);
    }
  }

  #unknownState(version: number, wrong: string): UnjamError {
    return new UnjamError(
      'state-directory',
      `"${this.#file(version)}" is damaged or of another version of Unjam: ${wrong}.`,
      `Use the version of Unjam that wrote it. When none of its scripts lives, remove the folder "${this.directory}".`,
    );
  }

  /**
   * Whether nobody has changed what is known. In this order: a version is collected only after all before it, so a next
   * one that is not there while this very file still is has never been made.
   */
  #isNewest(known: Found<State>): boolean {
    try {
      return statSync(this.#file(known.version + 1), { throwIfNoEntry: false }) === undefined && this.#isThere(known);
    } catch {
      return false; // on Windows it may be just being deleted: the list decides
    }
  }

  #isThere({ version, mark }: Found<State>): boolean {
    const status = statSync(this.#file(version), { bigint: true, throwIfNoEntry: false });
    return status !== undefined && markOf(status) === mark;
  }

  /** Ascending. */
  #versions(files = this.#list()): number[] {
    return files
      .filter((f) => f.startsWith('s.'))
      .map((f) => Number(f.slice(2, -5)))
      .filter(Number.isSafeInteger)
      .sort((a, b) => a - b);
  }

  #list(): string[] {
    try {
      return readdirSync(this.directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #commit(state: State, base: Found<State>): boolean {
    const { version } = state;
    const temporary = join(this.directory, `t.${process.pid}.${Date.now()}.${randomHex(12)}`);
    try {
      const mark = this.#write(temporary, JSON.stringify(state));
      linkSync(temporary, this.#file(version));
      if (this.#isOld(version, base)) {
        unlinkSync(this.#file(version));
        return false;
      }
      this.#known = { state, version, mark };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' || code === 'ENOENT') return false;
      throw error;
    } finally {
      tryUnlink(temporary);
    }
    if (version % collectEvery === 0) this.#collect(version);
    return true;
  }

  /**
   * Whether the number that was just taken had been used and collected before; nobody will ever read it then. A version
   * is collected only after all before it and when `kept` newer ones exist: not while its base, that very file, is
   * there, nor while there are fewer.
   */
  #isOld(version: number, base: Found<State>): boolean {
    try {
      if (this.#isThere(base)) return false;
    } catch {
      // The list decides.
    }
    return (this.#versions().at(-1) ?? version) >= version + kept;
  }

  #create(): void {
    makeFolder(this.directory);
  }

  /** The directory is missing once in the life of a mutex: it is made when it is missed. */
  #write(path: string, text: string): string {
    let file: number;
    try {
      file = openSync(path, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#create();
      file = openSync(path, 'wx', 0o600);
    }
    try {
      // Not writeSync: on a disk that is almost full that writes a part, and says so only by a number.
      writeFileSync(file, text);
      return markOf(fstatSync(file, { bigint: true }));
    } finally {
      closeSync(file);
    }
  }

  /** Ascending without gaps: a version goes only after all before it. What cannot be removed is left to a later change. */
  #collect(newest: number): void {
    let files: string[];
    try {
      files = this.#list();
    } catch {
      return; // the change stands
    }
    const now = Date.now();
    for (const file of files)
      if (file.startsWith('t.') && now - Number(file.split('.')[2]) > temporaryFilesLiveMs)
        tryUnlink(join(this.directory, file));
    for (const version of this.#versions(files))
      if (version <= newest - kept && !tryUnlink(this.#file(version))) return;
  }

  #file(version: number): string {
    return join(this.directory, `s.${String(version).padStart(12, '0')}.json`);
  }

  async #guard(): Promise<(() => Promise<void>) | null> {
    try {
      const { default: lockfile } = await import('proper-lockfile'); // rare: keeps it out of every runner's start
      return await lockfile.lock(this.directory, {
        realpath: false,
        lockfilePath: join(this.directory, 'guard.lock'),
        stale: 5_000,
        retries: { retries: 5, minTimeout: 5, maxTimeout: 50, randomize: true },
        onCompromised: () => undefined, // a lost guard costs races, never exclusion
      });
    } catch {
      return null;
    }
  }
}

/** The same for one file as long as it exists, by whatever name, and for no other. */
const markOf = ({ ino, birthtimeNs }: BigIntStats): string => `${ino}.${birthtimeNs}`;

/** Undefined when the text is torn. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** False only when the file is still there. */
function tryUnlink(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
