/** The table of processes as a forest. A parent counts only when it is not younger than its child: pids come round. */
import type { Row } from './known.ts';
import { mayFit, plainName } from './names.ts';
import type { Match } from './recogniser.ts';

/** Start times are decimal texts without leading zeros; on Windows they are too long for a number. */
export const isOlder = (a: Row, b: Row): boolean => compareStart(a, b) < 0;

function compareStart(a: Row, b: Row): number {
  const [x, y] = [a.identity.startTime, b.identity.startTime];
  return x.length !== y.length ? x.length - y.length : x < y ? -1 : x > y ? 1 : 0;
}

export interface Node {
  readonly row: Row;
  /** Name of the executable in lower case, without `.exe`. */
  readonly plain: string;
  parent: Node | null;
  readonly children: Node[];
}

export class Forest {
  readonly nodes: readonly Node[];
  readonly #byPid = new Map<number, Node>();
  readonly #byName = new Map<string, Node[]>();

  constructor(table: readonly Row[]) {
    // Sorted, so that a table in another order gives the same answer.
    const rows = table.filter((r) => r.state !== 'zombie').sort((a, b) => a.identity.pid - b.identity.pid);
    const nodes = rows.map((row): Node => ({ row, plain: plainName(row.identity.name), parent: null, children: [] }));
    for (const node of nodes) {
      this.#byPid.set(node.row.identity.pid, node);
      const named = this.#byName.get(node.plain);
      if (named === undefined) this.#byName.set(node.plain, [node]);
      else named.push(node);
    }
    for (const node of nodes) {
      const parent = this.#byPid.get(node.row.parentPid);
      if (parent === undefined || parent === node || isOlder(node.row, parent.row)) continue;
      node.parent = parent;
      parent.children.push(node);
    }
    // Of two processes that started in the same tick each may name the other one, when their pids came round.
    for (const node of nodes) if (isInLoop(node)) cut(node);
    this.nodes = nodes;
  }

  byPid(pid: number): Node | null {
    return this.#byPid.get(pid) ?? null;
  }

  /** Those that may fit by their names, in the order of `nodes`. A machine has many processes, and few names. */
  named(match: Match): Node[] {
    return [...this.#byName]
      .flatMap(([plain, nodes]) => (mayFit(match, plain) ? nodes : []))
      .sort((a, b) => a.row.identity.pid - b.row.identity.pid);
  }
}

function isInLoop(node: Node): boolean {
  if (node.parent === null || compareStart(node.row, node.parent.row) !== 0) return false;
  const seen = new Set<Node>([node]);
  for (let n: Node | null = node.parent; n !== null; n = n.parent) {
    if (n === node) return true;
    if (seen.has(n)) return false;
    seen.add(n);
  }
  return false;
}

function cut(node: Node): void {
  const siblings = node.parent?.children ?? [];
  siblings.splice(siblings.indexOf(node), 1);
  node.parent = null;
}

/** The node and everything below it, parents first. `enter` may keep out a child with all below it. */
export function below(node: Node, enter: (child: Node) => boolean = () => true): Node[] {
  const found = [node];
  for (let i = 0; i < found.length; i += 1) for (const c of found[i]!.children) if (enter(c)) found.push(c);
  return found;
}

export function* above(node: Node): Generator<Node> {
  for (let n = node.parent; n !== null; n = n.parent) yield n;
}
