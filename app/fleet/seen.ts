/**
 * What this host has seen of its fleet's engine, kept across processes: the number of its signs of life, which an
 * engine that was restored from a backup has forgotten, and whether it once was smaller than before.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { UnjamError } from '../contract/errors.ts';
import { replaceFile, tryUnlink } from '../run-directory/atomic-file.ts';

const beat = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const iso = v.pipe(v.string(), v.isoTimestamp());

const SeenSchema = v.object({ schema: v.literal(1), fleet: v.string(), beat });

/** Two files, as each has one writer at a time: the host counts, and any process may find that the engine went back. */
const WentBackSchema = v.object({
  schema: v.literal(1),
  fleet: v.string(),
  at: iso,
  from: beat,
  to: beat,
  /** When a person said that the engine's present state counts. */
  restoredAt: v.nullable(iso),
});

type WentBack = v.InferOutput<typeof WentBackSchema>;

const seenFile = (stateDirectory: string): string => join(stateDirectory, 'fleet-seen.json');
const wentBackFile = (stateDirectory: string): string => join(stateDirectory, 'fleet-went-back.json');

export class Seen {
  readonly #stateDirectory: string;
  readonly #fleet: string;
  readonly #log: (line: string) => void;
  readonly #damaged = new Set<string>();
  /** Counts also when the disk did not take it. */
  #unwritten: WentBack | null = null;

  constructor(stateDirectory: string, fleet: string, log: (line: string) => void = () => undefined) {
    this.#stateDirectory = stateDirectory;
    this.#fleet = fleet;
    this.#log = log;
  }

  /** The highest number of signs of life that the engine has told this host; 0 when nothing was seen. */
  get beat(): number {
    return this.#read(seenFile(this.#stateDirectory), SeenSchema)?.beat ?? 0;
  }

  /** When a person said last that the engine's present state counts. */
  get restoredAt(): string | null {
    return this.#wentBack?.restoredAt ?? null;
  }

  /** That the engine went back and nobody has said that this counts; null when all is well. */
  get problem(): string | null {
    const wentBack = this.#wentBack;
    return wentBack === null || wentBack.restoredAt !== null
      ? null
      : `The engine of the fleet knows less than it has told this host before (sign of life ${wentBack.to} after ${wentBack.from}, noticed at ${wentBack.at}): a backup was restored, or a standby took over without its last changes`;
  }

  /** @throws UnjamError `fleet-went-back` */
  check(): void {
    const { problem } = this;
    if (problem === null) return;
    throw new UnjamError(
      'fleet-went-back',
      `${problem}.`,
      'Compare the holders in "unjam fleet locks" with the scripts that run, then run "unjam fleet restored" on this host.',
    );
  }

  /**
   * `before` was read before the engine was asked, so that another process's later number is not taken for an earlier
   * one. `keep` is for the host alone.
   */
  async compare(before: number, now: number, keep: boolean): Promise<void> {
    if (now > before) {
      if (keep && this.problem === null) await this.#write(seenFile(this.#stateDirectory), { schema: 1, fleet: this.#fleet, beat: now }); // prettier-ignore
      return;
    }
    // A person may have taken the engine's number as seen since.
    if (this.problem !== null || this.beat < before) return;
    const fact = { schema: 1, fleet: this.#fleet, at: new Date().toISOString(), from: before, to: now, restoredAt: null } as const; // prettier-ignore
    this.#unwritten = fact;
    if (await this.#write(wentBackFile(this.#stateDirectory), fact)) this.#unwritten = null;
  }

  /** From now on the engine's number counts, and what it has told before does not. @throws Error of the disk */
  async restored(now: number): Promise<void> {
    const known = this.#wentBack ?? { from: this.beat, to: now };
    const at = new Date().toISOString();
    const fact: WentBack = { at, ...known, schema: 1, fleet: this.#fleet, restoredAt: at };
    await replaceFile(
      seenFile(this.#stateDirectory),
      JSON.stringify({ schema: 1, fleet: this.#fleet, beat: now }),
      true,
    );
    await replaceFile(wentBackFile(this.#stateDirectory), JSON.stringify(fact), true);
  }

  get #wentBack(): WentBack | null {
    const kept = this.#read(wentBackFile(this.#stateDirectory), WentBackSchema);
    return this.#unwritten && (kept?.restoredAt ?? '') < this.#unwritten.at ? this.#unwritten : kept;
  }

  /** Null when it is missing, damaged or of another fleet. */
  #read<T extends { fleet: string }>(path: string, schema: v.GenericSchema<unknown, T>): T | null {
    try {
      const read = v.parse(schema, JSON.parse(readFileSync(path, 'utf8')));
      this.#damaged.delete(path);
      return read.fleet === this.#fleet ? read : null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      if (!this.#damaged.has(path))
        this.#log(`W396 "${path}" cannot be read and counts as nothing seen: ${(error as Error).message}`);
      this.#damaged.add(path);
      return null;
    }
  }

  /** False when the disk did not take it. */
  async #write(path: string, content: object): Promise<boolean> {
    try {
      await replaceFile(path, JSON.stringify(content), true);
      return true;
    } catch (error) {
      this.#log(`W396 "${path}" could not be written: ${(error as Error).message}`);
      return false;
    }
  }
}

/** A host that leaves has seen nothing. */
export function forgetSeen(stateDirectory: string): void {
  tryUnlink(seenFile(stateDirectory));
  tryUnlink(wentBackFile(stateDirectory));
}
