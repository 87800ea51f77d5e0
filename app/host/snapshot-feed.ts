/** Hands snapshots to whoever looks: after changes at most four a second, else once a second while something lives. */
import type { Snapshot } from '../contract/methods.ts';

const atMostEveryMs = 250;
const ageEveryMs = 1_000;

export interface SnapshotSource {
  snapshot(): Snapshot;
  onChange(listener: () => void): () => void;
}

export class SnapshotFeed {
  readonly #source: SnapshotSource;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  /** Ends the watch of the source; null while nobody looks: then the source need not be fresh. */
  #stop: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sentAt = -Infinity;
  readonly #log: (line: string) => void;
  /** Why the latest one could not be made; each reason is said once. */
  #problem: string | null = null;

  constructor(source: SnapshotSource, log: (line: string) => void) {
    this.#source = source;
    this.#log = log;
  }

  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    const first = this.#source.snapshot();
    this.#listeners.add(listener);
    this.#stop ??= this.#source.onChange(() => this.#schedule(atMostEveryMs));
    listener(first);
    this.#schedule(ageEveryMs);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#rest();
  }

  #rest(): void {
    this.#stop?.();
    this.#stop = null;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(ms: number): void {
    if (this.#listeners.size === 0) return;
    const wait = Math.max(0, this.#sentAt + ms - performance.now());
    if (this.#timer && ms !== atMostEveryMs) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), wait);
  }

  #send(): void {
    this.#timer = null;
    if (this.#listeners.size === 0) return;
    this.#sentAt = performance.now();
    const snapshot = this.#look();
    if (snapshot === null) return this.#schedule(ageEveryMs);
    for (const listener of this.#listeners) listener(snapshot);
    if (snapshot.scripts.some((s) => s.state !== 'final' || s.orphan)) this.#schedule(ageEveryMs);
  }

  /** Null while the disk refuses something that it reads: a timer has nobody to tell it to. */
  #look(): Snapshot | null {
    try {
      const snapshot = this.#source.snapshot();
      this.#problem = null;
      return snapshot;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem)
        this.#log(`W396 The state could not be read for those who are looking: ${message}. It will be tried again.`);
      this.#problem = message;
      return null;
    }
  }
}
