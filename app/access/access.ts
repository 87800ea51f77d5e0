/**
 * Turns what the system says about a caller into a role: the host's own account and administrators are owners, others are
 * what they, or one of their groups, were given. Nothing that a caller says takes part.
 */
import { UnjamError } from '../contract/errors.ts';
import { type Grant, highest, type Role } from '../domain/access.ts';
import type { Peer } from '../processes/index.ts';

export interface AccessOptions {
  /** Accounts that are owners whatever is granted. */
  readonly owners: readonly string[];
  readonly idOf: (name: string) => Promise<string | null>;
  readonly log: (line: string) => void;
}

export class Access {
  readonly #o: AccessOptions;
  readonly #said = new Set<string>();
  #roles = new Map<string, Role[]>();
  #grants = '';
  #latest = 0;

  constructor(options: AccessOptions) {
    this.#o = options;
  }

  /** Null for somebody who was given nothing. */
  roleOf(peer: Pick<Peer, 'ids'>): Role | null {
    if (peer.ids.some((id) => this.#o.owners.includes(id))) return 'owner';
    return highest(peer.ids.flatMap((id) => this.#roles.get(id) ?? []));
  }

  /** Accounts that were given something, for the access list of a door. */
  get ids(): readonly string[] {
    return [...this.#roles.keys()];
  }

  /** Looks the names up. Who is taken out has no role from this moment on, however long the name service takes. */
  async use(grants: readonly Grant[]): Promise<void> {
    const text = JSON.stringify(grants);
    if (text === this.#grants) return;
    this.#grants = text;
    this.#latest += 1;
    const turn = this.#latest;
    this.#roles = new Map();
    const found = await Promise.all(grants.map(async ({ who, role }) => ({ who, role, id: await this.#idOf(who) })));
    if (turn !== this.#latest) return; // a later call knows better
    for (const { who, role, id } of found)
      if (id === null)
        this.#say(`W331 Nobody is called "${who}" on this machine: the role ${role} is given to no one.`);
      else this.#roles.set(id, [...(this.#roles.get(id) ?? []), role]);
  }

  /** The first of these that nobody is called; null when all are known. */
  async unknown(grants: readonly Grant[]): Promise<string | null> {
    for (const { who } of grants) if ((await this.#idOf(who)) === null) return who;
    return null;
  }

  async #idOf(who: string): Promise<string | null> {
    try {
      return await this.#o.idOf(who);
    } catch (error) {
      this.#say(`W331 "${who}" could not be looked up: ${(error as Error).message}.`);
      return null;
    }
  }

  #say(line: string): void {
    if (this.#said.has(line)) return;
    this.#said.add(line);
    this.#o.log(line);
  }
}

export const unknownAccount = (who: string): UnjamError =>
  new UnjamError(
    'bad-input',
    `Nobody is called "${who}" on this machine. Nothing was changed.`,
    'Name an account or a group as the system does: kim, group:deploy, CORP\\oncall.',
    'values.access',
  );
