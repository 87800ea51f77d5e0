/**
 * The one timer of a script: it beats at the pace that the stage needs and counts active time. A beat that comes much
 * too late means that this process was suspended or the machine slept; that time counts for no deadline.
 */

/** A busy machine delays a beat by seconds; what is later than this was a suspension. */
const lateMs = 5_000;

export class Pulse {
  readonly #beat: (activeMs: number) => void;
  #timer: NodeJS.Timeout | null = null;
  #everyMs: number | null = null;
  #last = performance.now();

  /** `beat` must not throw. */
  constructor(beat: (activeMs: number) => void) {
    this.#beat = beat;
  }

  /** From now on every `everyMs`, or never. */
  set(everyMs: number | null): void {
    if (everyMs === this.#everyMs && (everyMs === null) === (this.#timer === null)) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#everyMs === null) this.#last = performance.now(); // it rested: nothing was counted
    this.#everyMs = everyMs;
    if (everyMs !== null) this.#schedule(everyMs);
  }

  get everyMs(): number | null {
    return this.#everyMs;
  }

  #schedule(everyMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const now = performance.now();
      const passed = now - this.#last;
      this.#last = now;
      this.#beat(activeTime(passed, everyMs));
      if (this.#timer === null && this.#everyMs !== null) this.#schedule(this.#everyMs);
    }, everyMs);
  }
}

/** How much of the time between two beats counts, ms. */
export function activeTime(passedMs: number, everyMs: number): number {
  return passedMs > everyMs + lateMs ? everyMs : passedMs;
}
