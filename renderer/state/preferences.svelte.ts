/** The host's settings as this page knows them; what concerns the look is applied to the page at once. */
import type { ConsoleClient, SettingKey, Settings, SettingsView } from '../contract.ts';
import { toCallError } from '../transport/call-error.ts';
import { letterKeys } from '../shell/letter-keys.svelte.ts';

/** Until the host has answered, and for a host that has no settings yet. */
const untilKnown = {
  cancelGraceSeconds: 30,
  requireReason: false,
  killNeedsPid: false,
  evidenceBeforeEnd: false,
  disableForceKill: false,
  disableAbandon: false,
} as const satisfies Partial<Settings>;

export interface SettingsFailure {
  /** Null when they could not be read at all. */
  readonly key: SettingKey | null;
  readonly message: string;
  readonly next: string;
}

export class Preferences {
  view = $state.raw<SettingsView | null>(null);
  /** Of the last change that was refused, with its key. */
  failure = $state.raw<SettingsFailure | null>(null);

  readonly values: Pick<Settings, keyof typeof untilKnown> = $derived(this.view?.values ?? untilKnown);

  readonly #client: ConsoleClient;
  #turn: Promise<void> = Promise.resolve();

  constructor(client: ConsoleClient) {
    this.#client = client;
  }

  /** The window's grace is longer than the API's: a person watches, and may still Force Kill. */
  get graceMs(): number {
    return this.values.cancelGraceSeconds * 1_000;
  }

  async read(): Promise<void> {
    await this.#take(null, () => this.#client.call('settings.get', {}));
  }

  async set<K extends SettingKey>(key: K, value: Settings[K]): Promise<void> {
    await this.#take(key, () => this.#client.call('settings.set', { values: { [key]: value } }));
  }

  async reset(key: SettingKey): Promise<void> {
    await this.#take(key, () => this.#client.call('settings.set', { reset: [key] }));
  }

  /** One after the other: an answer that was overtaken would show what is no longer so. */
  #take(key: SettingKey | null, call: () => Promise<SettingsView>): Promise<void> {
    this.#turn = this.#turn.then(() => this.#takeNow(key, call));
    return this.#turn;
  }

  async #takeNow(key: SettingKey | null, call: () => Promise<SettingsView>): Promise<void> {
    try {
      this.view = await call();
      if (key === null || this.failure?.key === key) this.failure = null;
      apply(this.view.values);
    } catch (error) {
      const { code, message, next } = toCallError(error);
      // An older host has no settings; then the defaults hold and nothing is wrong.
      if (code !== 'unknown-method') this.failure = { key, message, next };
    }
  }
}

function apply(values: Settings): void {
  const { theme } = values;
  const { documentElement: root } = document;
  if (theme === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = theme;
  letterKeys.isOn = values.singleLetterKeys;
}
