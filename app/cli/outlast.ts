/** What goes on when the host goes away: the script did not, and the next host carries on where this one stopped. */
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../contract/errors.ts';
import type { Elsewhere, HostClient } from './command.ts';
import { connectTo } from './connect.ts';

/** A connection that is made anew, once for everybody who uses it, when its host has gone. */
export class LastingClient {
  readonly #where: Elsewhere;
  #client: HostClient;

  constructor(client: HostClient, where: Elsewhere = {}) {
    this.#client = client;
    this.#where = where;
  }

  /** Repeats `act` with the next host. Only for what may be asked twice. */
  async outlast<T>(act: (client: HostClient) => Promise<T>): Promise<T> {
    for (;;) {
      const client = this.#client;
      try {
        return await act(client);
      } catch (error) {
        if (!(error instanceof UnjamError) || (error.code !== 'host-unreachable' && error.code !== 'host-timeout'))
          throw error;
        await delay(100);
        if (this.#client !== client) continue; // another caller was first
        client.close();
        this.#client = await connectTo(this.#where);
      }
    }
  }

  close(): void {
    this.#client.close();
  }
}
