/** Reads all mutexes cheaply: a directory that has not changed is not read again. */
import { statSync } from 'node:fs';
import { idle, type MutexState } from '../domain/mutex.ts';
import type { Mutex, Mutexes } from '../locks/index.ts';

/** A directory's time stamp may lag by a clock tick: younger ones are read again. */
const settledMs = 100;

export class MutexReader {
  readonly #mutexes: Mutexes;
  readonly #known = new Map<string, { changedAt: number; state: MutexState }>();

  constructor(mutexes: Mutexes) {
    this.#mutexes = mutexes;
  }

  /** States with a holder, a waiter, an orphan or a pause. */
  busy(): { mutex: Mutex; state: MutexState }[] {
    return this.#mutexes
      .folders()
      .map((mutex) => ({ mutex, state: this.#read(mutex) }))
      .filter(({ state }) => !idle(state));
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
