/** Answers who follows one script: when it is not as they last saw it, or when their time is over. */
import { UnjamError } from '../contract/errors.ts';
import type { Output, Parsed, ScriptView, Snapshot } from '../contract/methods.ts';

/** Who waits at the same time. Each costs a comparison for every snapshot, and keeps snapshots coming. */
const followersMax = 256;

export interface FollowedScripts {
  /** @throws UnjamError `unknown-ticket` */
  view(ticket: string): ScriptView;
  /** Every snapshot, the present one at once. Returns what ends it. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
}

export class Followers {
  readonly #scripts: FollowedScripts;
  readonly #max: number;
  #waiting = 0;

  constructor(scripts: FollowedScripts, max = followersMax) {
    this.#scripts = scripts;
    this.#max = max;
  }

  /**
   * Waits no longer than `gone`.
   * @throws UnjamError `unknown-ticket`, `busy`
   */
  async follow(
    { ticket, since, waitMs = 0 }: Parsed<'scripts.follow'>,
    gone?: AbortSignal,
  ): Promise<Output<'scripts.follow'>> {
    const script = this.#scripts.view(ticket);
    if (waitMs > 0 && this.#waiting >= this.#max)
      throw new UnjamError(
        'busy',
        `${this.#max} callers follow scripts of this host already.`,
        'Try again later, or ask without waitMs.',
      );
    if (waitMs > 0 && script.state !== 'final' && markOf(script) === since) {
      this.#waiting += 1;
      try {
        await this.#change(script.ticket, since, waitMs, gone);
      } finally {
        this.#waiting -= 1;
      }
    }
    const now = this.#scripts.view(ticket);
    return { mark: markOf(now), complete: now.state === 'final', script: now };
  }

  async #change(ticket: string, since: string, waitMs: number, gone: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    const end = (): void => resolve();
    gone?.addEventListener('abort', end);
    if (gone?.aborted) end();
    const stop = this.#scripts.subscribe(({ scripts }) => {
      const now = scripts.find((one) => one.ticket === ticket);
      if (now === undefined || markOf(now) !== since) end();
    });
    await promise;
    stop();
    gone?.removeEventListener('abort', end);
    clearTimeout(timer);
  }
}

/** Another one when the script has changed so that somebody would act on it; the same after a restart of the host. */
const markOf = ({ version, condition, queuePosition, blocks, taken }: ScriptView): string =>
  [version, condition.key, queuePosition ?? 0, blocks, taken?.since ?? ''].join('/');
