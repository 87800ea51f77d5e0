/**
 * What happens when Unjam itself fails. Nobody sits before a host at night to press OK in Electron's error dialog, and going on with half a
 * state would be worse than starting again: scripts live in their runners, and a new host finds all of them.
 */
import type { EventEmitter } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'electron';
import { redact } from '../../app/domain/redact.ts';
import { visible } from '../../app/domain/visible.ts';
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

const maxBytes = 2_097_152;

/**
 * `host.log` beside the scripts' state: where a person looks after something went wrong inside Unjam itself.
 * Synchronous, so that the last line before a crash is there. A log that cannot be written is not an error.
 */
export function hostLog(folder: string): (line: string) => void {
  const file = join(folder, 'host.log');
  return (line) => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`);
      appendFileSync(file, `${new Date().toISOString()} ${redact(line).split('\n').map(visible).join(' | ')}\n`, {
        mode: 0o600,
      });
    } catch {
      // Nowhere left to say it.
    }
  };
}
