/** The groups of a log, and which of its lines are on screen while some of them are folded. Pure. */

/** By line numbers, from 1. */
export interface LogGroup {
  readonly start: number;
  /** The line that ends it; null while none does. */
  readonly end: number | null;
}

/** For `logs.search`: a line that begins a group, of GitHub Actions or Azure Pipelines, and one that ends it. */
export const groupPattern = String.raw`^\s*(?:::group::|##\[group\])`;
export const groupEndPattern = String.raw`^\s*(?:::endgroup::|##\[endgroup\])`;

/** Pairs the lines that begin a group with those that end one, as brackets are. An end without a beginning is nothing. */
export function pair(starts: readonly number[], ends: readonly number[]): ReadonlyMap<number, LogGroup> {
  const groups = new Map<number, LogGroup>();
  const open: number[] = [];
  let next = 0;
  const openBefore = (line: number): void => {
    for (; (starts[next] ?? Infinity) < line; next += 1) {
      const start = starts[next] ?? 0;
      open.push(start);
      groups.set(start, { start, end: null });
    }
  };
  for (const end of ends) {
    openBefore(end);
    const start = open.pop();
    if (start !== undefined) groups.set(start, { start, end });
  }
  openBefore(Infinity);
  return groups;
}

/** How many lines a group has in a log of `total` lines; the two that begin and end it are not counted. */
export const lengthOf = ({ start, end }: LogGroup, total: number): number =>
  Math.max(0, (end ?? total + 1) - start - 1);

/** Lines that are not on screen, as places from 0: from `from` on, before `to`. */
interface Hidden {
  readonly from: number;
  readonly to: number;
  /** How many are hidden before it. */
  readonly before: number;
}

/** Rows on screen and places in the log: the same number as long as nothing is folded. */
export class Rows {
  readonly count: number;
  readonly #total: number;
  readonly #hidden: readonly Hidden[];

  constructor(total: number, folded: readonly LogGroup[]) {
    const hidden: Hidden[] = [];
    let before = 0;
    for (const { start, end } of [...folded].sort((a, b) => a.start - b.start)) {
      const from = start;
      const to = Math.min(total, end ?? total);
      // What is folded within a folded group is hidden already.
      if (to <= from || from < (hidden.at(-1)?.to ?? 0)) continue;
      hidden.push({ from, to, before });
      before += to - from;
    }
    this.#hidden = hidden;
    this.#total = total;
    this.count = total - before;
  }

  /** The place of a row; behind the last row, that of the end. */
  placeOf(row: number): number {
    if (row >= this.count) return this.#total;
    const last = this.#last(({ from, before }) => from - before <= row);
    return last === undefined ? row : row + last.before + last.to - last.from;
  }

  /** The row of a place; of a hidden one, that of its group. */
  rowOf(place: number): number {
    const last = this.#last(({ from }) => from <= place);
    if (last === undefined) return place;
    return place < last.to ? last.from - last.before - 1 : place - last.before - (last.to - last.from);
  }

  /** The last of those for which it holds; it holds for the first ones and no others. */
  #last(holds: (hidden: Hidden) => boolean): Hidden | undefined {
    let low = 0;
    let high = this.#hidden.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const one = this.#hidden[middle];
      if (one !== undefined && holds(one)) low = middle + 1;
      else high = middle;
    }
    return this.#hidden[low - 1];
  }
}
