/** Two stores of a fleet's mutexes that are wrong on purpose: what the oracle must find. */
import { type MutexState, newMutex } from '../../app/domain/mutex.ts';
import { FleetStore, type Row } from '../../app/fleet/fleet-store.ts';
import { Engine } from '../../app/fleet/postgres.ts';
import type { Store } from '../../app/locks/index.ts';

/** Goes by what it saw last, and writes over what others have written since. */
export class BlindStore extends FleetStore {
  override seen(row: Row): MutexState {
    this.takeAny();
    return super.seen(row);
  }
}

/** The engine of a blind store. */
export class BlindEngine extends Engine {
  override query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return super.query(text.replace(' and version = $2 - 1', ''), values);
  }
}

/** Holds while its connection has a session advisory lock: whose connection breaks goes on without it. */
export class AdvisoryStore implements Store<MutexState> {
  readonly key = 'advisory';
  readonly staleMs = 0;
  readonly #engine: Engine;
  #state = newMutex('advisory', 'epoch');

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  now(): number {
    return Date.now();
  }

  read(): MutexState {
    return this.#state;
  }

  async change(change: (state: MutexState) => MutexState): Promise<MutexState> {
    const next = change(this.#state);
    const isTaken = this.#state.holders.length === 0 && next.holders.length > 0;
    const isFreed = this.#state.holders.length > 0 && next.holders.length === 0;
    if (isFreed) await this.#engine.query('select pg_advisory_unlock(16)');
    if (!isTaken) return (this.#state = next);
    const [row] = await this.#engine.query<{ fence: string }>(
      `select pg_advisory_lock(16), nextval('advisory_fence') as fence`,
    );
    const fence = Number(row?.fence);
    return (this.#state = { ...next, fence, holders: next.holders.map((h) => ({ ...h, fence })) });
  }

  watch(): () => void {
    return () => undefined;
  }
}
