/**
 * A bug in main. Nobody sits before a host at night to press OK in Electron's error dialog, and going on with half a
 * state would be worse than starting again: scripts live in their runners, and a new host finds all of them.
 */
import type { EventEmitter } from 'node:events';
import type { App } from 'electron';
import { hiddenFlag } from './app-identity.ts';

/** A program that fails sooner than this would fail for ever; it ends instead, and its shortcut starts it again. */
const restartAfterMs = 60_000;

export function restartOnCrash(
  errors: Pick<EventEmitter, 'on'>,
  app: Pick<App, 'relaunch' | 'exit'>,
  parts: { readonly argv: readonly string[]; readonly uptimeMs: () => number; readonly log: (line: string) => void },
): void {
  const crashed = (error: unknown) => {
    parts.log(`W398 Unjam failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    if (parts.uptimeMs() >= restartAfterMs) {
      const args = parts.argv.slice(1).filter((argument) => argument !== hiddenFlag);
      app.relaunch({ args: [...args, hiddenFlag] });
    }
    app.exit(1);
  };
  errors.on('uncaughtException', crashed);
  errors.on('unhandledRejection', crashed);
}
