/** Tells an open dialog about every snapshot, until the dialog is over. */
import type { Engine } from '../app/host/engine.ts';

export function scriptWatch(engine: Pick<Engine, 'subscribe'>) {
  return (_ticket: string, changed: () => void, signal: AbortSignal): void => {
    const end = engine.subscribe(changed);
    signal.addEventListener('abort', end, { once: true });
  };
}
