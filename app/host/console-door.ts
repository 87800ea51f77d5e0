/** Lets the callers of a host into its console, each with an address of their own, for their account and role alone. */
import type { ConsoleServer } from '../api/console-server.ts';
import type { Caller } from '../contract/dispatcher.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Output } from '../contract/methods.ts';
import type { Role } from '../domain/access.ts';
import type { Peer } from '../processes/index.ts';

/** Long enough for a browser to start. */
const addressMs = 60_000;

export interface ConsoleDoorParts {
  /** The console's server of this process, opened by the first call; absent where there is none. */
  readonly server: (() => Promise<ConsoleServer>) | undefined;
  readonly roleOf: (peer: Pick<Peer, 'ids'>) => Role | null;
  readonly now: () => number;
}

export class ConsoleDoor {
  readonly #o: ConsoleDoorParts;
  #server: ConsoleServer | null = null;
  #isClosed = false;

  constructor(parts: ConsoleDoorParts) {
    this.#o = parts;
  }

  /** @throws UnjamError `not-possible` */
  async open(caller: Caller): Promise<Output<'console.open'>> {
    if (caller.via === 'browser' || caller.via === 'window')
      throw new UnjamError(
        'not-possible',
        'A console makes no address for another one.',
        'Run "unjam open" in a terminal.',
      );
    if (this.#o.server === undefined)
      throw new UnjamError(
        'not-possible',
        'The desktop application is the host, and its window is the console.',
        'Open it from its tray icon; "unjam serve --console" opens one in a browser.',
      );
    const { ids, user, role } = caller;
    const account = ids?.[0];
    if (ids === undefined || account === undefined)
      throw new UnjamError(
        'not-possible',
        'The system does not tell who calls, so the address could not be kept to one account.',
        'Try again, or use "unjam serve --console".',
      );
    const server = await this.#o.server();
    this.#server = server;
    const expiresAt = new Date(this.#o.now() + addressMs).toISOString();
    // Looked up at each request: a role that is taken away is gone at once.
    const holder = { account, user, role: () => (this.#isClosed ? null : this.#o.roleOf({ ids })) };
    return { url: server.urlFor(holder, addressMs), port: server.port, expiresAt, role };
  }

  /** Hangs up on those who have lost their role. */
  recheck(): void {
    this.#server?.recheck();
  }

  /** The server may go on for another host, with this process's rights there: nobody keeps a session of this one. */
  close(): void {
    this.#isClosed = true;
    this.recheck();
  }
}
