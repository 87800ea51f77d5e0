/** Looks at a script's tree: who lives, who was seen since an end was begun, and what became of each kill. */
import type { Survivor } from '../domain/events.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import type { Seen } from '../domain/life-events.ts';
import type { TreeScope } from '../domain/script.ts';
import type { EndOutcome, ProcessControl } from '../processes/index.ts';

/** A process that survives a kill is sent another one after this. */
const againAfterMs = 1_000;

export type TreeControl = Pick<
  ProcessControl,
  'tree' | 'treeLiveness' | 'liveness' | 'end' | 'endTree' | 'whyAlive' | 'interrupt' | 'elevated'
>;

const key = (p: ProcessIdentity): string => `${p.pid}:${p.startTime}`;

export class TreeWatch {
  readonly #control: TreeControl;
  /** The first one's root stands for whoever is not shown. */
  readonly #scopes: readonly TreeScope[];
  readonly #seen = new Map<string, ProcessIdentity>();
  readonly #ends = new Map<string, { readonly at: number; readonly outcome: EndOutcome }>();

  constructor(control: TreeControl, scopes: readonly TreeScope[]) {
    this.#control = control;
    this.#scopes = scopes;
  }

  /**
   * The living members, remembered: who was known by its parent alone is no longer in the tree once that parent has
   * ended. `proven` only when the system itself says that the tree is empty.
   */
  look(): Seen {
    const { tree, treeLiveness, liveness } = this.#control;
    const found = this.#scopes.flatMap((scope) => tree(scope));
    const members = new Map(found.map(({ identity }) => [key(identity), identity]));
    for (const [id, member] of this.#seen) if (!members.has(id) && liveness(member) !== 'dead') members.set(id, member);
    for (const [id, member] of members) this.#seen.set(id, member);
    if (this.#seen.size === 0) this.#seen.set(key(this.#root), this.#root);
    return {
      members: [...members.values()],
      of: this.#seen.size,
      proven: members.size === 0 && this.#scopes.every((scope) => treeLiveness(scope) === 'dead'),
    };
  }

  /** Kills the tree, and each process by its identity; who survived an earlier kill gets another one. */
  end(): void {
    const now = performance.now();
    if (this.#ends.size === 0) for (const scope of this.#scopes) this.#control.endTree(scope);
    for (const member of this.look().members) {
      const before = this.#ends.get(key(member));
      if (before && now - before.at < againAfterMs) continue;
      this.#ends.set(key(member), { at: now, outcome: this.#control.end(member) });
    }
  }

  /** What lives after a kill, each with the reason; no signal is sent. */
  survivors(): Survivor[] {
    const { members } = this.look();
    // The system says that somebody of the tree lives, and does not show who (hidepid, another user).
    if (members.length === 0)
      return [
        {
          process: this.#root,
          reason: 'access',
          detail: 'a process of its tree lives, and is not shown to Unjam',
        },
      ];
    return members.map((process) => ({
      process,
      ...this.#control.whyAlive(process, this.#ends.get(key(process))?.outcome ?? { kind: 'sent' }),
    }));
  }

  get #root(): ProcessIdentity {
    const [first] = this.#scopes;
    if (first === undefined) throw new Error('A watch without a tree.');
    return first.root;
  }

  /** The next kill is the first one again. */
  forgetKills(): void {
    this.#ends.clear();
  }
}
