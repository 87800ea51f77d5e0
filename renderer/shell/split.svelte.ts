/** How much of the window the list gets; remembered by the browser, because it belongs to this screen. */
const least = 35;
const most = 78;
const usual = 66;
const key = 'list-share';

export class Split {
  percent = $state(read());

  set(percent: number): void {
    this.percent = Math.round(Math.min(most, Math.max(least, percent)));
    try {
      localStorage.setItem(key, String(this.percent));
    } catch {
      // A browser that keeps nothing still splits.
    }
  }

  reset(): void {
    this.set(usual);
  }
}

function read(): number {
  try {
    const kept = Number(localStorage.getItem(key));
    return kept >= least && kept <= most ? kept : usual;
  } catch {
    return usual;
  }
}

export const splitBounds = { least, most } as const;
