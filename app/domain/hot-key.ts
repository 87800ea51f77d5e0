/** A key combination that opens the window from every program, as it is shown and kept: "Ctrl+Alt+U". */
const pattern = /^(Ctrl\+)?(Alt\+)?(Shift\+)?(Win\+)?(?:[A-Z0-9]|(F(?:[1-9]|1\d|2[0-4])))$/;

/**
 * Ctrl, Alt, Shift, Win in this order, then a letter, a digit or F1 to F24. At least two of the four before a letter or
 * digit, one before a function key, and never Shift alone: what people type all day in other programs stays theirs.
 */
export function isHotKey(text: string): boolean {
  const [found, ctrl, alt, shift, win, functionKey] = pattern.exec(text) ?? [];
  if (found === undefined) return false;
  const held = [ctrl, alt, win].filter((key) => key !== undefined).length;
  return held > 0 && (functionKey !== undefined || held + (shift === undefined ? 0 : 1) > 1);
}
