/** What the settings are called on screen, in groups, in the order in which people look for them. */
import type { SettingKey, Settings } from '../contract.ts';

export type Kind =
  | { readonly kind: 'number'; readonly unit: string; readonly step: number }
  | { readonly kind: 'switch' }
  | { readonly kind: 'list' }
  | { readonly kind: 'choice'; readonly choices: readonly { readonly value: string; readonly label: string }[] };

/** Those of one value each; the others have an editor of their own. */
export type PlainKey = Exclude<SettingKey, 'access' | 'alerts' | 'scriptRules'>;

export interface Field {
  readonly key: PlainKey;
  readonly label: string;
  readonly help: string;
  readonly control: Kind;
  /** Elsewhere it would have no effect. */
  readonly where?: 'win32';
}

export interface Group {
  readonly title: string;
  /** Elsewhere its settings would have no effect. */
  readonly where?: 'desktop';
  /** What follows its settings. */
  readonly more?: 'rules' | 'notification' | 'data' | 'console';
  readonly fields: readonly Field[];
}

const number = (unit: string, step = 1): Kind => ({ kind: 'number', unit, step });
const onOff: Kind = { kind: 'switch' };
/** Texts in one line, with a semicolon between two. */
const list: Kind = { kind: 'list' };

export const groups: readonly Group[] = [
  {
    title: 'When a script is stuck',
    more: 'rules',
    fields: [
      {
        key: 'silentAfterMinutes',
        label: 'Silent after',
        help: 'Time without output. A silent script counts as stuck only if it also uses no CPU and others are waiting.',
        control: number('min'),
      },
      {
        key: 'overdueFactor',
        label: 'Overdue after',
        help: 'Multiple of the usual run time. Needs at least 5 earlier successful runs.',
        control: number('× usual', 0.1),
      },
    ],
  },
  {
    title: 'Cancel, Force Kill, Abandon',
    fields: [
      {
        key: 'cancelGraceSeconds',
        label: 'Time to exit after Cancel',
        help: 'For a Cancel from this console. Nothing is ended by force afterwards.',
        control: number('s'),
      },
      {
        key: 'viewersReadLogs',
        label: 'Viewers may read logs',
        help: 'Logs can hold secrets. When off, only operators and owners read them.',
        control: onOff,
      },
      {
        key: 'requireReason',
        label: 'Require a reason',
        help: 'Cancel, Force Kill and Abandon are refused without one, through any interface.',
        control: onOff,
      },
      {
        key: 'killNeedsPid',
        label: 'Type the PID for every Force Kill',
        help: 'Otherwise only when a mistake is likely. Abandon always asks for it.',
        control: onOff,
      },
      {
        key: 'abandonNeedsCancel',
        label: 'Abandon only after a Cancel or Force Kill has failed',
        help: 'Until then Abandon is refused, through any interface.',
        control: onOff,
      },
      {
        key: 'evidenceBeforeEnd',
        label: 'Save evidence before scripts are ended or abandoned',
        help: 'Before Force Kill, Abandon (an automatic one too), a Cancel that forces and a time limit of 10 s or more: processes, wait reasons, open files and the end of the log, as a zip beside the log. A verb waits 2 s at most.',
        control: onOff,
      },
      {
        key: 'autoAbandon',
        label: 'Automatically abandon scripts that ignore Cancel',
        help: 'Also those that survive Force Kill or a time limit. No process is ended: the next script may run beside what is left.',
        control: onOff,
      },
      {
        key: 'autoAbandonMinutes',
        label: 'Abandon automatically after',
        help: 'From the end of the time to exit. Needs the setting above.',
        control: number('min'),
      },
      {
        key: 'disableForceKill',
        label: 'Turn Force Kill off',
        help: 'For everybody on this host.',
        control: onOff,
      },
      { key: 'disableAbandon', label: 'Turn Abandon off', help: 'For everybody on this host.', control: onOff },
      {
        key: 'observeAgents',
        label: 'List scripts of deployment agents',
        help: 'Jobs that Octopus, GitHub, Jenkins and other agents run on this host.',
        control: onOff,
      },
      {
        key: 'ignoredAgents',
        label: 'Agents that are not looked at',
        help: 'Their keys, as in "unjam agents --json", with a semicolon between two: cron; ssh',
        control: list,
      },
      {
        key: 'lockPaths',
        label: 'More lock files',
        help: 'Full paths, with a semicolon between two. Who holds them and who waits is shown by "unjam locks". Linux.',
        control: list,
      },
      {
        key: 'disableObservation',
        label: 'Never look at deployment agents',
        help: 'For everybody on this host.',
        control: onOff,
      },
      {
        key: 'disableObservedVerbs',
        label: 'Only show scripts of deployment agents',
        help: 'No Cancel and no Force Kill of them, for everybody on this host.',
        control: onOff,
      },
    ],
  },
  {
    title: 'Notifications',
    where: 'desktop',
    more: 'notification',
    fields: [
      {
        key: 'notifications.stuck',
        label: 'A stuck script blocks others',
        help: 'Once a script has been waiting for 2 min.',
        control: onOff,
      },
      {
        key: 'notifications.orphanExited',
        label: 'An abandoned script has ended',
        help: 'Silent.',
        control: onOff,
      },
    ],
  },
  {
    title: 'Monitoring',
    fields: [
      {
        key: 'metricsPort',
        label: 'Metrics on port',
        help: 'The numbers of this host at http://127.0.0.1:PORT/metrics, for Prometheus. Every account of this machine can read them. 0 turns it off.',
        control: number(''),
      },
      {
        key: 'notifications.eventLog',
        label: 'Write to the Windows Event Log',
        help: 'Every warning, with the source Unjam, for tools that monitor this host.',
        control: onOff,
        where: 'win32',
      },
    ],
  },
  {
    title: 'Appearance and keys',
    more: 'console',
    fields: [
      {
        key: 'theme',
        label: 'Theme',
        help: 'A contrast theme of the system always wins.',
        control: {
          kind: 'choice',
          choices: [
            { value: 'system', label: 'Use system setting' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ],
        },
      },
      {
        key: 'singleLetterKeys',
        label: 'Shortcuts without Ctrl',
        help: 'Single letters such as B, L and /. Del and keys with Ctrl always work.',
        control: onOff,
      },
    ],
  },
  {
    title: 'Data',
    more: 'data',
    fields: [
      {
        key: 'keepFinishedDays',
        label: 'Keep finished scripts for',
        help: 'With their logs, from the time they ended.',
        control: number('days'),
      },
      {
        key: 'keepFinishedCount',
        label: 'Keep at most',
        help: 'The oldest are removed first.',
        control: number('finished scripts', 10),
      },
      {
        key: 'keepHistoryDays',
        label: 'Keep the history for',
        help: 'Older entries are removed, including operator actions.',
        control: number('days', 1),
      },
    ],
  },
];

/** "10 min", "on", "Use system setting": how a value reads in a sentence. */
export function valueText({ control }: Field, value: Settings[PlainKey]): string {
  if (control.kind === 'switch') return value === true ? 'on' : 'off';
  if (control.kind === 'number') return `${value} ${control.unit}`.trim();
  if (control.kind === 'list') return String(value) === '' ? 'none' : String(value);
  return control.choices.find((choice) => choice.value === value)?.label ?? String(value);
}
