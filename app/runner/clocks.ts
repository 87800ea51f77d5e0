/** The overall and the no-output limit of a script; monotonic, and kept here so that they hold while no host lives. */
import type { ScriptSpec } from '../domain/script.ts';
import type { Ending } from './ending.ts';

const actor = { user: 'unjam', via: 'unjam' } as const;

export function startClocks(
  limits: ScriptSpec['timeouts'],
  ending: Ending,
  facts: {
    /** When the script last wrote, `performance.now()`; looks at the files first. */
    readonly lastOutput: () => number;
    /** True when no clock may end the script any more (it was abandoned). */
    readonly spared: () => boolean;
  },
): () => void {
  const { overallMs, noOutputMs } = limits;
  const started = performance.now();
  let silence: NodeJS.Timeout | undefined;

  const fire = (timeout: 'overall' | 'no-output', limitMs: number): void => {
    if (ending.active || facts.spared()) return;
    void ending.cancel({ kind: 'timed-out', timeout, actor }, { limitMs });
  };
  const checkSilence = (limitMs: number): void => {
    const rest = limitMs - (performance.now() - Math.max(facts.lastOutput(), started));
    if (rest <= 0) fire('no-output', limitMs);
    else silence = setTimeout(() => checkSilence(limitMs), rest);
  };

  const overall = overallMs === null ? undefined : setTimeout(() => fire('overall', overallMs), overallMs);
  if (noOutputMs !== null) silence = setTimeout(() => checkSilence(noOutputMs), noOutputMs);
  return () => {
    clearTimeout(overall);
    clearTimeout(silence);
  };
}
