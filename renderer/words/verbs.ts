/** The three verbs as they are named on buttons and in sentences, in the order in which they are tried. */
import type { Verb } from '../contract.ts';

export const verbNames: Readonly<Record<Verb, string>> = { cancel: 'Cancel', kill: 'Force Kill', abandon: 'Abandon' };

export interface VerbButton {
  readonly verb: Verb;
  readonly label: string;
  /** On the button, and for aria-keyshortcuts. */
  readonly key: string;
  readonly shortcut: string;
}

export const verbButtons: readonly VerbButton[] = [
  { verb: 'cancel', label: 'Cancel…', key: 'Del', shortcut: 'Delete' },
  { verb: 'kill', label: 'Force Kill…', key: 'Shift+Del', shortcut: 'Shift+Delete' },
  { verb: 'abandon', label: 'Abandon…', key: 'Ctrl+Shift+Del', shortcut: 'Control+Shift+Delete' },
];

export const notPossibleNow = (verb: Verb): string => `${verbNames[verb]} is not possible now.`;

export const requested = (verb: Verb): string => `${verbNames[verb]} requested…`;

export const outcomeOf = (verb: Verb, name: string, headline: string): string =>
  `${verbNames[verb]} of ${name}: ${headline}`;
