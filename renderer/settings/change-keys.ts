/** The keys without Ctrl as they are typed in Settings: what of it can hold, and a sentence for what cannot. Pure. */
import type { LetterKey, Settings } from '../contract.ts';
import { hasCase, keyLabel, letterFunctions, letterKeyNames, shiftedKeys } from '../shell/letter-keys.svelte.ts';

type Changed = Settings['letterKeys'];
type PerKey = Partial<Record<LetterKey, string>>;

export interface Read {
  /** What holds now: only the keys that are others than from the beginning. */
  readonly changed: Changed;
  /** What was typed and does not hold, with the reason. */
  readonly wrong: PerKey;
}

const characterOf = (text: string): string => text.trim().toLowerCase();
const currentOf = (changed: Changed, name: LetterKey): string => changed[name] ?? name;

/** Null when it can be a key. */
function impossible(name: LetterKey, text: string): string | null {
  const character = characterOf(text);
  const title = letterFunctions[name];
  // As the host reads it: one character, no space, no capital; a control character is on no key.
  if (!/^[^\s\p{Lu}\p{C}]$/u.test(character)) return `${title}: give one character, no space. Nothing was changed.`;
  if (shiftedKeys.includes(name) && !hasCase(character))
    return `${title}: give a letter, because with Shift it does something else. Nothing was changed.`;
  return null;
}

const isClear = (changed: Changed): boolean =>
  new Set(letterKeyNames.map((name) => currentOf(changed, name))).size === letterKeyNames.length;

/**
 * Everything that was typed together, so that two keys can change places; else only the last one, when it can hold alone.
 * What cannot hold stays in `wrong`.
 */
export function readKeys(before: Changed, typed: PerKey, last: LetterKey): Read {
  const possible = letterKeyNames.filter((name) => typed[name] !== undefined && impossible(name, typed[name]) === null);
  const together = (names: readonly LetterKey[]): Changed => {
    const all = { ...before, ...Object.fromEntries(names.map((name) => [name, characterOf(typed[name] ?? '')])) };
    return Object.fromEntries(letterKeyNames.filter((name) => (all[name] ?? name) !== name).map((k) => [k, all[k]]));
  };
  const accepted = [possible, possible.filter((name) => name === last), []].find((names) => isClear(together(names)))!;
  const changed = together(accepted);
  const wrong: PerKey = {};
  for (const name of letterKeyNames) {
    const text = typed[name];
    if (text === undefined || accepted.includes(name)) continue;
    wrong[name] = impossible(name, text) ?? taken(name, characterOf(text), changed, together(possible));
  }
  return { changed, wrong };
}

function taken(name: LetterKey, character: string, ...maps: readonly Changed[]): string {
  const other = maps
    .flatMap((map) => letterKeyNames.filter((one) => one !== name && currentOf(map, one) === character))
    .map((one) => letterFunctions[one])[0];
  return `${letterFunctions[name]}: ${keyLabel(character)} is the key for "${other ?? ''}". Give that one another key, or this one. Nothing was changed.`;
}
