/** What a process waits for, in words: measured, never guessed. */
import type { TopWindow } from './top-windows.ts';
import type { WaitedFor } from './wait-chain.ts';

export interface Waits {
  readonly suspended: boolean;
  readonly windows: readonly TopWindow[];
  readonly chain: readonly WaitedFor[];
  /** `UserRequest ×3`; null when Windows does not say. */
  readonly threads: string | null;
}

const dialogClass = '#32770';

/** `a dialog "Setup" waits for an answer; UserRequest ×2`; null when nothing was measured. */
export function describeWaits({ suspended, windows, chain, threads }: Waits): string | null {
  const parts = [
    ...(suspended ? ['suspended: no thread may run'] : []),
    ...windows.filter((w) => w.hung).map((w) => `its window "${w.title}" does not answer`),
    ...windows
      .filter((w) => !w.hung && w.className === dialogClass)
      .map((w) => `a dialog "${w.title}" waits for an answer`),
    ...chain.map((w) => (w.deadlock ? `a deadlock with PID ${w.pid}` : `PID ${w.pid}`)),
    ...(threads === null ? [] : [threads]),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}
