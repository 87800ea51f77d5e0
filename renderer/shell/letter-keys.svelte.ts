/** Keys without Ctrl. One switch turns them all off (WCAG 2.1.4); handlers, help and hints read the same one. */
export const letterNames = ['n', 'b', 'm', 'l', 'v', 'i', 's', '/', 'f', 'g', 'w', 't', 'e', '?'] as const;
export type LetterKey = (typeof letterNames)[number];

/** A letter differs from itself with Shift; every other character already contains its Shift. */
export const hasCase = (character: string): boolean =>
  character.toUpperCase() !== character.toLowerCase() && character.toUpperCase().toLowerCase() === character;

class LetterKeys {
  isOn = $state(true);

  /** "B", as printed on the key; empty while these keys are off. */
  label(name: LetterKey): string {
    return this.isOn ? name.toUpperCase() : '';
  }

  /** " (B)": follows the words on a control. */
  hint(name: LetterKey): string {
    return this.isOn ? ` (${this.label(name)})` : '';
  }

  /** For aria-keyshortcuts. */
  shortcut(name: LetterKey, other?: string): string | undefined {
    return [this.label(name), other].filter((key) => key !== undefined && key !== '').join(' ') || undefined;
  }
}

export const letterKeys = new LetterKeys();
