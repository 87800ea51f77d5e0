/** The rows of the log view: lines, and what happened between them. Built once per line, extended as lines come. */
import type { Line } from './lines.ts';

/** Silence longer than this is shown as a line of its own. */
const gapMs = 60_000;

export type LogRow =
  | { readonly kind: 'line'; readonly key: string; readonly entry: Line; readonly sincePreviousMs: number | null }
  | { readonly kind: 'gap'; readonly key: string; readonly ms: number };

export interface RowFilter {
  readonly stream: 'all' | 'stderr' | 'unjam';
  /** Only lines that contain exactly this; empty = all. */
  readonly only: string;
}

export class RowBuilder {
  #rows: LogRow[] = [];
  #source: readonly Line[] = [];
  #done = 0;
  #last: Line | null = null;
  #lastAt: number | null = null;
  #filter = '';

  /** Returns the same array while only new lines come, so that a hundred thousand old ones are not looked at again. */
  update(source: readonly Line[], filter: RowFilter): readonly LogRow[] {
    const wanted = `${filter.stream}\n${filter.only}`;
    const goesOn =
      source === this.#source &&
      wanted === this.#filter &&
      source.length >= this.#done &&
      (this.#done === 0 || source[this.#done - 1] === this.#last);
    if (!goesOn) this.#restart(source, wanted);
    for (; this.#done < source.length; this.#done += 1) {
      const entry = source[this.#done];
      if (entry === undefined) break;
      this.#last = entry;
      if (filter.stream !== 'all' && entry.stream !== filter.stream) continue;
      if (filter.only !== '' && !entry.text.includes(filter.only)) continue;
      this.#add(entry);
    }
    return this.#rows;
  }

  #add(entry: Line): void {
    const at = entry.at === null ? null : Date.parse(entry.at);
    const since = at === null || this.#lastAt === null ? null : at - this.#lastAt;
    if (since !== null && since >= gapMs) this.#rows.push({ kind: 'gap', key: `gap ${entry.seq}`, ms: since });
    this.#rows.push({ kind: 'line', key: String(entry.seq), entry, sincePreviousMs: since });
    if (at !== null) this.#lastAt = at;
  }

  #restart(source: readonly Line[], filter: string): void {
    this.#rows = [];
    this.#source = source;
    this.#done = 0;
    this.#last = null;
    this.#lastAt = null;
    this.#filter = filter;
  }
}
