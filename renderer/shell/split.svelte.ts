/** The width of the detail pane in px; null = as wide as the window's size suggests. Remembered by the browser, because it belongs to this screen. */
export const splitBounds = { least: 320, most: 900 } as const;
const key = 'detail-width';

export class Split {
  width = $state(read());

  set(width: number): void {
    this.width = Math.round(Math.min(splitBounds.most, Math.max(splitBounds.least, width)));
    keep(String(this.width));
  }

  reset(): void {
    this.width = null;
    keep('');
  }
}

function keep(text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // A browser that keeps nothing still splits.
  }
}

function read(): number | null {
  try {
    const kept = Number(localStorage.getItem(key));
    return kept >= splitBounds.least && kept <= splitBounds.most ? kept : null;
  } catch {
    return null;
  }
}
