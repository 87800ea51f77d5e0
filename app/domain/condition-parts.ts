/** What a condition is made of. */
import { count } from './count.ts';

export type ConditionSeverity = 'critical' | 'warning' | 'info' | 'neutral' | 'orphan';
export type NextStep = 'cancel' | 'kill' | 'abandon' | 'wait' | 'show-holder' | 'log' | 'none';

export interface ScriptCondition {
  readonly key: string;
  readonly label: string;
  readonly headline: string;
  readonly severity: ConditionSeverity;
  readonly icon: string;
  readonly next: NextStep;
  readonly stuck: boolean;
}

export const scripts = (n: number): string => count(n, 'script');

export function plain(
  key: string,
  label: string,
  headline: string,
  severity: ConditionSeverity,
  icon: string,
  next: NextStep,
): ScriptCondition {
  return { key, label, headline, severity, icon, next, stuck: false };
}

/** The first text that fits into a list label's 24 characters, fullest first; the last one is cut. */
export function fit(...texts: readonly [string, ...string[]]): string {
  const last = texts.at(-1) ?? '';
  return texts.find((t) => t.length <= 24) ?? `${last.slice(0, 23)}…`;
}

export function ordinal(n: number): string {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}
