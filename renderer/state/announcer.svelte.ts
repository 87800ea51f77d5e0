/** One throttled status for screen readers, and alerts that are heard and seen: own actions, refusals, new stuck scripts. */
const quietMs = 10_000;
const seenMs = 4_000;

export class Announcer {
  status = $state('');
  alert = $state('');
  /** The alert is on screen as well. */
  isSeen = $state(false);

  #lastSaid = 0;
  #lastPlain = '';
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #hiding: ReturnType<typeof setTimeout> | undefined;

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

  /** Heard at once, and seen for 4 s. */
  warn(sentence: string): void {
    this.read(sentence);
    this.isSeen = true;
    this.#hiding = setTimeout(() => (this.isSeen = false), seenMs);
  }

  /** Heard at once and not seen: what is on screen already. */
  read(sentence: string): void {
    clearTimeout(this.#hiding);
    this.isSeen = false;
    // The same words twice are not announced again; a no-break space makes them different.
    this.alert = this.alert === sentence ? `${sentence}\u00a0` : sentence;
  }

  stop(): void {
    clearTimeout(this.#waiting);
    clearTimeout(this.#hiding);
  }
}

function withoutDurations(sentence: string): string {
  return sentence.replace(/\b\d+ (?:s|min|h|d)\b/g, '');
}
