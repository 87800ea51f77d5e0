/** Joins the layers (defaults < user file < machine file < registry policy) and says what in them cannot be used. Pure. */
import { Settings as SettingsSchema } from '../contract/settings-schemas.ts';
import type { SettingKey, Settings, SettingsView } from '../contract/methods.ts';
import { defaultSettings, policyKeys, policyName, policyOnly } from './known.ts';

export type Values = Partial<Settings>;

export interface Layer {
  readonly values: Values;
  readonly problems: readonly string[];
}

export const emptyLayer: Layer = { values: {}, problems: [] };

/** The settings of an administrator; `where` names the file or key. Names are compared without regard to case, as Windows does. */
export function policyLayer(raw: Readonly<Record<string, unknown>>, where: string): Layer {
  const known = new Map<string, SettingKey>(policyKeys.map((key) => [policyName(key).toLowerCase(), key]));
  return read(raw, where, (name) => known.get(name.toLowerCase()) ?? null);
}

export function userLayer(raw: Readonly<Record<string, unknown>>, where: string): Layer {
  return read(raw, where, (name) =>
    Object.hasOwn(defaultSettings, name) && !policyOnly.includes(name as SettingKey) ? (name as SettingKey) : null,
  );
}

function read(
  raw: Readonly<Record<string, unknown>>,
  where: string,
  keyOf: (name: string) => SettingKey | null,
): Layer {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(raw)) {
    const key = keyOf(name);
    if (key === null) {
      problems.push(`${where}: "${name}" is not known to this version; it is kept and not used.`);
      continue;
    }
    const parsed = SettingsSchema.shape[key].safeParse(meant(key, value));
    if (parsed.success) values[key] = parsed.data;
    else problems.push(`${where}: "${name}" is ${JSON.stringify(value)}, which cannot be used; it is ignored.`);
  }
  return { values, problems };
}

/** The registry has neither true and false nor lists: 1 and 0 stand for them, and a list is written as JSON. */
function meant(key: SettingKey, value: unknown): unknown {
  if (typeof defaultSettings[key] === 'boolean') return value === 1 ? true : value === 0 ? false : value;
  if (key === 'scriptRules') return knownRules(listOf(value));
  return Array.isArray(defaultSettings[key]) ? listOf(value) : value;
}

function listOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The rules without the limit that earlier versions had as well; a rule that had only that one is left out. */
function knownRules(rules: unknown): unknown {
  if (!Array.isArray(rules)) return rules;
  return rules.flatMap((rule: unknown) => {
    if (typeof rule !== 'object' || rule === null || !('overdueMinMinutes' in rule)) return [rule];
    const { overdueMinMinutes: _earlier, ...known } = rule as Record<string, unknown>;
    return Object.keys(known).length > 1 ? [known] : [];
  });
}

export interface Layers {
  readonly user: Layer;
  readonly machine: Layer;
  readonly policy: Layer;
}

export const valuesOf = ({ user, machine, policy }: Layers): Settings => ({
  ...defaultSettings,
  ...user.values,
  ...machine.values,
  ...policy.values,
});

/** Who manages a setting, or null when the person may change it. */
export function managedBy({ machine, policy }: Layers, key: SettingKey): string | null {
  if (key in policy.values) return `Set by your administrator (policy ${policyName(key)})`;
  if (key in machine.values) return `Set by your administrator (machine file, ${policyName(key)})`;
  return policyOnly.includes(key) ? 'Only an administrator can set this' : null;
}

export function viewOf(
  layers: Layers,
  file: string,
  bounds: Readonly<Partial<Record<SettingKey, { readonly min: number; readonly max: number }>>>,
): SettingsView {
  const source = (key: SettingKey): SettingsView['entries'][number]['source'] => {
    if (key in layers.policy.values) return 'policy';
    if (key in layers.machine.values) return 'machine';
    return key in layers.user.values ? 'user' : 'default';
  };
  return {
    values: valuesOf(layers),
    entries: (Object.keys(defaultSettings) as SettingKey[]).map((key) => ({
      key,
      default: defaultSettings[key],
      source: source(key),
      managed: managedBy(layers, key),
      min: bounds[key]?.min ?? null,
      max: bounds[key]?.max ?? null,
    })),
    problems: [...layers.user.problems, ...layers.machine.problems, ...layers.policy.problems],
    file,
  };
}
