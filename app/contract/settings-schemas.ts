/** The settings: their values, their bounds, and how they are changed. */
import { z } from 'zod';
import { roles } from '../domain/access.ts';
import { limits } from '../domain/limits.ts';
import { AlertTargets } from './alert-schemas.ts';

/** Lowest and highest value of the numbers in Settings. */
export const settingBounds = {
  silentAfterMinutes: { min: 1, max: 1_440 },
  overdueFactor: { min: 1.1, max: 100 },
  cancelGraceSeconds: { min: 1, max: 3_600 },
  keepFinishedDays: { min: 1, max: 90 },
  keepFinishedCount: { min: 10, max: 1_000 },
  keepHistoryDays: { min: 30, max: 3_650 },
  autoAbandonMinutes: { min: 1, max: 1_440 },
  alertWaitMinutes: { min: 1, max: 1_440 },
  metricsPort: { min: 0, max: 65_535 },
} as const;
const whole = (key: keyof typeof settingBounds) => z.int().min(settingBounds[key].min).max(settingBounds[key].max);
const fraction = (key: keyof typeof settingBounds) =>
  z.number().min(settingBounds[key].min).max(settingBounds[key].max);

const ScriptRule = z
  .strictObject({
    name: z.string().min(1).max(limits.nameMax).describe('of the script; * is any text, ? one character'),
    silentAfterMinutes: whole('silentAfterMinutes').optional(),
    overdueFactor: fraction('overdueFactor').optional(),
  })
  .refine(
    (rule) => (rule.silentAfterMinutes ?? rule.overdueFactor) !== undefined,
    'a rule sets silentAfterMinutes, overdueFactor or both',
  );

const Grants = z
  .array(
    z.strictObject({
      who: z.string().trim().min(1).max(limits.nameMax).describe('kim, group:deploy, CORP\\oncall, BUILTIN\\Users'),
      role: z.enum(roles),
    }),
  )
  .max(100);

/** A list of short texts, each once. */
const Names = z
  .array(z.string().trim().min(1).max(1_000))
  .max(50)
  .refine((names) => new Set(names).size === names.length, 'each stands once');

export const Settings = z.strictObject({
  silentAfterMinutes: whole('silentAfterMinutes'),
  overdueFactor: fraction('overdueFactor').describe('times the median of earlier successes'),
  scriptRules: z
    .array(ScriptRule)
    .max(50)
    .describe(
      'limits of single scripts; the first rule whose name matches wins, and what it leaves out is as for all scripts',
    ),
  cancelGraceSeconds: whole('cancelGraceSeconds').describe('grace of a Cancel from the console'),
  keepFinishedDays: whole('keepFinishedDays'),
  keepFinishedCount: whole('keepFinishedCount'),
  keepHistoryDays: whole('keepHistoryDays').describe('older entries of the journal are removed'),
  requireReason: z.boolean().describe('Cancel, Force Kill and Abandon are refused without a reason'),
  killNeedsPid: z.boolean().describe('the console always asks for the typed pid before Force Kill'),
  abandonNeedsCancel: z.boolean().describe('Abandon is refused before a Cancel was ignored or a Force Kill has failed'),
  evidenceBeforeEnd: z
    .boolean()
    .describe(
      'a bundle of evidence is saved before Force Kill, Abandon (an automatic one too), a Cancel that escalates and, while a host runs, a time limit; it holds a verb up for 2 s at most',
    ),
  autoAbandon: z
    .boolean()
    .describe('a script that ignores Cancel is abandoned automatically after autoAbandonMinutes; no process is ended'),
  autoAbandonMinutes: whole('autoAbandonMinutes'),
  theme: z.enum(['system', 'light', 'dark']),
  singleLetterKeys: z.boolean().describe('keyboard shortcuts without Ctrl'),
  'notifications.stuck': z.boolean().describe('toast: a stuck script blocks others'),
  'notifications.orphanExited': z.boolean().describe('toast: an abandoned script has ended'),
  'notifications.eventLog': z.boolean().describe('write the lines of Unjam to the Windows Event Log, source Unjam'),
  alerts: AlertTargets.describe('who is told, by a command, a webhook or mail; not from a window or a browser'),
  alertWaitMinutes: whole('alertWaitMinutes').describe('a wait for a mutex that is longer than this is an alert'),
  metricsPort: whole('metricsPort').describe(
    'GET /metrics on this port of 127.0.0.1, for every account of the machine; 0 = on none',
  ),
  access: Grants.describe('accounts and groups of the system that may use this host, and as what'),
  viewersReadLogs: z.boolean().describe('logs can hold secrets: false keeps viewers from them'),
  disableForceKill: z.boolean().describe('policy only'),
  disableAbandon: z.boolean().describe('policy only'),
  observeAgents: z.boolean().describe('list the scripts that deployment agents run on this host'),
  ignoredAgents: Names.describe('keys of agents that are not looked at, as in agents.list'),
  lockPaths: Names.describe('more files whose locks are shown beside those of dpkg and apt'),
  disableObservation: z.boolean().describe('policy only: nothing of other programs is looked at'),
  disableObservedVerbs: z.boolean().describe('policy only: observed scripts are shown only'),
});
const settingKeys = Settings.keyof();

export const SettingsChange = z.strictObject({
  values: Settings.partial().optional(),
  reset: z.array(settingKeys).optional().describe('keys to set back to their defaults'),
});
export const SettingsView = z.strictObject({
  values: Settings,
  entries: z.array(
    z.strictObject({
      key: settingKeys,
      default: z.union([z.boolean(), z.number(), z.string(), z.array(ScriptRule), Grants, AlertTargets, Names]),
      source: z.enum(['default', 'user', 'machine', 'policy']),
      /** Who set it, when it cannot be changed here. */
      managed: z.string().nullable(),
      min: z.number().nullable(),
      max: z.number().nullable(),
    }),
  ),
  /** Values in the files that could not be used; one sentence each. */
  problems: z.array(z.string()),
  file: z.string(),
});
