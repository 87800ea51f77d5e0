/** The keyboard map: what the help dialog shows, and which key does what. */
export interface KeyHelp {
  readonly keys: string;
  readonly where: string;
  readonly does: string;
}

export const keyHelp: readonly KeyHelp[] = [
  { keys: 'Del', where: 'list, detail', does: 'Cancel… (opens the dialog)' },
  { keys: 'Shift+Del', where: 'list, detail', does: 'Force Kill… (opens the dialog)' },
  { keys: 'Ctrl+Shift+Del', where: 'list, detail', does: 'Abandon… (opens the dialog)' },
  { keys: 'Up, Down, Page Up, Page Down, Home, End', where: 'list, log', does: 'move' },
  { keys: 'Enter', where: 'list', does: 'go to the detail; Esc returns to the row' },
  { keys: 'Space, Shift+Up, Shift+Down, Ctrl+A', where: 'list', does: 'mark many rows (for Cancel)' },
  { keys: 'N, Shift+N', where: 'list', does: 'next, previous row that needs attention' },
  { keys: 'B', where: 'list', does: 'the script that blocks this one' },
  { keys: 'M', where: 'list', does: 'its mutex' },
  { keys: 'L', where: 'list, detail', does: 'its log in a window of its own' },
  { keys: 'Shift+L', where: 'list, detail', does: 'its log in this window; Esc returns to the row' },
  { keys: 'S', where: 'list', does: 'sort again' },
  { keys: 'R', where: 'list, detail', does: 'remind me in 30 min; again: do not' },
  { keys: 'Ctrl+C', where: 'list', does: 'copy the row' },
  { keys: 'Ctrl+Shift+C', where: 'list, detail', does: 'copy the incident summary' },
  { keys: 'Ctrl+F or /', where: 'list, log', does: 'filter, find; Esc clears and leaves' },
  { keys: 'F, W, T, E', where: 'log', does: 'follow, wrap, time column, stderr only' },
  { keys: 'F3, Shift+F3', where: 'log', does: 'next, previous hit' },
  { keys: 'Ctrl+G', where: 'log', does: 'go to a line' },
  { keys: 'Ctrl+S, Ctrl+L, Ctrl+C', where: 'log', does: 'save, copy a link, copy lines' },
  { keys: 'Ctrl+1, Ctrl+2, Ctrl+3, Ctrl+4', where: 'everywhere', does: 'Scripts, Mutexes, History, Settings' },
  { keys: 'T', where: 'mutexes', does: 'time line as a table' },
  { keys: 'Left, Right, Home, End', where: 'border of list and detail', does: 'move the border; Enter resets it' },
  { keys: 'F6, Shift+F6', where: 'everywhere', does: 'next, previous part of the window' },
  { keys: 'Ctrl+Plus, Ctrl+Minus, Ctrl+0', where: 'everywhere', does: 'larger, smaller, usual text' },
  { keys: 'F5', where: 'everywhere', does: 'ask for everything again' },
  { keys: 'F1 or ?', where: 'everywhere', does: 'this page' },
  { keys: 'Esc', where: 'dialogs', does: 'Go back' },
];

/** "Ctrl+Shift+Delete", "Shift+n", "F6": one name per key press, whatever the layout. */
export function keyName(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && key !== '?' && key !== '/';
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

/** A letter, digit or sign alone: what people type by accident, and what speech input types all the time (WCAG 2.1.4). */
export const isSingleCharacter = (event: KeyboardEvent): boolean =>
  event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey;

export function isTextField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement
    ? target.type !== 'checkbox'
    : target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
