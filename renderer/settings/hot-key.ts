/** A hot key as it is pressed or written: "Ctrl+Alt+U", Ctrl, Alt, Shift, Win in this order. Pure. */
const order = ['Ctrl', 'Alt', 'Shift', 'Win'] as const;
const said: Readonly<Record<string, string>> = {
  control: 'Ctrl',
  strg: 'Ctrl',
  alternate: 'Alt',
  windows: 'Win',
  meta: 'Win',
  super: 'Win',
};
/** What a text field and the window do with Ctrl and Alt stays theirs; none of it but Alt+F4 could be a hot key. */
const theirs = /^(?:Ctrl\+[ACFVXYZ01234]|Alt\+F4)$/;

/** Null where nothing was pressed that a hot key could begin with. */
export function pressedKeys(event: KeyboardEvent): string | null {
  if (!(event.ctrlKey || event.altKey || event.metaKey) || event.getModifierState('AltGraph')) return null;
  const key = keyOf(event);
  if (key === null) return null;
  const held = [event.ctrlKey, event.altKey, event.shiftKey, event.metaKey];
  const keys = [...order.filter((_name, index) => held[index]), key].join('+');
  return theirs.test(keys) ? null : keys;
}

/** The letter as this keyboard has it, or by its place where the keyboard writes no Latin letter or Shift makes a sign of it. */
function keyOf({ key, code }: KeyboardEvent): string | null {
  if (/^F\d+$/.test(key)) return key;
  if (/^[a-z0-9]$/i.test(key)) return code.startsWith('Numpad') ? null : key.toUpperCase();
  return /^(?:Key|Digit)(.)$/.exec(code)?.[1] ?? null;
}

/** "control + alt + u" as it is kept; what cannot be understood stays as it is. */
export function writtenKeys(text: string): string {
  const parts = text
    .split(/[\s+-]+/)
    .filter((part) => part !== '')
    .map((part) => said[part.toLowerCase()] ?? part.charAt(0).toUpperCase() + part.slice(1).toLowerCase());
  const isHeld = (part: string): boolean => order.some((name) => name === part);
  return [...order.filter((name) => parts.includes(name)), ...parts.filter((part) => !isHeld(part))].join('+');
}
