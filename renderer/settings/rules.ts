/** The rules for single scripts as they are typed: three fields, one of the last two may be empty. Pure. */
import type { Settings, SettingsView } from '../contract.ts';

export type Rule = Settings['scriptRules'][number];
export type LimitKey = 'silentAfterMinutes' | 'overdueFactor';
export type Typed = Readonly<Record<'name' | LimitKey, string>>;
export type Move = 'up' | 'down';
export type Bounds = Readonly<Record<LimitKey, { readonly min: number; readonly max: number }>>;

export const ruleLimits: readonly { readonly key: LimitKey; readonly label: string; readonly step: number }[] = [
  { key: 'silentAfterMinutes', label: 'Silent after, min', step: 1 },
  { key: 'overdueFactor', label: 'Overdue after, × usual', step: 0.1 },
];

export const mostRules = 50;
const longestName = 200;

/** The same bounds as for all scripts. */
export function boundsOf({ entries }: SettingsView): Bounds {
  const of = (key: LimitKey) => {
    const entry = entries.find((one) => one.key === key);
    return { min: entry?.min ?? 0, max: entry?.max ?? Infinity };
  };
  return {
    silentAfterMinutes: of('silentAfterMinutes'),
    overdueFactor: of('overdueFactor'),
  };
}

/** The rule, or a sentence that names the field that is wrong. */
export function readRule(typed: Typed, bounds: Bounds): Rule | string {
  if (typed.name === '') return 'Script: enter a name; * is any text, ? one character.';
  if (typed.name.length > longestName) return `Script: at most ${longestName} characters.`;
  const rule: Rule = { name: typed.name };
  for (const { key, label, step } of ruleLimits) {
    const text = typed[key].trim();
    if (text === '') continue;
    const value = Number(text);
    const { min, max } = bounds[key];
    if (Number.isNaN(value) || value < min || value > max || (step === 1 && !Number.isInteger(value)))
      return `${label}: enter a ${step === 1 ? 'whole ' : ''}number from ${min} to ${max}, or nothing.`;
    rule[key] = value;
  }
  if (Object.keys(rule).length === 1) return 'Enter at least one of the two limits.';
  return rule;
}
