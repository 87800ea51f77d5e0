/** The settings: their values, their bounds, and how they are changed. */
import { z } from 'zod';
import { roles } from '../domain/access.ts';
import { isHotKey } from '../domain/hot-key.ts';
import { limits } from '../domain/limits.ts';

/** Lowest and highest value of the numbers in Settings. */
export const settingBounds = {
  silentAfterMinutes: { min: 1, max: 1_440 },
  busyCpuPercent: { min: 0.1, max: 100 },
  overdueFactor: { min: 1.1, max: 100 },
  overdueMinMinutes: { min: 1, max: 10_080 },
  cancelGraceSeconds: { min: 1, max: 3_600 },
  forceKillSettleSeconds: { min: 1, max: 60 },
  keepFinishedDays: { min: 1, max: 90 },
  keepFinishedCount: { min: 10, max: 1_000 },
  keepFinishedGb: { min: 0.1, max: 1_000 },
  keepHistoryDays: { min: 30, max: 3_650 },
  autoAbandonMinutes: { min: 1, max: 1_440 },
  'notifications.minutesPerMutex': { min: 1, max: 1_440 },
  textSizePercent: { min: 80, max: 150 },
} as const;
const whole = (key: keyof typeof settingBounds) => z.int().min(settingBounds[key].min).max(settingBounds[key].max);
const fraction = (key: keyof typeof settingBounds) =>
  z.number().min(settingBounds[key].min).max(settingBounds[key].max);

/** Of the clock on the wall where the toasts are shown. */
const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/);

const ScriptRule = z
  .strictObject({
    name: z.string().min(1).max(limits.nameMax).describe('of the script; * is any text, ? one character'),
    silentAfterMinutes: whole('silentAfterMinutes').optional(),
    overdueFactor: fraction('overdueFactor').optional(),
    overdueMinMinutes: whole('overdueMinMinutes').optional(),
  })
  .refine(
    (rule) => (rule.silentAfterMinutes ?? rule.overdueFactor ?? rule.overdueMinMinutes) !== undefined,
    'a rule sets at least one of silentAfterMinutes, overdueFactor and overdueMinMinutes',
  );

/** The keys without Ctrl as they are from the beginning; each may be another. */
export const letterKeyNames = ['n', 'b', 'm', 'l', 's', 'r', 'f', 'w', 't', 'e', '/', '?'] as const;

const LetterKeys = z
  .partialRecord(z.enum(letterKeyNames), z.string().regex(/^[^\s\p{Lu}]$/u))
  .refine(
    (changed) => new Set(letterKeyNames.map((name) => changed[name] ?? name)).size === letterKeyNames.length,
    'two of the keys would be the same',
  );

const Grants = z
  .array(
    z.strictObject({
      who: z.string().trim().min(1).max(limits.nameMax).describe('kim, group:deploy, CORP\\oncall, BUILTIN\\Users'),
      role: z.enum(roles),
    }),
  )
  .max(100);

export const Settings = z.strictObject({
  silentAfterMinutes: whole('silentAfterMinutes'),
  busyCpuPercent: fraction('busyCpuPercent').describe('of one core, over the last minute'),
  overdueFactor: fraction('overdueFactor').describe('times the median of earlier successes'),
  overdueMinMinutes: whole('overdueMinMinutes'),
  scriptRules: z
    .array(ScriptRule)
    .max(50)
    .describe('limits of single scripts; the first rule whose name fits wins, and what it leaves out is as for all'),
  cancelGraceSeconds: whole('cancelGraceSeconds').describe('grace of a Cancel from the console'),
  forceKillSettleSeconds: whole('forceKillSettleSeconds').describe(
    'after a Force Kill that somebody asked for, before what is left is called unkillable',
  ),
  keepFinishedDays: whole('keepFinishedDays'),
  keepFinishedCount: whole('keepFinishedCount'),
  keepFinishedGb: fraction('keepFinishedGb').describe(
    'all finished scripts together, on the disk, in units of 10^9 bytes; the oldest go first, the newest always stays',
  ),
  keepHistoryDays: whole('keepHistoryDays').describe('older entries of the journal are removed'),
  requireReason: z.boolean().describe('Cancel, Force Kill and Abandon are refused without a reason'),
  killNeedsPid: z.boolean().describe('the console always asks for the typed pid before Force Kill'),
  abandonNeedsCancel: z.boolean().describe('Abandon is refused before a Cancel was ignored or a Force Kill has failed'),
  autoAbandon: z
    .boolean()
    .describe('the host abandons by itself what a Cancel has not ended for autoAbandonMinutes; it ends no process'),
  autoAbandonMinutes: whole('autoAbandonMinutes'),
  textSizePercent: whole('textSizePercent'),
  theme: z.enum(['system', 'light', 'dark']),
  timeDisplay: z.enum(['local', 'utc']),
  singleLetterKeys: z.boolean(),
  letterKeys: LetterKeys.describe('keys without Ctrl that are others: what each was, and what it is'),
  hotKey: z
    .union([z.literal(''), z.string().refine(isHotKey, 'a hot key looks like Ctrl+Alt+U or Ctrl+F12')])
    .describe('opens the window of the desktop application from everywhere; empty = none'),
  'notifications.stuck': z.boolean().describe('toast: a stuck script blocks others'),
  'notifications.unkillable': z.boolean().describe('toast: Cancel was ignored, or a process cannot be ended'),
  'notifications.orphanExited': z.boolean().describe('toast: what was abandoned has ended'),
  'notifications.minutesPerMutex': whole('notifications.minutesPerMutex').describe('at most one toast in this time'),
  'notifications.quietHours': z.boolean().describe('no toasts between quietFrom and quietTo'),
  'notifications.quietFrom': TimeOfDay,
  'notifications.quietTo': TimeOfDay,
  'notifications.eventLog': z.boolean().describe('write the lines of Unjam to the Windows Event Log, source Unjam'),
  access: Grants.describe('accounts and groups of the system that may use this host, and as what'),
  viewersReadLogs: z.boolean().describe('logs can hold secrets: false keeps viewers from them'),
  disableForceKill: z.boolean().describe('policy only'),
  disableAbandon: z.boolean().describe('policy only'),
});
const settingKeys = Settings.keyof();

export const SettingsChange = z.strictObject({
  values: Settings.partial().optional(),
  reset: z.array(settingKeys).optional().describe('keys that get their default again'),
});
export const SettingsView = z.strictObject({
  values: Settings,
  entries: z.array(
    z.strictObject({
      key: settingKeys,
      default: z.union([z.boolean(), z.number(), z.string(), z.array(ScriptRule), Grants, LetterKeys]),
      source: z.enum(['default', 'user', 'machine', 'policy']),
      /** Who set it, when it cannot be changed here. */
      managed: z.string().nullable(),
      min: z.number().nullable(),
      max: z.number().nullable(),
    }),
  ),
  /** What of the files could not be used; one sentence each. */
  problems: z.array(z.string()),
  file: z.string(),
});
