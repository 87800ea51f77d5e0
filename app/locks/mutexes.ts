/** The isolation mutexes of a state directory: the rules of `domain/mutex.ts` over a version store each. */
import { linkSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import type { Liveness, ProcessIdentity } from '../domain/identity.ts';
import * as rules from '../domain/mutex.ts';
import type { AbandonedHold, Hold, MutexState, Waiter } from '../domain/mutex.ts';
import { isFleetMutex, nameKey } from '../domain/names.ts';
import { hashHex, randomHex } from '../domain/random.ts';
import type { Actor, TreeScope } from '../domain/script.ts';
import { makeFolder } from '../run-directory/disk.ts';
import { checkMutex } from './schemas.ts';
import type { Store } from './store.ts';
import { VersionStore } from './version-store.ts';

/** How locks ask whether somebody lives; never a clock. */
export interface LivenessProbe {
  liveness(identity: ProcessIdentity): Liveness;
  treeLiveness(scope: TreeScope): Liveness;
}

/** Who holds a mutex by another record than its files, living or not. */
export type Witness = (mutex: string) => readonly Hold[];

/** The mutexes that this host shares with others. */
export interface FleetMutexes {
  open(name: string): Mutex;
  /** @throws UnjamError when nothing may be started under them now */
  ready(): Promise<void>;
  /** Those that somebody holds or waits for, as they were seen last. */
  busy(): readonly { readonly mutex: Mutex; readonly state: MutexState }[];
}

export class Mutexes {
  readonly #root: string;
  readonly #probe: LivenessProbe;
  readonly #witness: Witness;
  readonly #fleet: () => FleetMutexes | null;
  #checked = false;

  /** `fleet` answers null for as long as this host has not joined one. */
  constructor(
    root: string,
    probe: LivenessProbe,
    witness: Witness = () => [],
    fleet: () => FleetMutexes | null = () => null,
  ) {
    this.#root = root;
    this.#probe = probe;
    this.#witness = witness;
    this.#fleet = fleet;
  }

  get root(): string {
    return this.#root;
  }

  /**
   * Fails closed: a directory that cannot give exclusion is an error, never a script that runs unisolated.
   * @throws UnjamError `state-directory`
   */
  check(): void {
    if (this.#checked) return;
    const mark = `probe.${process.pid}.${randomHex(12)}`;
    const [first, second] = [join(this.#root, `${mark}.a`), join(this.#root, `${mark}.b`)];
    try {
      makeFolder(this.#root);
      writeFileSync(first, '', { mode: 0o600 });
      linkSync(first, second);
      if (!refusesSecondLink(first, second)) throw new Error('a second link over an existing name was not refused');
      this.#checked = true;
    } catch (error) {
      throw new UnjamError(
        'state-directory',
        `"${this.#root}" cannot give mutual exclusion: ${(error as Error).message}.`,
        'Put the state directory (UNJAM_HOME) on a local, writable file system with hard links, such as NTFS, ext4 or xfs.',
      );
    } finally {
      for (const file of [first, second])
        try {
          unlinkSync(file);
        } catch {
          // Was never made.
        }
    }
  }

  /**
   * The mutex of that name; names that differ only in case are one mutex. Creates nothing.
   * @throws UnjamError `fleet-not-joined`: what asks for exclusion among hosts never runs with less
   */
  open(name: string): Mutex {
    if (isFleetMutex(name)) {
      const fleet = this.#fleet();
      if (fleet !== null) return fleet.open(name);
      throw new UnjamError(
        'fleet-not-joined',
        `"${name}" is a mutex of a fleet, and this host has not joined one.`,
        'Join it with "unjam fleet join"; nothing was started.',
        'mutex',
      );
    }
    return this.#inFolder(folderName(name), name);
  }

  /** False for a mutex of a fleet while this host is in none. */
  has(name: string): boolean {
    return !isFleetMutex(name) || this.#fleet() !== null;
  }

  /**
   * The mutex of that name, once a script may be started under it.
   * @throws UnjamError as `check`, `open` and the engine of the fleet
   */
  async ready(name: string): Promise<Mutex> {
    this.check();
    const mutex = this.open(name);
    if (isFleetMutex(name)) await this.#fleet()?.ready();
    mutex.read();
    return mutex;
  }

  /** Those of the fleet that somebody holds or waits for. */
  shared(): ReturnType<FleetMutexes['busy']> {
    return this.#fleet()?.busy() ?? [];
  }

  /** All mutexes that have a folder here, used or idle. */
  folders(): Mutex[] {
    let folders: string[] = [];
    try {
      folders = readdirSync(this.#root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return folders.filter((f) => /-[0-9a-f]{16}$/.test(f)).map((f) => this.#inFolder(f, ''));
  }

  #inFolder(folder: string, name: string): Mutex {
    // Somebody may have removed the files while a script held it: then a first version must not say that it is free.
    const initial = (): MutexState =>
      rules.restored(
        rules.newMutex(name, randomHex(32)),
        name === '' ? [] : this.#witness(name).filter((hold) => !isGone(this.#probe, hold)),
      );
    return new Mutex(new VersionStore(join(this.#root, folder), initial, checkMutex), this.#probe);
  }
}

export class Mutex {
  readonly #store: Store<MutexState>;
  readonly #probe: LivenessProbe;
  readonly #host: string | null;

  /** `host` is the name of this host among those that share the store; null for a store of this host alone. */
  constructor(store: Store<MutexState>, probe: LivenessProbe, host: string | null = null) {
    this.#store = store;
    this.#probe = probe;
    this.#host = host;
  }

  get key(): string {
    return this.#store.key;
  }

  /** How long ago what `read` answers was so, ms. */
  get staleMs(): number {
    return this.#store.staleMs;
  }

  read(): MutexState {
    return this.#store.read();
  }

  /** The state as it is now, also of a fleet. @throws as its engine */
  async current(): Promise<MutexState> {
    return this.#store.change((s) => s);
  }

  /**
   * Joins the queue; granted at once when the mutex is free. Who asks to inherit a hold joins that one, or is not there
   * afterwards: a hold whose processes are all gone is reaped first, so only a living one can be joined.
   */
  async enqueue(waiter: Waiter): Promise<MutexState> {
    const own = this.#own(waiter);
    return this.#store.change((s) => {
      const at = this.#store.now();
      return rules.enqueue(own.inherit ? rules.reap(s, this.#gone, at) : s, own, at);
    });
  }

  /** Writes again that `own` holds the mutex when its files are missing. Reads only while they are there. */
  async heal(own: Hold): Promise<MutexState> {
    if (this.#host !== null) return this.read(); // nobody clears away an engine under a living script
    return this.#store.change((s) => (s.version === 0 ? { ...rules.restored(s, [this.#own(own)]) } : s));
  }

  /** Joins the queue again, whose files were removed while this one waited. */
  async rejoin(waiter: Waiter): Promise<MutexState> {
    return this.#store.change((s) => rules.rejoin(s, this.#own(waiter), this.#store.now()));
  }

  /** Confirms a grant with the script's identity; false when the hold was abandoned or reaped: the script must not run. */
  async confirm(id: string, fence: number, scope: TreeScope): Promise<boolean> {
    const place = rules.placeOf(await this.#store.change((s) => rules.confirm(s, id, fence, scope)), id);
    return place.kind === 'holds' && place.hold.fence === fence;
  }

  async release(id: string, fence: number): Promise<MutexState> {
    return this.#store.change((s) => rules.release(s, id, fence, this.#store.now()));
  }

  async leave(id: string): Promise<MutexState> {
    return this.#store.change((s) => rules.leave(s, id, this.#store.now()));
  }

  async abandon(
    id: string,
    by: Actor,
    reason: string | null,
    holdQueue: boolean,
    left: readonly ProcessIdentity[] = [],
  ): Promise<MutexState> {
    const at = this.#store.now();
    return this.#store.change((s) => rules.abandon(s, id, { at, by, reason, holdQueue, left }));
  }

  async resume(): Promise<MutexState> {
    return this.#store.change((s) => rules.resume(s, this.#store.now()));
  }

  async orphanEnded(id: string): Promise<MutexState> {
    return this.#store.change((s) => rules.orphanEnded(s, id));
  }

  /** Removes who is provably dead. Reads first: it costs no write while everybody lives. */
  async reap(): Promise<MutexState> {
    const state = this.#store.read();
    if (rules.reap(state, this.#gone, 0) === state) return state;
    return this.#store.change((s) => rules.reap(s, this.#gone, this.#store.now()));
  }

  /** Calls `look` when it may have become the turn of `id`; a watch may stay silent, so look by a clock too. */
  watch(look: () => void, id: string): () => void {
    return this.#store.watch(look, id);
  }

  #own<E extends Waiter>(entry: E): E {
    return this.#host === null ? entry : { ...entry, host: this.#host };
  }

  /** Only the host that wrote an entry can know: two machines may have one name, and a boot of their own each. */
  readonly #gone = (entry: Waiter | Hold | AbandonedHold): boolean =>
    (entry.host ?? null) === this.#host && isGone(this.#probe, entry);
}

/** A hold belongs to a script: it dies when neither its runner nor any process of its tree lives. */
function isGone(probe: LivenessProbe, entry: Waiter | Hold | AbandonedHold): boolean {
  const scope = 'scope' in entry ? entry.scope : null;
  if ('abandonedAt' in entry && scope !== null) return probe.treeLiveness(scope) === 'dead';
  if (probe.liveness(entry.runner) !== 'dead') return false;
  return scope === null || probe.treeLiveness(scope) === 'dead';
}

/** Readable and safe on NTFS; the hash keeps names apart that only differ in what is not safe. */
function folderName(name: string): string {
  const key = nameKey(name);
  const hash = hashHex(key);
  return `${key.replaceAll(/[^a-z0-9]+/g, '_').slice(0, 40)}-${hash}`;
}

function refusesSecondLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST';
  }
}
