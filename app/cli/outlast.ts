/** What goes on when the host goes away: the script did not, and the next host carries on where this one stopped. */
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import { connect } from './connect.ts';

/** A connection that is made anew, once for everybody who uses it, when its host has gone. */
export class LastingClient {
  #client: HttpClient;

  constructor(client: HttpClient) {
    this.#client = client;
  }

  /** Repeats `act` with the next host. Only for what may be asked twice. */
  async outlast<T>(act: (client: HttpClient) => Promise<T>): Promise<T> {
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
        this.#client = await connect();
      }
    }
  }

  close(): void {
    this.#client.close();
  }
}
