/**
 * One host per state directory. The elected host keeps its place for as long as its process lives, also when it is
 * suspended: a lock that goes stale by a clock would let two hosts act (locks.md 1.2), an identity does not.
 */
import { join } from 'node:path';
import { type Liveness, type ProcessIdentity, sameProcess } from '../domain/identity.ts';
import { checkElection, type ElectionState } from './schemas.ts';
import { VersionStore } from './version-store.ts';

export class Election {
  readonly #store: VersionStore<ElectionState>;
  readonly #self: ProcessIdentity;
  readonly #liveness: (identity: ProcessIdentity) => Liveness;

  constructor(stateDirectory: string, self: ProcessIdentity, liveness: (identity: ProcessIdentity) => Liveness) {
    const directory = join(stateDirectory, 'host');
    this.#store = new VersionStore(directory, () => ({ schema: 1, version: 0, host: null }), checkElection);
    this.#self = self;
    this.#liveness = liveness;
  }

  /** The living host, or null. */
  current(): ProcessIdentity | null {
    const { host } = this.#store.read();
    return host !== null && this.#liveness(host) !== 'dead' ? host : null;
  }

  /** Whether this process is still the one that was elected. */
  get isElected(): boolean {
    const { host } = this.#store.read();
    return host !== null && sameProcess(host, this.#self);
  }

  /** True when this process is the host now. */
  async stand(): Promise<boolean> {
    const { host } = await this.#store.change((s) =>
      s.host !== null && this.#liveness(s.host) !== 'dead' ? s : { ...s, host: this.#self },
    );
    return host !== null && sameProcess(host, this.#self);
  }

  async resign(): Promise<void> {
    await this.#store.change((s) => (s.host !== null && sameProcess(s.host, this.#self) ? { ...s, host: null } : s));
  }
}
