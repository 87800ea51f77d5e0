/**
 * Reads all mutexes cheaply: a directory that has not changed is not read again. One that cannot be read takes nothing
 * from the others; it is a warning of the host for as long as that is so.
 */
import { statSync } from 'node:fs';
import { UnjamError } from '../contract/errors.ts';
import { idle, type MutexState } from '../domain/mutex.ts';
import type { Mutex, Mutexes } from '../locks/index.ts';

/** A directory's time stamp may lag by a clock tick: younger ones are read again. */
const settledMs = 100;

interface Warning {
  readonly text: string;
  /** What to do now. */
  readonly next: string;
}

export class MutexReader {
  readonly #mutexes: Mutexes;
  readonly #log: (line: string) => void;
  readonly #known = new Map<string, { changedAt: number; state: MutexState }>();
  #unreadable: ReadonlyMap<string, Warning> = new Map();

  constructor(mutexes: Mutexes, log: (line: string) => void) {
    this.#mutexes = mutexes;
    this.#log = log;
  }

  /** Of mutexes that could not be read at the last look. */
  get warnings(): readonly Warning[] {
    return [...this.#unreadable.values()];
  }

  /** States with a holder, a waiter, an orphan or a pause. */
  busy(): { mutex: Mutex; state: MutexState }[] {
    const unreadable = new Map<string, Warning>();
    const busy = [...this.#mutexes.shared()];
    const look = (folder: string, subject: string, act: () => void): void => {
      try {
        act();
      } catch (error) {
        const text = `${subject} cannot be read: ${(error as Error).message}`;
        const next = error instanceof UnjamError ? error.next : `Look at the folder "${folder}".`;
        if (this.#unreadable.get(folder)?.text !== text) this.#log(`W396 ${text} ${next}`);
        unreadable.set(folder, { text, next });
      }
    };
    look(this.#mutexes.root, 'The folder of the mutexes', () => {
      for (const mutex of this.#mutexes.folders())
        look(mutex.key, 'A mutex', () => {
          const state = this.#read(mutex);
          if (!idle(state)) busy.push({ mutex, state });
        });
    });
    this.#unreadable = unreadable;
    return busy;
  }

  #read(mutex: Mutex): MutexState {
    const changedAt = statSync(mutex.key, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.#known.get(mutex.key);
    if (known && known.changedAt === changedAt && Date.now() - changedAt > settledMs) return known.state;
    const state = mutex.read();
    this.#known.set(mutex.key, { changedAt, state });
    return state;
  }
}
