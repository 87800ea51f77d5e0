/** The keyboard map: what the help dialog shows, and which key does what. */
import { hasCase, letterKeys, letterNames, type LetterKey } from './letter-keys.svelte.ts';

export interface KeyHelp {
  readonly keys: string;
  readonly where: string;
  readonly does: string;
}

/** A key in braces can be switched off. */
const keyMap: readonly KeyHelp[] = [
  { keys: 'Del', where: 'list, detail', does: 'Cancel… (opens the dialog)' },
  { keys: 'Shift+Del', where: 'list, detail', does: 'Force Kill… (opens the dialog)' },
  { keys: 'Ctrl+Shift+Del', where: 'list, detail', does: 'Abandon… (opens the dialog)' },
  { keys: 'Up, Down, Page Up, Page Down, Home, End', where: 'list, log', does: 'move' },
  { keys: 'Enter', where: 'list', does: 'go to the detail; Esc returns to the row' },
  { keys: 'Space, Shift+Up, Shift+Down, Ctrl+A', where: 'list', does: 'mark many rows (for Cancel)' },
  { keys: '{n}, Shift+{n}', where: 'list', does: 'next, previous row that needs attention' },
  { keys: '{b}', where: 'list', does: 'the script that blocks this one' },
  { keys: '{m}', where: 'list', does: 'its mutex' },
  { keys: '{l}', where: 'list, detail', does: 'its log in a new window' },
  { keys: 'Shift+{l}', where: 'list, detail', does: 'its log in this window; Esc returns to the row' },
  { keys: '{v}', where: 'list, detail', does: 'save evidence; ends nothing' },
  { keys: '{i}', where: 'list, detail', does: '“I am on it”, and no longer' },
  { keys: '{s}', where: 'list', does: 'sort again' },
  { keys: 'Ctrl+C', where: 'list', does: 'copy the row' },
  { keys: 'Ctrl+Shift+C', where: 'list, detail', does: 'copy the incident summary' },
  { keys: 'Ctrl+F or {/}', where: 'list, log', does: 'filter, find; Esc clears and leaves' },
  { keys: '{f}, {w}, {t}', where: 'log', does: 'follow, wrap, time column' },
  { keys: '{g}', where: 'log', does: 'fold all groups, and open them; Enter on a heading: one' },
  { keys: '{e}, Shift+{e}', where: 'log', does: 'next, previous error' },
  { keys: 'F3, Shift+F3', where: 'log', does: 'next, previous hit' },
  { keys: 'Ctrl+G', where: 'log', does: 'go to a line' },
  { keys: 'Ctrl+S, Ctrl+L, Ctrl+C', where: 'log', does: 'save, copy a link, copy lines' },
  { keys: 'Ctrl+1, Ctrl+2, Ctrl+3, Ctrl+4', where: 'everywhere', does: 'Scripts, Mutexes, History, Settings' },
  { keys: 'Ctrl+5', where: 'everywhere', does: 'Hosts, where this host has joined a fleet' },
  { keys: '{t}', where: 'mutexes', does: 'timeline as a table' },
  {
    keys: 'Left, Right, Home, End',
    where: 'border of list and detail',
    does: 'move the border; Enter resets it (also the log’s, with Up and Down)',
  },
  { keys: 'F6, Shift+F6', where: 'everywhere', does: 'next, previous part of the window' },
  { keys: 'Ctrl+Plus, Ctrl+Minus, Ctrl+0', where: 'everywhere', does: 'larger, smaller, normal text' },
  { keys: 'Ctrl+W', where: 'everywhere', does: 'close the window; scripts keep running' },
  { keys: 'F5', where: 'everywhere', does: 'reload everything' },
  { keys: 'F1 or {?}', where: 'everywhere', does: 'this page' },
  { keys: 'Esc', where: 'dialogs', does: 'Go back' },
];

/** The map without the keys that are switched off. */
export function keyHelp(): readonly KeyHelp[] {
  return keyMap
    .map((entry) => ({
      ...entry,
      keys: letterKeys.isOn
        ? entry.keys.replace(/\{(.)\}/g, (_braces, name: LetterKey) => letterKeys.label(name))
        : entry.keys.replace(/(?:, | or )?[^ ]*\{.\}/g, ''),
    }))
    .filter(({ keys }) => keys !== '');
}

/**
 * "Ctrl+Shift+Delete", "Shift+n", "F6": one name per key press, whatever the layout. Empty = a key that is switched off
 * (WCAG 2.1.4).
 */
export function keyName(event: KeyboardEvent): string {
  const isWritten = [...event.key].length === 1;
  // AltGr writes signs; Windows says that Ctrl and Alt are held as well.
  const isHeld = !event.getModifierState('AltGraph');
  const ctrl = isHeld && (event.ctrlKey || event.metaKey);
  const alt = isHeld && event.altKey;
  const key = isWritten ? event.key.toLowerCase() : event.key;
  const isOff = !letterKeys.isOn && letterNames.some((name) => name === key);
  if (isWritten && !ctrl && !alt && isOff) return '';
  const shift = event.shiftKey && (!isWritten || key === ' ' || hasCase(key));
  return `${ctrl ? 'Ctrl+' : ''}${alt ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

export function isTextField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement
    ? target.type !== 'checkbox'
    : target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
