/** Every setting with its default, and which of them an administrator may set. */
import type { SettingKey, Settings } from '../contract/methods.ts';
import { defaultThresholds, type Thresholds } from '../domain/condition.ts';
import { limits } from '../domain/limits.ts';

const minute = 60_000;
const day = 86_400_000;

export const defaultSettings: Settings = {
  silentAfterMinutes: defaultThresholds.silentMs / minute,
  busyCpuPercent: defaultThresholds.busyCpuPercent,
  overdueFactor: defaultThresholds.overdueFactor,
  overdueMinMinutes: defaultThresholds.overdueMinMs / minute,
  cancelGraceSeconds: limits.graceWindowMs / 1_000,
  keepFinishedDays: limits.keepMs / day,
  keepFinishedCount: limits.keepCount,
  requireReason: false,
  killNeedsPid: false,
  textSizePercent: 100,
  theme: 'system',
  timeDisplay: 'local',
  singleLetterKeys: true,
  'notifications.eventLog': true,
  disableForceKill: false,
  disableAbandon: false,
};

/** Only an administrator switches a verb off. */
export const policyOnly: readonly SettingKey[] = ['disableForceKill', 'disableAbandon'];

/** What the machine file and the registry may set: what the host obeys, not how the console looks. */
export const policyKeys = [
  'disableForceKill',
  'disableAbandon',
  'requireReason',
  'killNeedsPid',
  'silentAfterMinutes',
  'busyCpuPercent',
  'overdueFactor',
  'overdueMinMinutes',
  'cancelGraceSeconds',
  'keepFinishedDays',
  'keepFinishedCount',
] as const satisfies readonly SettingKey[];

/** `DisableForceKill`: the name in the registry and in the machine file. */
export const policyName = (key: SettingKey): string => key.charAt(0).toUpperCase() + key.slice(1);

export const thresholdsOf = (s: Settings): Thresholds => ({
  ...defaultThresholds,
  silentMs: s.silentAfterMinutes * minute,
  busyCpuPercent: s.busyCpuPercent,
  overdueFactor: s.overdueFactor,
  overdueMinMs: s.overdueMinMinutes * minute,
});

export const retentionOf = (s: Settings): { readonly keepMs: number; readonly keepCount: number } => ({
  keepMs: s.keepFinishedDays * day,
  keepCount: s.keepFinishedCount,
});
