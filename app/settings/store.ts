/** The settings of one host: joins the layers, answers `settings.get` and `settings.set`, and looks at policies again. */
import { join } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import type { Parsed, SettingKey, Settings, SettingsView } from '../contract/methods.ts';
import { settingBounds } from '../contract/settings-schemas.ts';
import type { Actor } from '../domain/script.ts';
import { emptyLayer, type Layer, type Layers, managedBy, userLayer, valuesOf, viewOf } from './layers.ts';
import { type PolicySource, readMachineFile, readRegistry } from './policy-source.ts';
import { replaceFile } from '../run-directory/atomic-file.ts';
import { readSettingsFile, setAside } from './settings-file.ts';

const policyEveryMs = 60_000;

export class SettingsStore {
  readonly #path: string;
  readonly #source: PolicySource;
  readonly #log: (line: string) => void;
  readonly #said = new Set<string>();
  /** The file as it is, with what this version does not know. */
  #raw: Readonly<Record<string, unknown>> = {};
  #layers: Layers = { user: emptyLayer, machine: emptyLayer, policy: emptyLayer };
  #values: Settings;
  readonly #listeners = new Set<(values: Settings) => void>();
  #timer: NodeJS.Timeout | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(stateDirectory: string, source: PolicySource, log: (line: string) => void) {
    this.#path = join(stateDirectory, 'settings.json');
    this.#source = source;
    this.#log = log;
    this.#values = valuesOf(this.#layers);
  }

  static async open(stateDirectory: string, source: PolicySource, log: (line: string) => void): Promise<SettingsStore> {
    const store = new SettingsStore(stateDirectory, source, log);
    store.#use({ ...store.#layers, user: store.#readOwn() });
    await store.readPolicies();
    store.#timer = setInterval(() => {
      store
        .readPolicies()
        .catch((error: Error) => log(`W396 The policies could not be read: ${error.message}. It will be tried again.`));
    }, policyEveryMs).unref();
    return store;
  }

  /** In force now. */
  get values(): Settings {
    return this.#values;
  }

  /** Calls `listener` with the values after every look at them. */
  onChange(listener: (values: Settings) => void): void {
    this.#listeners.add(listener);
  }

  view(): SettingsView {
    return viewOf(this.#layers, this.#path, settingBounds);
  }

  /** @throws UnjamError `not-possible` for what an administrator has set, `state-directory` when it cannot be kept */
  change(input: Parsed<'settings.set'>, actor: Actor): Promise<SettingsView> {
    const change = this.#turn.then(() => this.#change(input, actor));
    this.#turn = change.catch(() => undefined);
    return change;
  }

  /** One after the other: each change is made to what the one before it has left. */
  async #change({ values = {}, reset = [] }: Parsed<'settings.set'>, actor: Actor): Promise<SettingsView> {
    for (const key of [...(Object.keys(values) as SettingKey[]), ...reset]) {
      const managed = managedBy(this.#layers, key);
      if (managed !== null)
        throw new UnjamError(
          'not-possible',
          `"${key}" cannot be changed here: ${managed.charAt(0).toLowerCase()}${managed.slice(1)}. Nothing was changed.`,
          'Ask the administrator of this host.',
          `values.${key}`,
        );
    }
    const raw = { ...this.#raw, ...values };
    const kept = Object.fromEntries(Object.entries(raw).filter(([name]) => !reset.includes(name as SettingKey)));
    try {
      await replaceFile(this.#path, `${JSON.stringify(kept, null, 2)}\n`, true);
    } catch (error) {
      throw new UnjamError(
        'state-directory',
        `The settings could not be kept in "${this.#path}": ${(error as Error).message}. Nothing was changed.`,
        'Free space or correct the rights of the state directory.',
      );
    }
    this.#raw = kept;
    this.#use({ ...this.#layers, user: userLayer(kept, this.#path) });
    this.#log(`I320 Settings changed by ${actor.user} (${actor.via}): ${changeText(values, reset)}.`);
    return this.view();
  }

  async readPolicies(): Promise<void> {
    const machine = readMachineFile(this.#source);
    const policy = await readRegistry(this.#source, this.#layers.policy);
    this.#use({ ...this.#layers, machine, policy });
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  #readOwn(): Layer {
    const content = readSettingsFile(this.#path);
    if (content.kind === 'absent') return emptyLayer;
    if (content.kind === 'values') {
      this.#raw = content.raw;
      return userLayer(content.raw, this.#path);
    }
    let kept = 'it could not be set aside';
    try {
      kept = `it was kept as ${setAside(this.#path)}`;
    } catch {
      // Said in the sentence.
    }
    return { values: {}, problems: [`${this.#path} was damaged (${content.why}); ${kept}. The defaults hold.`] };
  }

  #use(layers: Layers): void {
    this.#layers = layers;
    this.#values = valuesOf(layers);
    for (const problem of this.view().problems) {
      if (!this.#said.has(problem)) this.#log(`W321 ${problem}`);
      this.#said.add(problem);
    }
    for (const listener of this.#listeners) listener(this.#values);
  }
}

const changeText = (values: Readonly<Record<string, unknown>>, reset: readonly SettingKey[]): string =>
  [
    ...Object.entries(values).map(
      ([key, value]) => `${key} = ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
    ...reset.map((key) => `${key} to its default`),
  ].join(', ');
