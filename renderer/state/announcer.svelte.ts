/** What a screen reader hears without asking: one throttled status, and alerts for own actions and new stuck scripts. */
const quietMs = 10_000;

export class Announcer {
  status = $state('');
  alert = $state('');

  #lastSaid = 0;
  #lastPlain = '';
  #waiting: ReturnType<typeof setTimeout> | undefined;

  /** At most one in 10 s, the newest wins; a sentence in which only a duration has ticked is not news. */
  tell(sentence: string): void {
    const plain = withoutDurations(sentence);
    if (plain === this.#lastPlain) return;
    this.#lastPlain = plain;
    clearTimeout(this.#waiting);
    const wait = Math.max(0, this.#lastSaid + quietMs - performance.now());
    this.#waiting = setTimeout(() => {
      this.#lastSaid = performance.now();
      this.status = sentence;
    }, wait);
  }

  warn(sentence: string): void {
    // The same words twice are not announced again; a no-break space makes them different.
    this.alert = this.alert === sentence ? `${sentence}\u00a0` : sentence;
  }

  stop(): void {
    clearTimeout(this.#waiting);
  }
}

function withoutDurations(sentence: string): string {
  return sentence.replace(/\b\d+ (?:s|min|h|d)\b/g, '');
}
