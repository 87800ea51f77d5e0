/** What each process used between two readings: made here from totals, for as long as somebody looks at the script. */
import type { ProcessView, ScriptDetail } from '../contract.ts';

/** 28 readings, 2 s apart: the last minute. */
const kept = 28;

interface Reading {
  readonly at: number;
  readonly cpuMs: number | null;
  readonly ioBytes: number | null;
}

export interface Measured {
  /** Percent of one core. */
  readonly cpu: readonly (number | null)[];
  /** Bytes a second, read and written. */
  readonly io: readonly (number | null)[];
}

const nothing: Measured = { cpu: [], io: [] };
// A pid may be used again: then another process starts another curve.
const keyOf = ({ pid, startedAt }: ProcessView): string => `${pid} ${startedAt}`;

export class Samples {
  readonly #ticket: string | null;
  readonly #last: ReadonlyMap<string, Reading>;
  readonly #measured: ReadonlyMap<string, Measured>;

  constructor(
    ticket: string | null = null,
    last: ReadonlyMap<string, Reading> = new Map(),
    measured: ReadonlyMap<string, Measured> = new Map(),
  ) {
    this.#ticket = ticket;
    this.#last = last;
    this.#measured = measured;
  }

  of(process: ProcessView): Measured {
    return this.#measured.get(keyOf(process)) ?? nothing;
  }

  /** With one more reading; `at` in ms of any clock that does not jump. */
  with({ ticket, processes }: ScriptDetail, at: number): Samples {
    const isSame = ticket === this.#ticket;
    const last = new Map<string, Reading>();
    const measured = new Map<string, Measured>();
    for (const process of processes) {
      const key = keyOf(process);
      const reading: Reading = { at, cpuMs: process.cpuMs, ioBytes: process.ioBytes ?? null };
      const before = isSame ? this.#last.get(key) : undefined;
      last.set(key, reading);
      if (before === undefined || at <= before.at) continue;
      const known = this.#measured.get(key) ?? nothing;
      const seconds = (at - before.at) / 1_000;
      const cpuMs = gain(before.cpuMs, reading.cpuMs);
      const ioBytes = gain(before.ioBytes, reading.ioBytes);
      measured.set(key, {
        cpu: [...known.cpu, cpuMs === null ? null : cpuMs / seconds / 10].slice(-kept),
        io: [...known.io, ioBytes === null ? null : ioBytes / seconds].slice(-kept),
      });
    }
    return new Samples(ticket, last, measured);
  }
}

const gain = (before: number | null, now: number | null): number | null =>
  before === null || now === null ? null : Math.max(0, now - before);
