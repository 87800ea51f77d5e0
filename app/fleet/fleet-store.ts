/**
 * The state of one mutex in a fleet's engine. `read` answers what was seen last, also while the engine is away; what is
 * decided is decided by a compare-and-set of the engine.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../contract/errors.ts';
import { type MutexState, newMutex } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import { randomHex } from '../domain/random.ts';
import { checkMutex, type Store } from '../locks/index.ts';
import type { Engine } from './postgres.ts';

/** A notification may be lost: so often who waits looks by itself, ms. */
const lookMs = 5_000;
/**
 * Who was too late waits up to twice as long each time, at most so long, ms: 200 runners that begin at the same moment
 * were all in the queue after 20 s on two busy cores, and after 100 s with a rest of 50 ms at most.
 */
const longestRestMs = 2_000;

export interface Row {
  /** A bigint, which comes as text. */
  readonly version: string;
  readonly state: unknown;
}

export class FleetStore implements Store<MutexState> {
  readonly key: string;
  readonly #engine: Engine;
  readonly #name: string;
  readonly #now: () => number;
  readonly #allowed: () => void;
  #known: MutexState | null = null;
  #takesAny = false;
  #readAt = performance.now();

  /** `now` is the engine's clock as this host knows it; `allowed` throws what forbids a change. */
  constructor(engine: Engine, name: string, now: () => number, allowed: () => void = () => undefined) {
    this.key = `fleet:${nameKey(name)}`;
    this.#engine = engine;
    this.#name = name;
    this.#now = now;
    this.#allowed = allowed;
  }

  now(): number {
    return this.#now();
  }

  get staleMs(): number {
    return performance.now() - this.#readAt;
  }

  read(): MutexState {
    return (this.#known ??= newMutex(this.#name, randomHex(32)));
  }

  /** @throws as `Engine.query` */
  async refresh(): Promise<MutexState> {
    const [row] = await this.#engine.query<Row>('select version, state from unjam.mutex where key = $1', [
      nameKey(this.#name),
    ]);
    if (row !== undefined) return this.seen(row);
    if (this.#takesAny) this.#known = null;
    if ((this.#known?.version ?? 0) > 0) throw this.#wentBack('nothing');
    this.#takesAny = false;
    this.#readAt = performance.now();
    return this.read();
  }

  async change(change: (state: MutexState) => MutexState): Promise<MutexState> {
    let isFresh = false;
    for (let lost = 0; ;) {
      this.#allowed();
      isFresh ||= this.#known === null || this.#takesAny;
      const base = isFresh ? await this.refresh() : this.read();
      const next = change(base);
      if (next === base) {
        if (isFresh) return base;
        isFresh = true; // "no change" is said of what is there now, not of what was seen last
        continue;
      }
      const committed = { ...next, version: base.version + 1 };
      if (await this.#commit(committed)) {
        this.#readAt = performance.now();
        return (this.#known = committed);
      }
      isFresh = true;
      lost += 1;
      await delay(Math.random() * Math.min(2 ** lost * 5, longestRestMs));
    }
  }

  /** False when another was first. */
  async #commit(state: MutexState): Promise<boolean> {
    const key = nameKey(this.#name);
    const text = JSON.stringify(state);
    const rows =
      state.version === 1
        ? await this.#engine.query(
            'insert into unjam.mutex (key, version, state) values ($1, 1, $2) on conflict (key) do nothing returning 1',
            [key, text],
          )
        : await this.#engine.query(
            'update unjam.mutex set version = $2, state = $3 where key = $1 and version = $2 - 1 returning 1',
            [key, state.version, text],
          );
    return rows.length === 1;
  }

  /** A person has said that the engine's present state counts: the next one is taken, also when it is an earlier one. */
  get takesAny(): boolean {
    return this.#takesAny;
  }

  takeAny(): void {
    this.#takesAny = true;
  }

  /** Another query has shown that nothing has changed. */
  isStillSo(): void {
    this.#readAt = performance.now();
  }

  /** Reads again when a notification names `id` as one who holds now, or says that nothing is known; and by a clock. */
  watch(look: () => void, id: string): () => void {
    let isLooking = false;
    const again = (): void => {
      if (isLooking) return;
      isLooking = true;
      void this.refresh()
        .then(look, () => undefined)
        .finally(() => (isLooking = false));
    };
    const stop = this.#engine.listen(channelOf(this.#name), (payload) => {
      if (payload === '' || payload.includes(id)) again();
    });
    const clock = setInterval(again, lookMs);
    return () => {
      clearInterval(clock);
      stop();
    };
  }

  /** As another query of this connection has read it just now. */
  seen({ version, state }: Row): MutexState {
    this.#readAt = performance.now();
    const wrong = checkMutex(state);
    if (wrong !== null)
      throw new UnjamError(
        'fleet-refused',
        `The mutex "${this.#name}" of the fleet is damaged or of another version of Unjam: ${wrong}.`,
        'Update this host, or ask who runs the fleet.',
      );
    const seen = state as MutexState;
    const known = this.#known;
    // One connection answers in order: an older state means that the engine lost what it had confirmed.
    if (
      !this.#takesAny &&
      known !== null &&
      known.version > 0 &&
      (Number(version) < known.version || seen.epoch !== known.epoch)
    )
      throw this.#wentBack(`version ${version}`);
    this.#takesAny = false;
    return (this.#known = seen);
  }

  #wentBack(now: string): UnjamError {
    return new UnjamError(
      'fleet-went-back',
      `The engine of the fleet knows of mutex "${this.#name}" less than it has told before (${now}, after version ${this.#known?.version ?? 0}): a backup was restored, or a standby took over without its last changes.`,
      'Compare the holders in "unjam fleet locks" with the scripts that run, then run "unjam fleet restored" on this host.',
    );
  }
}

/** The channel on which the guard says that a mutex has changed. */
const channelOf = (name: string): string => `unjam_${createHash('md5').update(nameKey(name)).digest('hex')}`;
