/**
 * The merged log as stretches of bytes: between two rows of the index come first the new bytes of stdout, then those of
 * stderr, then Unjam's events. A run is what one file gives without another one in between; lines never cross its ends.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import type { LogEntry } from '../contract/methods.ts';
import { fileSize } from '../run-directory/run-directory.ts';
import { type IndexRow, type LogIndex, rowAfter, seqOf } from './index-file.ts';
import type { Decode } from './text.ts';

export interface LogPaths {
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly eventsPath: string;
}

export type LogFile = 'stdout' | 'stderr' | 'events';
export type Stream = LogEntry['stream'];
const logFiles = ['stdout', 'stderr', 'events'] as const;
export const streamOf = (file: LogFile): Stream => (file === 'events' ? 'unjam' : file);

/** A part of a run. `bytes` is empty where somebody truncated the file; `length` is what the index knows of. */
export interface Chunk {
  readonly file: LogFile;
  readonly seq: number;
  readonly offset: number;
  readonly length: number;
  readonly bytes: Buffer;
  /** Another file goes on behind it: a line that is not finished stays so. */
  readonly isRunEnd: boolean;
}

const readAheadBytes = 65_536;

export class MergedLog implements Disposable {
  readonly #paths: LogPaths;
  readonly #index: LogIndex;
  readonly #files = new Map<LogFile, number>();
  readonly #ahead = new Map<LogFile, { readonly offset: number; readonly bytes: Buffer }>();
  #rows: readonly IndexRow[] = [];
  readonly decode: Decode;
  size = 0;

  constructor(paths: LogPaths, index: LogIndex, decode: Decode) {
    this.#paths = paths;
    this.#index = index;
    this.decode = decode;
  }

  /** Looks for what is new. `isSettled`: nobody writes the index any more, so the files' sizes count as its end. */
  refresh(isSettled: boolean): void {
    const { stdoutPath, stderrPath, eventsPath } = this.#paths;
    this.#rows = this.#index.rows(
      isSettled
        ? {
            at: null,
            stdout: fileSize(stdoutPath).bytes,
            stderr: fileSize(stderrPath).bytes,
            events: fileSize(eventsPath).bytes,
          }
        : null,
    );
    const last = this.#rows.at(-1);
    this.size = last ? seqOf(last) : 0;
  }

  /** When the byte at `seq` was seen, wall-clock ms. */
  timeAt(seq: number): number | null {
    return this.#rows[rowAfter(this.#rows, seq)]?.at ?? null;
  }

  /** At most `max` bytes from `seq` on, of one file and one run; null at the end. */
  read(seq: number, max: number): Chunk | null {
    const place = this.#placeOf(seq);
    return place && this.#chunk(seq, place, this.#runEnd(place.file, place.k, place.offset + max));
  }

  /** As `read`, but only what was seen at one moment: a part of one row. Of events at most `maxOfEvents`. */
  readRow(seq: number, max: number, maxOfEvents: number): Chunk | null {
    const place = this.#placeOf(seq);
    if (place === null) return null;
    const limit = place.offset + (place.file === 'events' ? maxOfEvents : max);
    const end = this.#rows[place.k]?.[place.file] ?? 0;
    return this.#chunk(seq, place, { offset: Math.min(end, limit), isRunEnd: end <= limit });
  }

  bytes(file: LogFile, offset: number, length: number): Buffer {
    const ahead = this.#ahead.get(file);
    if (ahead && offset >= ahead.offset && offset + length <= ahead.offset + ahead.bytes.length)
      return ahead.bytes.subarray(offset - ahead.offset, offset - ahead.offset + length);
    const bytes = this.#fill(file, offset, Math.max(length, readAheadBytes));
    this.#ahead.set(file, { offset, bytes });
    return bytes.subarray(0, length);
  }

  /** The row and the file that hold the byte at `seq`. */
  #placeOf(seq: number): { readonly k: number; readonly file: LogFile; readonly offset: number } | null {
    const k = rowAfter(this.#rows, seq);
    const before = this.#rows[k - 1];
    const row = this.#rows[k];
    if (!before || !row) return null;
    let start = seqOf(before);
    for (const file of logFiles) {
      const length = row[file] - before[file];
      if (seq < start + length) return { k, file, offset: before[file] + seq - start };
      start += length;
    }
    return null;
  }

  #chunk(
    seq: number,
    { file, offset }: { readonly file: LogFile; readonly offset: number },
    end: { readonly offset: number; readonly isRunEnd: boolean },
  ): Chunk {
    const length = end.offset - offset;
    return { file, seq, offset, length, bytes: this.bytes(file, offset, length), isRunEnd: end.isRunEnd };
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
    this.#ahead.clear();
  }

  /** Where the run of `file` ends that row `k` is in, or `limit` when that is nearer. */
  #runEnd(file: LogFile, k: number, limit: number): { readonly offset: number; readonly isRunEnd: boolean } {
    for (let next = k; ; next += 1) {
      const row = this.#rows[next];
      if (!row) return { offset: this.#rows[next - 1]?.[file] ?? 0, isRunEnd: false };
      if (row[file] > limit) return { offset: limit, isRunEnd: false };
      const later = this.#rows[next + 1];
      const isFollowed = logFiles.slice(logFiles.indexOf(file) + 1).some((other) => goesOn(this.#rows, next, other));
      const isPreceded =
        later !== undefined && logFiles.slice(0, logFiles.indexOf(file)).some((other) => later[other] > row[other]);
      const ends = later !== undefined && later[file] === row[file] && seqOf(later) > seqOf(row);
      if (isFollowed || isPreceded || ends) return { offset: row[file], isRunEnd: true };
    }
  }

  #fill(file: LogFile, offset: number, length: number): Buffer {
    let descriptor = this.#files.get(file);
    if (descriptor === undefined) {
      try {
        descriptor = openSync(this.#paths[`${file}Path`], 'r');
      } catch {
        return Buffer.alloc(0);
      }
      this.#files.set(file, descriptor);
    }
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, length, offset));
  }
}

const goesOn = (rows: readonly IndexRow[], k: number, file: LogFile): boolean =>
  (rows[k]?.[file] ?? 0) > (rows[k - 1]?.[file] ?? 0);

/** Made when it is first used: a runner only writes events, and need not load what reads them. */
const visibleEventSchema = () => z.object({ at: z.number(), code: z.string().optional(), text: z.string() });
let schema: ReturnType<typeof visibleEventSchema> | undefined;

/** An event as a line of the log; null when it is not for people, torn, or written by a version that is not understood. */
export function visibleEvent(line: string): z.output<ReturnType<typeof visibleEventSchema>> | null {
  try {
    schema ??= visibleEventSchema();
    return schema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
