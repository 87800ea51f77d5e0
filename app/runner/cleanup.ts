/** Runs a script's clean-up command after a Cancel, a Force Kill or a time limit, within its own bound. */
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import type { ScriptSpec } from '../domain/script.ts';
import { fineDuration } from '../domain/durations.ts';
import type { ScriptLog } from './script-log.ts';

export async function runCleanup(
  spec: ScriptSpec,
  environment: Readonly<Record<string, string>>,
  log: ScriptLog,
): Promise<void> {
  if (!spec.cleanup) return;
  const { command, timeoutMs } = spec.cleanup;
  const { execa } = await import('execa'); // only the rare script that needs it pays for loading it
  const descriptor = openSync(join(log.directory.path, 'stderr.log'), 'a', 0o600);
  // execa's types take a literal descriptor only; any number works (execa docs, "File descriptors").
  const output = descriptor as 3;
  try {
    const [file, ...args] = command;
    const result = await execa(file, args, {
      cwd: spec.cwd,
      env: { ...environment, UNJAM_CLEANUP: '1' },
      extendEnv: false,
      stdio: ['ignore', output, output],
      buffer: false,
      reject: false,
      timeout: timeoutMs,
      forceKillAfterDelay: 1_000,
    });
    log.append(
      { type: 'note' },
      result.failed
        ? {
            code: 'W241',
            text: `The clean-up command failed: ${result.shortMessage ?? 'unknown error'} (bound ${fineDuration(timeoutMs)}). Next: clean up by hand.`,
          }
        : {
            code: 'I240',
            text: `The clean-up command finished with exit code 0 after ${fineDuration(result.durationMs)}.`,
          },
    );
  } finally {
    closeSync(descriptor);
  }
}
