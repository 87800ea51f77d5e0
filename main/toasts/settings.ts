/**
 * The settings as the shell follows them. Asked through the dispatcher, because another host may own them; and at most
 * every few seconds, because snapshots come four times a second.
 */
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import type { Reply, Settings, SettingsView } from '../../app/contract/methods.ts';
import type { Wishes } from './rules.ts';

const askEveryMs = 5_000;

export class HostSettings {
  /** As they were read last, also while the host does not answer; null until it has. */
  current: Settings | null = null;
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
    const caller: Caller = { user: this.#user, via: 'window', role: 'owner' };
    const reply = (await this.#dispatch('settings.get', {}, caller)) as Reply<SettingsView>;
    if (reply.ok) this.current = reply.value.values;
  }
}

/** Which toasts a person wants: the defaults as long as no settings have been read. */
export function wishesOf(s: Settings | null): Wishes {
  return { stuck: s?.['notifications.stuck'] ?? true, orphanExited: s?.['notifications.orphanExited'] ?? false };
}
