/** What every native question shares: one at a time, and fresh data while it is open. */
import type { Reply } from '../../app/contract/methods.ts';
import type { Engine } from '../../app/host/engine.ts';
import { refuse } from './door.ts';

/** The rest between two questions, so that no pile of dialogs catches a hasty Enter. */
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

/** Tells an open dialog about every snapshot, until the dialog is over. */
export function scriptWatch(engine: Pick<Engine, 'subscribe'>) {
  return (_ticket: string, changed: () => void, signal: AbortSignal): void => {
    const end = engine.subscribe(changed);
    signal.addEventListener('abort', end, { once: true });
  };
}
