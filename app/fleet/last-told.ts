/** What the engine told last, and why it does not tell now. */
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../contract/errors.ts';

/** An engine that has not answered by then counts as away, ms. */
const patienceMs = 3_000;

export interface Told<T> {
  /** When the engine told it; null when it never has. */
  readonly at: string | null;
  /** Why it does not now, for people; null when it does. */
  readonly problem: string | null;
  readonly value: T;
}

export class LastTold<T> {
  #last: Pick<Told<T>, 'at' | 'value'>;
  #asked: Promise<T> | null = null;

  constructor(none: T) {
    this.#last = { at: null, value: none };
  }

  /** Asks unless it is being asked already. Never rejects. */
  async look(ask: () => Promise<T>): Promise<Told<T>> {
    this.#asked ??= ask().finally(() => (this.#asked = null));
    try {
      const value = await Promise.race([this.#asked, silence()]);
      this.#last = { at: new Date().toISOString(), value };
      return { ...this.#last, problem: null };
    } catch (error) {
      const { message } = error as Error;
      return { ...this.#last, problem: error instanceof UnjamError ? `${message} ${error.next}` : `${message}.` };
    }
  }
}

async function silence(): Promise<never> {
  await delay(patienceMs, undefined, { ref: false });
  throw new Error(`The engine of the fleet has not answered for ${patienceMs / 1000} s`);
}
