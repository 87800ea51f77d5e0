/** Every setting with its default, and which of them an administrator may set. */
import type { SettingKey, Settings } from '../contract/methods.ts';
import { defaultThresholds, type Thresholds } from '../domain/condition-facts.ts';
import { limits } from '../domain/limits.ts';
import { drillName, drillThresholds } from '../domain/drill.ts';
import { thresholdsFor } from '../domain/script-rules.ts';

const minute = 60_000;
const day = 86_400_000;

export const defaultSettings: Settings = {
  silentAfterMinutes: defaultThresholds.silentMs / minute,
  overdueFactor: defaultThresholds.overdueFactor,
  scriptRules: [],
  cancelGraceSeconds: limits.graceWindowMs / 1_000,
  keepFinishedDays: limits.keepMs / day,
  keepFinishedCount: limits.keepCount,
  keepHistoryDays: 365,
  requireReason: false,
  killNeedsPid: false,
  abandonNeedsCancel: false,
  evidenceBeforeEnd: false,
  autoAbandon: false,
  autoAbandonMinutes: 2,
  theme: 'system',
  singleLetterKeys: true,
  'notifications.stuck': true,
  'notifications.orphanExited': false,
  'notifications.eventLog': true,
  alerts: [],
  alertWaitMinutes: 30,
  metricsPort: 0,
  access: [],
  viewersReadLogs: true,
  disableForceKill: false,
  disableAbandon: false,
  observeAgents: true,
  ignoredAgents: [],
  lockPaths: [],
  disableObservation: false,
  disableObservedVerbs: false,
};

/** Only an administrator switches a verb off. */
export const policyOnly: readonly SettingKey[] = [
  'disableForceKill',
  'disableAbandon',
  'disableObservation',
  'disableObservedVerbs',
];

/** What the machine file and the registry may set: what the host obeys, not how the console looks. */
export const policyKeys = [
  'disableForceKill',
  'disableAbandon',
  'observeAgents',
  'ignoredAgents',
  'lockPaths',
  'disableObservation',
  'disableObservedVerbs',
  'requireReason',
  'killNeedsPid',
  'abandonNeedsCancel',
  'evidenceBeforeEnd',
  'autoAbandon',
  'autoAbandonMinutes',
  'silentAfterMinutes',
  'overdueFactor',
  'scriptRules',
  'cancelGraceSeconds',
  'keepFinishedDays',
  'keepFinishedCount',
  'keepHistoryDays',
  'notifications.eventLog',
  'alerts',
  'alertWaitMinutes',
  'metricsPort',
  'access',
  'viewersReadLogs',
] as const satisfies readonly SettingKey[];

/** `DisableForceKill`, `NotificationsEventLog`: the name in the registry and in the machine file. */
export const policyName = (key: SettingKey): string =>
  key.replaceAll(/(?:^|\.)(.)/g, (_found, letter: string) => letter.toUpperCase());

export function thresholdsOf(s: Settings, script: string): Thresholds {
  const thresholds = thresholdsFor(script, s.scriptRules, {
    ...defaultThresholds,
    silentMs: s.silentAfterMinutes * minute,
    overdueFactor: s.overdueFactor,
  });
  return script === drillName ? drillThresholds(thresholds) : thresholds;
}

export const retentionOf = (
  s: Settings,
  keepBytes: number = limits.keepBytes,
): { readonly keepMs: number; readonly keepCount: number; readonly keepBytes: number } => ({
  keepMs: s.keepFinishedDays * day,
  keepCount: s.keepFinishedCount,
  keepBytes,
});

/** Null = never. Who switched Abandon off gets none by the host either. */
export const autoAbandonMsOf = (s: Settings): number | null =>
  s.autoAbandon && !s.disableAbandon ? s.autoAbandonMinutes * minute : null;

const byAdministrator = 'on this host by its administrator';

/** What observed scripts may do and show under these settings. */
export const observedSettingsOf = (s: Settings) => ({
  observe: s.observeAgents && !s.disableObservation,
  ignore: s.ignoredAgents,
  verbsOff: s.disableObservedVerbs
    ? `Cancel and Force Kill of observed scripts are switched off ${byAdministrator} (policy DisableObservedVerbs).`
    : null,
  killOff: s.disableForceKill ? `Force Kill is switched off ${byAdministrator} (policy DisableForceKill).` : null,
  silentAfterMs: s.silentAfterMinutes * minute,
  graceMs: s.cancelGraceSeconds * 1_000,
  settleMs: limits.settleMs,
  lockPaths: s.lockPaths,
});
