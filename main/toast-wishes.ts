/**
 * Which toasts a person wants, from the settings. Asked through the dispatcher, because another host may own them; and
 * at most every few seconds, because snapshots come four times a second.
 */
import type { Dispatch } from '../app/contract/dispatcher.ts';
import type { Reply, Settings, SettingsView } from '../app/contract/methods.ts';
import type { Wishes } from './notification-rules.ts';

const askEveryMs = 5_000;

export const usualWishes: Wishes = {
  stuck: true,
  unkillable: true,
  orphanExited: false,
  perMutexMs: 600_000,
  quiet: null,
};

function wishesOf(s: Settings): Wishes {
  return {
    stuck: s['notifications.stuck'],
    unkillable: s['notifications.unkillable'],
    orphanExited: s['notifications.orphanExited'],
    perMutexMs: s['notifications.minutesPerMutex'] * 60_000,
    quiet: s['notifications.quietHours']
      ? { from: minuteOf(s['notifications.quietFrom']), to: minuteOf(s['notifications.quietTo']) }
      : null,
  };
}

/** What was read last holds while the host does not answer, or is too old to know. */
export class ToastWishes {
  current = usualWishes;
  readonly #dispatch: Dispatch;
  readonly #user: string;
  readonly #now: () => number;
  #askedAt = -Infinity;
  #asking: Promise<void> = Promise.resolve();

  constructor(dispatch: Dispatch, user: string, now: () => number) {
    this.#dispatch = dispatch;
    this.#user = user;
    this.#now = now;
  }

  /** Resolves in the order of the calls, so that what is done with a snapshot afterwards keeps its order too. */
  look(): Promise<void> {
    if (this.#now() - this.#askedAt >= askEveryMs) {
      this.#askedAt = this.#now();
      this.#asking = this.#ask().catch(() => undefined);
    }
    return this.#asking;
  }

  /** For somebody who may have changed them a moment ago. */
  lookNow(): Promise<void> {
    this.#askedAt = -Infinity;
    return this.look();
  }

  async #ask(): Promise<void> {
    const reply = (await this.#dispatch(
      'settings.get',
      {},
      { user: this.#user, via: 'window' },
    )) as Reply<SettingsView>;
    if (reply.ok) this.current = wishesOf(reply.value.values);
  }
}

/** "22:30" */
function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
