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
  readonly #stop: () => void;
  #timer: NodeJS.Timeout | null = null;
  #sentAt = -Infinity;

  constructor(source: SnapshotSource) {
    this.#source = source;
    this.#stop = source.onChange(() => this.#schedule(atMostEveryMs));
  }

  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#source.snapshot());
    this.#schedule(ageEveryMs);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  close(): void {
    this.#stop();
    this.#listeners.clear();
    if (this.#timer) clearTimeout(this.#timer);
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
    const snapshot = this.#source.snapshot();
    for (const listener of this.#listeners) listener(snapshot);
    if (snapshot.scripts.some((s) => s.state !== 'final' || s.orphan)) this.#schedule(ageEveryMs);
  }
}
