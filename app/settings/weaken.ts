/** Which changes of the settings weaken a guard, silence a warning or delete evidence. Pure. */
import type { Parsed, SettingKey, Settings } from '../contract/methods.ts';
import { defaultSettings } from './known.ts';

/** Null when the change is harmless; else what it does, as a sentence. */
type Judge<V> = (from: V, to: V) => string | null;

const harmless = (): null => null;
const lower =
  (says: (to: number, from: number) => string): Judge<number> =>
  (from, to) =>
    to < from ? says(to, from) : null;
const higher =
  (says: (to: number, from: number) => string): Judge<number> =>
  (from, to) =>
    to > from ? says(to, from) : null;
const off =
  (sentence: string): Judge<boolean> =>
  (_from, to) =>
    to ? null : sentence;
const on =
  (sentence: string): Judge<boolean> =>
  (_from, to) =>
    to ? sentence : null;

const judges: { readonly [K in SettingKey]: Judge<Settings[K]> } = {
  silentAfterMinutes: higher(
    (to, from) => `A silent script is reported as stuck after ${to} min instead of ${from} min.`,
  ),
  overdueFactor: higher(
    (to, from) => `A script is reported as overdue after ${to} times its usual run time instead of ${from} times.`,
  ),
  scriptRules: () => 'The rules that decide when single scripts are reported as stuck change.',
  cancelGraceSeconds: lower((to, from) => `Scripts get ${to} s to exit after Cancel instead of ${from} s.`),
  keepFinishedDays: lower(
    (to, from) => `Finished scripts and their logs are deleted after ${to} days instead of ${from}.`,
  ),
  keepFinishedCount: lower(
    (to, from) => `Only the last ${to} finished scripts and their logs are kept instead of ${from}.`,
  ),
  keepHistoryDays: lower(
    (to, from) => `History entries older than ${to} days are deleted; now they are kept for ${from}.`,
  ),
  requireReason: off('Cancel, Force Kill and Abandon no longer need a reason.'),
  killNeedsPid: off('Force Kill no longer asks for the typed PID every time.'),
  abandonNeedsCancel: off('Scripts can be abandoned before a Cancel was tried.'),
  evidenceBeforeEnd: off('No evidence is saved before scripts are ended or abandoned any more.'),
  autoAbandon: on('Scripts that ignore Cancel are abandoned automatically, and the next script starts beside them.'),
  autoAbandonMinutes: lower((to, from) => `Automatic Abandon comes after ${to} min instead of ${from} min.`),
  theme: harmless,
  singleLetterKeys: harmless,
  'notifications.stuck': off('Nobody is notified when a stuck script blocks others.'),
  'notifications.orphanExited': off('Nobody is notified when an abandoned script has ended.'),
  'notifications.eventLog': off('Nothing is written to the Windows Event Log any more.'),
  alerts: () => 'Who is told of stuck scripts changes.',
  alertWaitMinutes: higher((to, from) => `A wait for a mutex is told after ${to} min instead of ${from} min.`),
  metricsPort: (from, to) =>
    to === 0 || to === from ? null : `Every account of this machine can read the numbers of this host, on port ${to}.`,
  access: () => 'Who may use this host changes.',
  viewersReadLogs: on('Viewers can read logs, which can hold secrets.'),
  disableForceKill: off('Force Kill is switched on.'),
  disableAbandon: off('Abandon is switched on.'),
  observeAgents: off('Scripts of deployment agents are not listed any more, however stuck they are.'),
  ignoredAgents: (from, to) => {
    const more = to.filter((key) => !from.includes(key));
    return more.length === 0 ? null : `Scripts of these agents are not listed any more: ${more.join(', ')}.`;
  },
  lockPaths: harmless,
  disableObservation: off('Unjam may look at deployment agents again.'),
  disableObservedVerbs: off('Scripts of deployment agents can be cancelled and killed.'),
};

/** One sentence for each setting that the change weakens; empty when it weakens none. */
export function weakenings(before: Settings, { values = {}, reset = [] }: Parsed<'settings.set'>): string[] {
  const after: Settings = { ...before };
  for (const key of Object.keys(values) as SettingKey[]) copy(values as Settings, after, key);
  for (const key of reset) copy(defaultSettings, after, key);
  return (Object.keys(judges) as SettingKey[]).flatMap((key) => judged(key, before, after) ?? []);
}

const copy = <K extends SettingKey>(from: Settings, to: Settings, key: K): void => void (to[key] = from[key]);

function judged<K extends SettingKey>(key: K, before: Settings, after: Settings): string | null {
  const isSame = JSON.stringify(before[key]) === JSON.stringify(after[key]);
  return isSame ? null : judges[key](before[key], after[key]);
}
