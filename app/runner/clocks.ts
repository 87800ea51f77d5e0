/** The overall and the no-output limit of a script; monotonic, and kept here so that they hold while no host lives. */
import * as lines from '../domain/lines.ts';
import type { ScriptSpec } from '../domain/script.ts';
import type { Ending } from './ending.ts';

/** Limits that are shorter are not announced at their half: nobody could act on it. */
const announcedFromMs = 2_000;

const actor = { user: 'unjam', via: 'unjam' } as const;

export function startClocks(
  limits: ScriptSpec['timeouts'],
  ending: Ending,
  facts: {
    /** When the script last wrote, `performance.now()`; looks at the files first. */
    readonly lastOutput: () => number;
    /** True when no clock may end the script any more (it was abandoned). */
    readonly spared: () => boolean;
    readonly tell: (line: lines.Line) => void;
  },
): () => void {
  const { overallMs, noOutputMs } = limits;
  const started = performance.now();
  let silence: NodeJS.Timeout | undefined;

  const fire = (timeout: 'overall' | 'no-output', limitMs: number): void => {
    if (ending.active || facts.spared()) return;
    void ending.cancel({ kind: 'timed-out', timeout, actor }, { limitMs });
  };
  const announce = (timeout: 'overall' | 'no-output', limitMs: number): void => {
    if (!ending.active && !facts.spared()) facts.tell(lines.halfOfLimit(timeout, limitMs));
  };
  let announced = noOutputMs === null || noOutputMs < announcedFromMs;
  const checkSilence = (limitMs: number): void => {
    const silentMs = performance.now() - Math.max(facts.lastOutput(), started);
    if (silentMs >= limitMs) {
      fire('no-output', limitMs);
      return;
    }
    if (silentMs < limitMs / 2) announced = limitMs < announcedFromMs;
    else if (!announced) {
      announced = true;
      announce('no-output', limitMs);
    }
    silence = setTimeout(() => checkSilence(limitMs), (announced ? limitMs : limitMs / 2) - silentMs);
  };

  const overall = overallMs === null ? undefined : setTimeout(() => fire('overall', overallMs), overallMs);
  const half =
    overallMs === null || overallMs < announcedFromMs
      ? undefined
      : setTimeout(() => announce('overall', overallMs), overallMs / 2);
  if (noOutputMs !== null) checkSilence(noOutputMs);
  return () => {
    clearTimeout(overall);
    clearTimeout(half);
    clearTimeout(silence);
  };
}
