/** What a person of a fleet sees of its hosts' scripts. */
import { LastTold, type Told } from './last-told.ts';
import { Engine, type EngineAddress } from './postgres.ts';
import { type HostScripts, scriptsOf } from './snapshot.ts';

export class Visit implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #scripts = new LastTold<HostScripts[]>([]);

  constructor(address: EngineAddress) {
    this.#engine = new Engine(address, 'unjam console');
  }

  /** Of every host now; or as the engine told them last, and why it does not now. */
  scripts(): Promise<Told<HostScripts[]>> {
    return this.#scripts.look(() => scriptsOf(this.#engine));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close();
  }
}
