/** One native question at a time, and a rest between two, so that no pile of dialogs catches a hasty Enter. */
import type { Reply } from '../app/contract/methods.ts';
import { refuse } from './refuse.ts';

const restMs = 1_000;

export type OneQuestion = (work: () => Promise<Reply>) => Promise<Reply>;

/** What it returns refuses while another question is open or has just been answered. Share one between all askers. */
export function oneQuestion(now: () => number): OneQuestion {
  let open = false;
  let closedAt = -Infinity;
  return async (work) => {
    if (open || now() - closedAt < restMs)
      return refuse('not-possible', 'Another question is still open.', 'Answer it first.');
    open = true;
    try {
      return await work();
    } finally {
      open = false;
      closedAt = now();
    }
  };
}
