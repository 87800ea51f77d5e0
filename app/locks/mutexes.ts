/** The isolation mutexes of a state directory: the rules of `domain/mutex.ts` over a version store each. */
import { linkSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import type { Liveness, ProcessIdentity } from '../domain/identity.ts';
import * as rules from '../domain/mutex.ts';
import type { AbandonedHold, Hold, MutexState, Waiter } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import { hashHex, randomHex } from '../domain/random.ts';
import type { Actor, TreeScope } from '../domain/script.ts';
import { checkMutex } from './schemas.ts';
import { VersionStore } from './version-store.ts';

/** How locks ask whether somebody lives; never a clock. */
export interface LivenessProbe {
  liveness(identity: ProcessIdentity): Liveness;
  treeLiveness(scope: TreeScope): Liveness;
}

/** Who holds a mutex by another record than its files, living or not. */
export type Witness = (mutex: string) => readonly Hold[];

export class Mutexes {
  readonly #root: string;
  readonly #probe: LivenessProbe;
  readonly #witness: Witness;
  #checked = false;

  constructor(root: string, probe: LivenessProbe, witness: Witness = () => []) {
    this.#root = root;
    this.#probe = probe;
    this.#witness = witness;
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
      mkdirSync(this.#root, { recursive: true, mode: 0o700 });
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

  /** The mutex of that name; names that differ only in case are one mutex. Creates nothing. */
  open(name: string): Mutex {
    return new Mutex(join(this.#root, folderName(name)), name, this.#probe, this.#witness);
  }

  /** All mutexes that have a folder here, used or idle. */
  folders(): Mutex[] {
    let folders: string[] = [];
    try {
      folders = readdirSync(this.#root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return folders.filter((f) => /-[0-9a-f]{16}$/.test(f)).map((f) => new Mutex(join(this.#root, f), '', this.#probe));
  }
}

export class Mutex {
  readonly #store: VersionStore<MutexState>;
  readonly #probe: LivenessProbe;

  constructor(directory: string, name: string, probe: LivenessProbe, witness: Witness = () => []) {
    this.#probe = probe;
    // Somebody may have removed the files while a script held it: then a first version must not say that it is free.
    const initial = (): MutexState =>
      rules.restored(
        rules.newMutex(name, randomHex(32)),
        name === '' ? [] : witness(name).filter((hold) => !this.#gone(hold)),
      );
    this.#store = new VersionStore(directory, initial, checkMutex);
  }

  get key(): string {
    return this.#store.directory;
  }

  read(): MutexState {
    return this.#store.read();
  }

  /**
   * Joins the queue; granted at once when the mutex is free. Who asks to inherit a hold joins that one, or is not there
   * afterwards: a hold whose processes are all gone is reaped first, so only a living one can be joined.
   */
  async enqueue(waiter: Waiter): Promise<MutexState> {
    return this.#store.change((s) => {
      const at = Date.now();
      return rules.enqueue(waiter.inherit ? rules.reap(s, this.#gone, at) : s, waiter, at);
    });
  }

  /** Writes again that `own` holds the mutex when its files are missing. Reads only while they are there. */
  async heal(own: Hold): Promise<MutexState> {
    return this.#store.change((s) => (s.version === 0 ? { ...rules.restored(s, [own]) } : s));
  }

  /** Joins the queue again, whose files were removed while this one waited. */
  async rejoin(waiter: Waiter): Promise<MutexState> {
    return this.#store.change((s) => rules.rejoin(s, waiter, Date.now()));
  }

  /** Confirms a grant with the script's identity; false when the hold was abandoned or reaped: the script must not run. */
  async confirm(id: string, fence: number, scope: TreeScope): Promise<boolean> {
    const place = rules.placeOf(await this.#store.change((s) => rules.confirm(s, id, fence, scope)), id);
    return place.kind === 'holds' && place.hold.fence === fence;
  }

  async release(id: string, fence: number): Promise<MutexState> {
    return this.#store.change((s) => rules.release(s, id, fence, Date.now()));
  }

  async leave(id: string): Promise<MutexState> {
    return this.#store.change((s) => rules.leave(s, id, Date.now()));
  }

  async abandon(
    id: string,
    by: Actor,
    reason: string | null,
    holdQueue: boolean,
    left: readonly ProcessIdentity[] = [],
  ): Promise<MutexState> {
    const at = Date.now();
    return this.#store.change((s) => rules.abandon(s, id, { at, by, reason, holdQueue, left }));
  }

  async resume(): Promise<MutexState> {
    return this.#store.change((s) => rules.resume(s, Date.now()));
  }

  async orphanEnded(id: string): Promise<MutexState> {
    return this.#store.change((s) => rules.orphanEnded(s, id));
  }

  /** Removes who is provably dead. Reads first: it costs no write while everybody lives. */
  async reap(): Promise<MutexState> {
    const state = this.#store.read();
    if (rules.reap(state, this.#gone, 0) === state) return state;
    return this.#store.change((s) => rules.reap(s, this.#gone, Date.now()));
  }

  /** Calls `look` after a change on this machine; a watch may be refused or stay silent, so look by a clock too. */
  watch(look: () => void): () => void {
    this.#store.create();
    return this.#store.watch(look);
  }

  /** A hold belongs to a script: it dies when neither its runner nor any process of its tree lives. */
  readonly #gone = (entry: Waiter | Hold | AbandonedHold): boolean => {
    const scope = 'scope' in entry ? entry.scope : null;
    if ('abandonedAt' in entry && scope !== null) return this.#probe.treeLiveness(scope) === 'dead';
    if (this.#probe.liveness(entry.runner) !== 'dead') return false;
    return scope === null || this.#probe.treeLiveness(scope) === 'dead';
  };
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
