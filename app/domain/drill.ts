/** The fire drill: what is different for it, and how well it went. Pure. */
import type { Thresholds } from './condition-facts.ts';
import { longDuration } from './durations.ts';

export const drillMutex = 'fire drill';
export const drillName = 'Fire drill: hung deployment';

/** People practise: it counts as silent, and so as stuck, before they lose patience. */
const drillSilentMs = 15_000;

export const drillThresholds = (usual: Thresholds): Thresholds => ({
  ...usual,
  silentMs: Math.min(drillSilentMs, usual.silentMs),
});

/** A script as its detail shows it; times as ISO 8601. */
interface Practised {
  readonly mutex: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly attempts: readonly { readonly at: string; readonly what: string }[];
}

const verbNames: Readonly<Record<string, string>> = { cancel: 'Cancel', kill: 'Force Kill', abandon: 'Abandon' };

/**
 * "Fire drill: first step after 12 s, freed after 40 s with Cancel, then Force Kill." Null for a script that is no drill,
 * or that still holds its mutex. Abandon frees at once; everything else when the script has ended.
 */
export function drillScore(script: Practised, holdsMutex: boolean): string | null {
  const { mutex, startedAt, endedAt, attempts } = script;
  if (mutex?.toLowerCase() !== drillMutex || startedAt === null || holdsMutex) return null;
  const verbs = attempts.filter(({ what }) => what in verbNames);
  const [first] = verbs;
  const abandoned = verbs.find(({ what }) => what === 'abandon');
  const freedAt = abandoned?.at ?? endedAt;
  if (first === undefined || freedAt === null) return null;
  const after = (at: string): string => longDuration(Date.parse(at) - Date.parse(startedAt));
  const used = [...new Set(verbs.filter(({ at }) => at <= freedAt).map(({ what }) => verbNames[what]))].join(', then ');
  return `Fire drill: first step after ${after(first.at)}, freed after ${after(freedAt)} with ${used}.`;
}
