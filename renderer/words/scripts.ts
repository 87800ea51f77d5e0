/** Short notes in the list. */
import { estimateRange } from '../../app/domain/estimate.ts';
import type { ScriptView } from '../contract.ts';

/** "usually in 2 to 4 min"; what it rests on stands in the headline. */
export const startsIn = ({ from, to }: NonNullable<ScriptView['estimate']>, now: number): string =>
  `usually ${estimateRange({ from: Date.parse(from), to: Date.parse(to) }, now)}`;
