/** The settings as a `settings.json` for another host has them. Pure. */
import type { SettingKey, Settings, SettingsView } from '../contract.ts';

/** What a person has set here and is not as it would be anyway; an administrator's values belong to this host. */
export function exportedSettings({ values, entries }: SettingsView): Partial<Settings> {
  const isOwn = (key: SettingKey): boolean => {
    const entry = entries.find((one) => one.key === key);
    return entry?.source === 'user' && JSON.stringify(entry.default) !== JSON.stringify(values[key]);
  };
  return Object.fromEntries(Object.entries(values).filter(([key]) => isOwn(key as SettingKey)));
}
