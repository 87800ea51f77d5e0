/** The keys without Ctrl as the settings have them now. One map for the whole page: handlers, help and hints read the same. */
import type { LetterKey, Settings } from '../contract.ts';

/** What each of them does, in the order of the help. */
export const letterFunctions: Readonly<Record<LetterKey, string>> = {
  n: 'Next row that needs attention; with Shift the previous one',
  b: 'The script that blocks this one',
  m: 'The mutex of this script',
  l: 'Its log in a window of its own; with Shift in this one',
  s: 'Sort again',
  r: 'Remind me in 30 min',
  '/': 'Filter, find',
  f: 'Log: follow',
  w: 'Log: wrap',
  t: 'Log: time column. Mutexes: time line as a table',
  e: 'Log: stderr only',
  '?': 'Keys',
};
export const letterKeyNames = Object.keys(letterFunctions) as readonly LetterKey[];
/** These do something else together with Shift. */
export const shiftedKeys: readonly LetterKey[] = ['n', 'l'];

/** A letter that is another one with Shift; of all other characters Shift is a part, and which one differs by layout. */
export const hasCase = (character: string): boolean =>
  character.toUpperCase() !== character.toLowerCase() && character.toUpperCase().toLowerCase() === character;

/** As it is printed on the key. */
export const keyLabel = (character: string): string => (hasCase(character) ? character.toUpperCase() : character);

class LetterKeys {
  isOn = $state(true);
  changed = $state.raw<Settings['letterKeys']>({});

  of(name: LetterKey): string {
    return this.changed[name] ?? name;
  }

  /** The name of what a pressed character means now; empty when it means nothing any more. */
  meaning(character: string): string {
    const name = letterKeyNames.find((one) => this.of(one) === character);
    if (name !== undefined) return this.isOn ? name : '';
    return letterKeyNames.some((one) => one === character) ? '' : character;
  }

  /** "B"; empty while these keys are switched off. */
  label(name: LetterKey): string {
    return this.isOn ? keyLabel(this.of(name)) : '';
  }

  /** " (B)": what follows the words on a control. */
  hint(name: LetterKey): string {
    return this.isOn ? ` (${this.label(name)})` : '';
  }

  /** For aria-keyshortcuts, which has its own word for one sign. */
  shortcut(name: LetterKey, other?: string): string | undefined {
    const own = this.label(name) === '+' ? 'Plus' : this.label(name);
    return [own, other].filter((key) => key !== undefined && key !== '').join(' ') || undefined;
  }
}

export const letterKeys = new LetterKeys();
