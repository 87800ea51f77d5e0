/**
 * The settings as the shell follows them. Asked through the dispatcher, because another host may own them; and at most
 * every few seconds, because snapshots come four times a second.
 */
import type { Caller, Dispatch } from '../app/contract/dispatcher.ts';
import type { Reply, Settings, SettingsView } from '../app/contract/methods.ts';

const askEveryMs = 5_000;

export class HostSettings {
  /** As they were read last, also while the host does not answer; null until it has. */
  current: Settings | null = null;
  readonly #dispatch: Dispatch;
  readonly #user: string;
  readonly #now: () => number;
  #askedAt = -Infinity;
  #asking: Promise<void> = Promise.resolve();
  #changes = 0;

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

  /** The host's reply; what it has kept is `current` from then on. */
  async change(values: Partial<Settings>, caller: Caller): Promise<Reply<SettingsView>> {
    const reply = (await this.#dispatch('settings.set', { values }, caller)) as Reply<SettingsView>;
    if (!reply.ok) return reply;
    this.#changes += 1;
    this.current = reply.value.values;
    return reply;
  }

  async #ask(): Promise<void> {
    const changes = this.#changes;
    const caller: Caller = { user: this.#user, via: 'window', role: 'owner' };
    const reply = (await this.#dispatch('settings.get', {}, caller)) as Reply<SettingsView>;
    // An answer that was under way during a change may be from before it.
    if (reply.ok && changes === this.#changes) this.current = reply.value.values;
  }
}
