/**
 * The person of a fleet whose invitation lies in the state directory. Whoever uses it acts as that person, so only callers
 * of this process's own account may: they could read the file as well.
 */
import { statSync } from 'node:fs';
import type { Caller } from '../contract/dispatcher.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Output } from '../contract/methods.ts';
import { type FleetLogin as Login, loginFile, readFleetLogin } from '../fleet/config.ts';
import type { Fleet, Visit } from '../fleet/index.ts';

export interface FleetLoginParts {
  readonly stateDirectory: string;
  /** Id of the account of this process. */
  readonly account: string | undefined;
  /** The fleet that this host has joined. */
  readonly joined: () => Fleet | null;
  readonly log: (line: string) => void;
}

export class FleetLogin implements AsyncDisposable {
  readonly #o: FleetLoginParts;
  #since: number | null = null;
  #login: Login | null = null;
  #visit: Visit | null = null;

  constructor(parts: FleetLoginParts) {
    this.#o = parts;
  }

  /** Under which name the fleet knows this caller; null when it does not. */
  nameOf(caller: Pick<Caller, 'ids'>): string | null {
    return this.#isOwn(caller) ? (this.#look()?.engine.user ?? null) : null;
  }

  /**
   * The scripts of the other hosts.
   * @throws UnjamError `not-allowed` for another account; `fleet-not-joined` when nobody is logged in
   */
  async scripts(caller: Pick<Caller, 'ids'>): Promise<Output<'fleet.scripts'>> {
    if (!this.#isOwn(caller))
      throw new UnjamError(
        'not-allowed',
        'The invitation to the fleet that this host keeps is for its own account alone. Nothing was asked.',
        'Use your own: "unjam fleet ps --as FILE", or "unjam fleet login FILE" for a host of your own.',
      );
    const login = this.#look();
    if (login === null)
      throw new UnjamError(
        'fleet-not-joined',
        'Nobody is logged in to a fleet here.',
        'Log in with "unjam fleet login FILE", with an invitation of your own.',
      );
    const { Visit } = await import('../fleet/index.ts');
    if (this.#look() !== login) return this.scripts(caller); // somebody has logged in or out meanwhile
    this.#visit ??= new Visit(login.engine);
    const { value, ...told } = await this.#visit.scripts();
    const own = this.#o.joined();
    const here = own?.config.fleet === login.fleet ? own.host : null;
    return { ...told, hosts: value.filter(({ host }) => host !== here) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#visit?.[Symbol.asyncDispose]();
  }

  #isOwn({ ids }: Pick<Caller, 'ids'>): boolean {
    return ids?.[0] !== undefined && ids[0] === this.#o.account;
  }

  /** Reads the file anew when it has changed. */
  #look(): Login | null {
    const { stateDirectory, log } = this.#o;
    const since = statSync(loginFile(stateDirectory), { throwIfNoEntry: false })?.mtimeMs ?? null;
    if (since === this.#since) return this.#login;
    this.#since = since;
    void this.#visit?.[Symbol.asyncDispose]();
    this.#visit = null;
    this.#login = null;
    try {
      this.#login = readFleetLogin(stateDirectory);
    } catch (error) {
      log(`W397 The fleet cannot be looked at: ${(error as Error).message}`);
    }
    return this.#login;
  }
}
