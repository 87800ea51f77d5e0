/**
 * Calls once when so much time has passed by the clock that it is given. Node's timers go on while a Windows machine
 * sleeps: one that fires is no proof that its time has passed for the script, so it looks, and waits for the rest.
 */
export class Alarm {
  #timer: NodeJS.Timeout | null = null;

  /** `ms` up to a day; `now` in ms, from anywhere; `ring` must not throw. */
  constructor(ms: number, now: () => number, ring: () => void) {
    const due = now() + ms;
    const look = (): void => {
      const left = due - now();
      if (left > 0) this.#timer = setTimeout(look, Math.ceil(left));
      else {
        this.#timer = null;
        ring();
      }
    };
    this.#timer = setTimeout(look, ms);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
