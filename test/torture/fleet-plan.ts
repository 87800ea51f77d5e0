/** What goes wrong in a fleet and when: all of it follows from a seed. */
import { Dice } from './dice.ts';
import type { Direction } from './wire.ts';

export const hosts = ['web-1', 'web-2'] as const;
/** Processes of a fleet, the hosts in turn: the first of each host is its agent. */
export const hostOf = (slot: number): string => hosts[slot % hosts.length] ?? '';
export const isAgent = (slot: number): boolean => slot < hosts.length;
export const mutexName = (index: number): string => `torture ${index} (fleet)`;

export interface Often {
  readonly killEveryMs: number;
  readonly freezeEveryMs: number;
  readonly abandonEveryMs: number;
  readonly wireEveryMs: number;
  readonly engineEveryMs: number;
  /** A trouble that has an end ends before that, ms: mostly soon. */
  readonly longestMs: number;
}

/** `at` is in ms since the beginning; `ms` how long it lasts. */
export type Trouble = { readonly at: number } & (
  | { readonly what: 'kill'; readonly slot: number }
  | { readonly what: 'freeze'; readonly slot: number; readonly ms: number }
  /** `pick` chooses among those who hold it and wait for it then. */
  | { readonly what: 'abandon'; readonly mutex: number; readonly pick: number }
  | { readonly what: 'reset'; readonly host: string }
  | { readonly what: 'cut'; readonly host: string; readonly ms: number }
  /** With `loses` all that was under way is lost at its end. */
  | { readonly what: 'stall'; readonly host: string; readonly directions: readonly Direction[]; readonly ms: number; readonly loses: boolean } // prettier-ignore
  | { readonly what: 'engine'; readonly ms: number }
);

export function planOf(seed: number, seconds: number, slots: number, mutexes: number, often: Often): Trouble[] {
  const end = seconds * 1_000;
  let series = 0;
  const every = <T extends object>(ms: number, make: (dice: Dice) => T): (T & { at: number })[] => {
    const dice = new Dice(seed * 31 + (series += 1));
    const made: (T & { at: number })[] = [];
    for (let at = dice.below(2 * ms); at < end; at += 1 + dice.below(2 * ms)) made.push({ at, ...make(dice) });
    return made;
  };
  const lasts = (dice: Dice): number => Math.round(20 + (dice.below(1_000) / 1_000) ** 3 * often.longestMs);
  const wire = (dice: Dice) => {
    const host = dice.of(hosts);
    const kind = dice.of(['reset', 'cut', 'stall', 'stall'] as const);
    if (kind === 'reset') return { what: kind, host };
    if (kind === 'cut') return { what: kind, host, ms: lasts(dice) };
    const directions = dice.of<readonly Direction[]>([['up'], ['down'], ['up', 'down']]);
    return { what: kind, host, directions, ms: lasts(dice), loses: dice.chance(50) };
  };
  return [
    ...every(often.killEveryMs, (dice) => ({ what: 'kill' as const, slot: dice.below(slots) })),
    ...every(often.freezeEveryMs, (dice) => ({ what: 'freeze' as const, slot: dice.below(slots), ms: lasts(dice) })),
    ...every(often.abandonEveryMs, (dice) => ({
      what: 'abandon' as const,
      mutex: dice.below(mutexes),
      pick: dice.below(64),
    })),
    ...every(often.wireEveryMs, wire),
    ...every(often.engineEveryMs, (dice) => ({ what: 'engine' as const, ms: dice.below(600) })),
  ].sort((a, b) => a.at - b.at);
}
