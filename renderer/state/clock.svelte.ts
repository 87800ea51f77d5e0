/**
 * What time the host has: ages are counted on its clock, so that a browser on another machine does not show wrong ones.
 * Stands still while the page is hidden.
 */
export class Clock {
  now = $state(Date.now());
  #skew = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  readonly #onVisibility = (): void => {
    clearInterval(this.#timer);
    if (document.hidden) return;
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), 1_000);
  };

  start(): () => void {
    this.#onVisibility();
    document.addEventListener('visibilitychange', this.#onVisibility);
    return () => {
      clearInterval(this.#timer);
      document.removeEventListener('visibilitychange', this.#onVisibility);
    };
  }

  /** The host said that it is `iso` now. Differences that a slow answer explains are left alone. */
  set(iso: string): void {
    const skew = Date.parse(iso) - Date.now();
    if (Math.abs(skew - this.#skew) > 1_500) this.#skew = skew;
    this.#tick();
  }

  since(iso: string): number {
    return Math.max(0, this.now - Date.parse(iso));
  }

  #tick(): void {
    this.now = Date.now() + this.#skew;
  }
}
