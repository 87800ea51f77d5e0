/**
 * What happens when Unjam itself fails. Nobody sits before a host at night to press OK in Electron's error dialog, and going on with half a
 * state would be worse than starting again: scripts live in their runners, and a new host finds all of them.
 */
import type { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { App } from 'electron';
import type { HostLog } from '../../app/domain/host-log.ts';
import { openHostLog } from '../../app/host/host-log.ts';
import { hiddenFlag } from './instance.ts';

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

/** Where a person looks after something went wrong inside Unjam itself, also before there is a state directory. */
export function hostLog(folder: string): HostLog {
  const log = openHostLog(folder);
  return (line, facts) => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch {
      // Nowhere left to say it.
    }
    log(line, facts);
  };
}
