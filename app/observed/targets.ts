/**
 * What one ending is after: the processes that it was aimed at, and what has come of them since. Every signal of Force
 * Kill is decided here, by a table of that moment.
 */
import type { Node } from '../agents/forest.ts';
import { keyOf, type Row } from '../agents/known.ts';
import { refusal, type RefusalFacts, refusalOfHolder } from '../agents/refusals.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import type { EndOutcome, ForeignProcesses, ProcessControl } from '../processes/index.ts';
import type { Look, Observer } from './observer.ts';

export interface TargetsOptions {
  readonly control: ProcessControl;
  readonly foreign: ForeignProcesses;
  readonly observer: Observer;
  readonly killDisabled: boolean;
  readonly facts: (look: Look) => RefusalFacts;
}

/** A signal is decided by a table that is not older than this. */
const tableMaxAgeMs = 1_000;
const freezeRoundsMax = 50;
const clockToleranceMs = 1_000;

export class Targets {
  readonly #o: TargetsOptions;
  /** By `keyOf`; also after a process has lost its parent. */
  readonly #tracked = new Map<string, ProcessIdentity>();
  /** When the end of a process was asked for, by pid: on the wall clock, and where that stood beside `control.now`. */
  readonly #endedAt = new Map<number, { readonly at: number; readonly offset: number }>();

  constructor(options: TargetsOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#tracked.size;
  }

  has(of: ProcessIdentity): boolean {
    return this.#tracked.has(keyOf(of));
  }

  /** As `has`, for a process of a table. */
  readonly aims = ({ row }: Node): boolean => this.has(row.identity);

  /** These and nothing of before. */
  aimAt(targets: readonly ProcessIdentity[]): void {
    this.#tracked.clear();
    this.#endedAt.clear();
    for (const of of targets) this.#tracked.set(keyOf(of), of);
  }

  alive(): ProcessIdentity[] {
    return [...this.#tracked.values()].filter((of) => this.#o.control.liveness(of) === 'alive');
  }

  /** Takes in what has come of them: their children, however deep. */
  extend(): void {
    const look = this.#o.observer.lookNow();
    const facts = this.#o.facts(look);
    const take = ({ identity }: Row): void => void this.#tracked.set(keyOf(identity), identity);
    for (const node of look.forest.nodes) {
      if (this.#tracked.has(keyOf(node.row.identity))) continue;
      let up = node.parent;
      while (up !== null && !this.#tracked.has(keyOf(up.row.identity))) up = up.parent;
      const isTaken =
        up !== null ? refusal(node.row, facts, this.aims) === null : this.#isOrphan(node.row, look, facts);
      if (isTaken) take(node.row);
    }
  }

  /** Stops the tree, root first, until two looks find nothing new: nothing can be forked away while it is ended. */
  freeze(): Set<string> {
    const frozen = new Set<string>();
    for (let round = 0, quiet = 0; round < freezeRoundsMax && quiet < 2; round += 1) {
      this.extend();
      const open = [...this.#tracked].filter(([key]) => !frozen.has(key));
      let stopped = 0;
      for (const [key, of] of open) {
        if (!this.#o.killDisabled && this.#o.foreign.freeze(of)) stopped += 1;
        frozen.add(key);
      }
      quiet = stopped === 0 ? quiet + 1 : 0;
    }
    return frozen;
  }

  /** What was stopped and then refused goes on. */
  thaw(frozen: ReadonlySet<string>, outcomes: ReadonlyMap<string, EndOutcome>): void {
    for (const [key, of] of this.#tracked)
      if (frozen.has(key) && outcomes.get(key)?.kind !== 'sent') this.#o.foreign.thaw(of);
  }

  /** Ends each that still may be ended, and notes what came of it in `outcomes`. */
  end(outcomes: Map<string, EndOutcome>): void {
    let look = this.#o.observer.lookNow();
    let facts = this.#o.facts(look);
    let rows = new Map(look.table.map((r) => [keyOf(r.identity), r]));
    for (const [key, of] of this.#tracked) {
      if (this.#o.control.now() - look.seenAt > tableMaxAgeMs) {
        look = this.#o.observer.lookNow();
        facts = this.#o.facts(look);
        rows = new Map(look.table.map((r) => [keyOf(r.identity), r]));
      }
      const row = rows.get(key);
      if (row === undefined || row.state === 'zombie') continue;
      // Its parent may have ended a moment ago; that it was below the root is known from an earlier look.
      if (refusalOfHolder(row, facts) !== null || this.#o.killDisabled) continue;
      outcomes.set(key, this.#o.control.end(of));
      this.#endedAt.set(of.pid, { at: Date.now(), offset: this.#clockOffset() });
    }
  }

  /**
   * Windows: a child that was started before its parent was ended, by a parent that has gone. Had the parent's pid been
   * given to another process since, that one's child would be younger; unless somebody has set the clock, and then
   * nothing is concluded.
   */
  #isOrphan(row: Row, look: Look, facts: RefusalFacts): boolean {
    const ended = this.#endedAt.get(row.parentPid);
    return (
      ended !== undefined &&
      Math.abs(this.#clockOffset() - ended.offset) < clockToleranceMs &&
      look.forest.byPid(row.parentPid) === null &&
      row.identity.startedAt <= ended.at &&
      refusalOfHolder(row, facts) === null
    );
  }

  /** Stays the same until somebody sets the clock, or the machine sleeps. */
  #clockOffset(): number {
    return Date.now() - this.#o.control.now();
  }
}
