/** Leaving: says what goes on without Unjam, and closes the application before the process ends. */
import type { App, BrowserWindow, Dialog } from 'electron';
import type { Engine, EngineState } from '../../app/host/engine.ts';
import { count } from '../../app/domain/count.ts';

export interface ExitParts {
  readonly app: Pick<App, 'quit' | 'exit' | 'on'>;
  readonly dialog: Pick<Dialog, 'showMessageBox'>;
  readonly engine: Pick<Engine, 'state' | 'close'>;
  readonly parent: () => BrowserWindow | null;
  /** From now on closing the window closes it. */
  readonly leave: () => void;
}

const unseen = 'Nobody sees stuck scripts on this host until Unjam is started again.';

/** What a person should know before leaving; null when leaving changes nothing. */
export function exitDetail(state: EngineState): string | null {
  if (state.kind !== 'online') return `Scripts that run keep running. ${unseen}`;
  if (state.role === 'client') return null;
  const living = state.snapshot.scripts.filter((script) => script.state !== 'final' || script.orphan).length;
  if (living === 0) return null;
  return `${count(living, 'script keeps', 'scripts keep')} running. ${unseen}`;
}

/** Returns what the tray's Exit does. */
export function createExit(parts: ExitParts): () => Promise<void> {
  let asking = false;
  let closed = false;

  parts.app.on('before-quit', () => parts.leave());
  // Electron does not wait for promises: hold the quit back once, close, then quit for good.
  parts.app.on('will-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    void parts.engine.close().finally(() => {
      closed = true;
      parts.app.quit();
    });
  });
  // The tray stays when the window goes; without a listener Electron would quit here.
  parts.app.on('window-all-closed', () => undefined);

  return async () => {
    if (asking) return;
    const detail = exitDetail(parts.engine.state);
    if (detail !== null) {
      asking = true;
      const parent = parts.parent();
      const options = {
        type: 'question' as const,
        title: 'Exit Unjam',
        message: 'Exit Unjam?',
        detail,
        buttons: ['Go back', 'Exit'],
        defaultId: 0,
        cancelId: 0,
        noLink: true,
      };
      const answer = await (
        parent === null ? parts.dialog.showMessageBox(options) : parts.dialog.showMessageBox(parent, options)
      ).finally(() => (asking = false));
      if (answer.response !== 1) return;
    }
    parts.app.quit();
  };
}
