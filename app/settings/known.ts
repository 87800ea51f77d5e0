/** Every setting with its default, and which of them an administrator may set. */
import type { SettingKey, Settings } from '../contract/methods.ts';
import { defaultThresholds, type Thresholds } from '../domain/condition-facts.ts';
import { limits } from '../domain/limits.ts';
import { thresholdsFor } from '../domain/script-rules.ts';

const minute = 60_000;
const day = 86_400_000;
const gigabyte = 1e9;

export const defaultSettings: Settings = {
  silentAfterMinutes: defaultThresholds.silentMs / minute,
  busyCpuPercent: defaultThresholds.busyCpuPercent,
  overdueFactor: defaultThresholds.overdueFactor,
  overdueMinMinutes: defaultThresholds.overdueMinMs / minute,
  scriptRules: [],
  cancelGraceSeconds: limits.graceWindowMs / 1_000,
  forceKillSettleSeconds: limits.settleMs / 1_000,
  keepFinishedDays: limits.keepMs / day,
  keepFinishedCount: limits.keepCount,
  keepFinishedGb: limits.keepBytes / gigabyte,
  keepHistoryDays: 365,
  requireReason: false,
  killNeedsPid: false,
  abandonNeedsCancel: false,
  autoAbandon: false,
  autoAbandonMinutes: 2,
  textSizePercent: 100,
  theme: 'system',
  timeDisplay: 'local',
  singleLetterKeys: true,
  letterKeys: {},
  hotKey: '',
  'notifications.stuck': true,
  'notifications.unkillable': true,
  'notifications.orphanExited': false,
  'notifications.minutesPerMutex': 10,
  'notifications.quietHours': false,
  'notifications.quietFrom': '22:00',
  'notifications.quietTo': '07:00',
  'notifications.eventLog': true,
  access: [],
  viewersReadLogs: true,
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
  'abandonNeedsCancel',
  'autoAbandon',
  'autoAbandonMinutes',
  'silentAfterMinutes',
  'busyCpuPercent',
  'overdueFactor',
  'overdueMinMinutes',
  'scriptRules',
  'cancelGraceSeconds',
  'keepFinishedDays',
  'keepFinishedCount',
  'keepFinishedGb',
  'forceKillSettleSeconds',
  'keepHistoryDays',
  'notifications.eventLog',
  'access',
  'viewersReadLogs',
] as const satisfies readonly SettingKey[];

/** `DisableForceKill`, `NotificationsEventLog`: the name in the registry and in the machine file. */
export const policyName = (key: SettingKey): string =>
  key.replaceAll(/(?:^|\.)(.)/g, (_found, letter: string) => letter.toUpperCase());

export const thresholdsOf = (s: Settings, script: string): Thresholds =>
  thresholdsFor(script, s.scriptRules, {
    ...defaultThresholds,
    silentMs: s.silentAfterMinutes * minute,
    busyCpuPercent: s.busyCpuPercent,
    overdueFactor: s.overdueFactor,
    overdueMinMs: s.overdueMinMinutes * minute,
  });

export const retentionOf = (
  s: Settings,
): { readonly keepMs: number; readonly keepCount: number; readonly keepBytes: number } => ({
  keepMs: s.keepFinishedDays * day,
  keepCount: s.keepFinishedCount,
  keepBytes: s.keepFinishedGb * gigabyte,
});

/** Null = never. Who switched Abandon off gets none by the host either. */
export const autoAbandonMsOf = (s: Settings): number | null =>
  s.autoAbandon && !s.disableAbandon ? s.autoAbandonMinutes * minute : null;
