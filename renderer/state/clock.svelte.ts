/**
 * What time the host had when it was heard last. Every age on screen is counted to the same moment, so that no two of them
 * disagree, a browser on another machine shows no wrong ones, and nothing seems to age while the host is unreachable. A
 * host says it once a second while anything runs.
 */
export class Clock {
  now = $state(Date.now());

  /** The host said that it is `iso` now. */
  set(iso: string): void {
    this.now = Date.parse(iso);
  }

  since(iso: string): number {
    return Math.max(0, this.now - Date.parse(iso));
  }
}
