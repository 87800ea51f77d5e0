/** What the settings are called on screen, in groups, in the order in which people look for them. */
import type { SettingKey } from '../contract.ts';

export type Kind =
  | { readonly kind: 'number'; readonly unit: string; readonly step: number }
  | { readonly kind: 'switch' }
  | { readonly kind: 'choice'; readonly choices: readonly { readonly value: string; readonly label: string }[] };

/** Those of one value each; the others have an editor of their own. */
export type PlainKey = Exclude<SettingKey, 'access' | 'scriptRules'>;

export interface Field {
  readonly key: PlainKey;
  readonly label: string;
  readonly help: string;
  readonly control: Kind;
}

export interface Group {
  readonly title: string;
  /** Elsewhere its settings would have no effect. */
  readonly where?: 'desktop' | 'win32';
  /** What follows its settings. */
  readonly more?: 'rules' | 'notification' | 'data';
  readonly fields: readonly Field[];
}

const number = (unit: string, step = 1): Kind => ({ kind: 'number', unit, step });
const onOff: Kind = { kind: 'switch' };

export const groups: readonly Group[] = [
  {
    title: 'When a script is called stuck',
    more: 'rules',
    fields: [
      {
        key: 'silentAfterMinutes',
        label: 'Silent after',
        help: 'Without output for this long. It is only called stuck when it also uses no CPU and others wait.',
        control: number('min'),
      },
      {
        key: 'overdueFactor',
        label: 'Overdue after',
        help: 'Times its usual run time; only with at least 5 earlier successes.',
        control: number('× usual', 0.1),
      },
    ],
  },
  {
    title: 'Actions',
    fields: [
      {
        key: 'cancelGraceSeconds',
        label: 'Time to exit after Cancel',
        help: 'For a Cancel from this console. Nothing is forced after it.',
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
        help: 'Cancel, Force Kill and Abandon are refused without one, from every door.',
        control: onOff,
      },
      {
        key: 'killNeedsPid',
        label: 'Type the PID for every Force Kill',
        help: 'Otherwise only where a mistake is likely. Abandon always asks for it.',
        control: onOff,
      },
      {
        key: 'abandonNeedsCancel',
        label: 'Abandon only after a Cancel or Force Kill has failed',
        help: 'Until a Cancel was ignored or a Force Kill has left something, Abandon is refused, from every door.',
        control: onOff,
      },
      {
        key: 'autoAbandon',
        label: 'Abandon by itself what Cancel does not end',
        help: 'Also what Force Kill or a time limit does not end. No process is ended: the next script may run beside what is left.',
        control: onOff,
      },
      {
        key: 'autoAbandonMinutes',
        label: 'Abandon by itself after',
        help: 'Counted from the end of its time to exit. Only with the setting above.',
        control: number('min'),
      },
      {
        key: 'disableForceKill',
        label: 'Switch Force Kill off',
        help: 'For everybody on this host.',
        control: onOff,
      },
      { key: 'disableAbandon', label: 'Switch Abandon off', help: 'For everybody on this host.', control: onOff },
    ],
  },
  {
    title: 'Notifications of the desktop application',
    where: 'desktop',
    more: 'notification',
    fields: [
      {
        key: 'notifications.stuck',
        label: 'A stuck script blocks others',
        help: 'As soon as somebody has waited for 2 min.',
        control: onOff,
      },
      {
        key: 'notifications.orphanExited',
        label: 'An abandoned script has ended',
        help: 'Without a sound.',
        control: onOff,
      },
    ],
  },
  {
    title: 'Monitoring',
    where: 'win32',
    fields: [
      {
        key: 'notifications.eventLog',
        label: 'Write to the Windows Event Log',
        help: 'Every warning line of Unjam, source Unjam, for tools that watch this host.',
        control: onOff,
      },
    ],
  },
  {
    title: 'This console',
    fields: [
      {
        key: 'theme',
        label: 'Theme',
        help: 'A contrast theme of the system always wins.',
        control: {
          kind: 'choice',
          choices: [
            { value: 'system', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ],
        },
      },
      {
        key: 'singleLetterKeys',
        label: 'Single-letter keys',
        help: 'Letters and signs without Ctrl. Del and keys with Ctrl work without them.',
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
        help: 'With their logs, counted from their end.',
        control: number('days'),
      },
      {
        key: 'keepFinishedCount',
        label: 'Keep at most',
        help: 'The oldest go first.',
        control: number('finished scripts', 10),
      },
      {
        key: 'keepHistoryDays',
        label: 'Keep the history for',
        help: 'Older entries are removed, also those of operators.',
        control: number('days', 1),
      },
    ],
  },
];

/** "10 min", "on", "As the system": how a value reads in a sentence. */
export function valueText({ control }: Field, value: boolean | number | string): string {
  if (control.kind === 'switch') return value === true ? 'on' : 'off';
  if (control.kind === 'number') return `${value} ${control.unit}`;
  return control.choices.find((choice) => choice.value === value)?.label ?? String(value);
}
