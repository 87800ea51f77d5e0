/** Reads the index that a runner writes: how stdout, stderr and Unjam's lines interleave, and when. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** Sizes of the three files at one moment; the merged log is the sequence of what came between two rows. */
export interface IndexRow {
  readonly at: number | null;
  readonly stdout: number;
  readonly stderr: number;
  readonly events: number;
}

export const seqOf = (row: IndexRow): number => row.stdout + row.stderr + row.events;

const begin: IndexRow = { at: null, stdout: 0, stderr: 0, events: 0 };

export class LogIndex {
  readonly #path: string;
  readonly #rows: IndexRow[] = [begin];
  #offset = 0;
  /** Inode and birth: a number is handed out again. */
  #file = '';
  /** How often the file was removed and begun anew: what was known of the log is void then. */
  restarts = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads the rows that are new. `end` adds what the index does not cover, when nobody writes it any more. */
  rows(end: IndexRow | null): readonly IndexRow[] {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    const size = found?.size ?? 0;
    const id = found ? `${found.ino} ${found.birthtimeMs}` : this.#file;
    if (this.#file !== '' && id !== this.#file) {
      this.#rows.splice(1);
      this.#offset = 0;
      this.restarts += 1;
    }
    this.#file = id;
    if (size > this.#offset) {
      const file = openSync(this.#path, 'r');
      try {
        const buffer = Buffer.allocUnsafe(size - this.#offset);
        const read = readSync(file, buffer, 0, buffer.length, this.#offset);
        const whole = buffer.subarray(0, read).lastIndexOf(10) + 1;
        this.#offset += whole;
        for (const line of buffer.toString('latin1', 0, whole).split('\n')) this.#add(line);
      } finally {
        closeSync(file);
      }
    }
    // Kept: what a process that was left running on purpose writes later comes behind it and moves nothing.
    if (end !== null) this.#push(end);
    return this.#rows;
  }

  #add(line: string): void {
    // Anything else is torn, damaged, or of a version that is not understood: the next row covers what it meant.
    const row = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15})$/.exec(line);
    if (row) this.#push({ at: Number(row[1]), stdout: Number(row[2]), stderr: Number(row[3]), events: Number(row[4]) });
  }

  #push(row: IndexRow): void {
    const last = this.#rows.at(-1) ?? begin;
    // A log that was truncated by somebody starts over: sizes never shrink here, so that sequence numbers stay.
    const grown: IndexRow = {
      at: row.at,
      stdout: Math.max(row.stdout, last.stdout),
      stderr: Math.max(row.stderr, last.stderr),
      events: Math.max(row.events, last.events),
    };
    if (seqOf(grown) > seqOf(last)) this.#rows.push(grown);
  }
}

/** Index of the first row whose sequence number is greater than `seq`; the length when there is none. */
export function rowAfter(rows: readonly IndexRow[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row !== undefined && seqOf(row) <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
