/** Limits of single scripts, chosen by their name: the first rule that fits gives those that it names. Pure. */
import type { Thresholds } from './condition-facts.ts';
import { nameKey } from './names.ts';

export interface ScriptRule {
  /** With `*` for any text and `?` for one character; upper and lower case are the same. */
  readonly name: string;
  readonly silentAfterMinutes?: number | undefined;
  readonly overdueFactor?: number | undefined;
}

const minute = 60_000;

export function thresholdsFor(name: string, rules: readonly ScriptRule[], usual: Thresholds): Thresholds {
  const rule = rules.find((one) => nameFits(one.name, name));
  if (rule === undefined) return usual;
  const { silentAfterMinutes, overdueFactor } = rule;
  return {
    ...usual,
    ...(silentAfterMinutes === undefined ? {} : { silentMs: silentAfterMinutes * minute }),
    ...(overdueFactor === undefined ? {} : { overdueFactor }),
  };
}

/** In steps of at most pattern × name, whatever the pattern: an expression of the runtime may take for ever. */
export function nameFits(pattern: string, name: string): boolean {
  const wanted = [...nameKey(pattern)];
  const given = [...nameKey(name)];
  let at = 0;
  let star = -1;
  let starAt = 0;
  for (let i = 0; i < given.length;) {
    if (wanted[at] === '*') {
      star = at;
      starAt = i;
      at += 1;
    } else if (wanted[at] === '?' || wanted[at] === given[i]) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      at = star + 1;
      starAt += 1;
      i = starAt;
    } else return false;
  }
  return wanted.slice(at).every((left) => left === '*');
}
