/** Runs a script's clean-up command when its processes are gone, within its own bound. */
import { closeSync, openSync } from 'node:fs';
import { fineDuration } from '../domain/durations.ts';
import type { Cause, How } from '../domain/life.ts';
import type { ExitRecord, ScriptSpec } from '../domain/script.ts';
import { findExecutable } from '../processes/index.ts';
import type { ScriptLog } from './script-log.ts';

export interface Ended {
  readonly how: How;
  readonly cause: Cause | null;
  /** Null when nobody could read it. */
  readonly exit: Pick<ExitRecord, 'code' | 'signal'> | null;
}

/** Whether the clean-up command runs after this end. */
function needsCleanup(when: NonNullable<ScriptSpec['cleanup']>['when'], { how, exit }: Ended): boolean {
  switch (when ?? 'cancel') {
    case 'always':
      return true;
    case 'failure':
      return how !== 'self' || exit?.code !== 0;
    case 'cancel':
      return how !== 'self';
  }
}

/** Never rejects. */
export async function runCleanup(
  spec: Pick<ScriptSpec, 'cleanup' | 'cwd'>,
  environment: Readonly<Record<string, string>>,
  ended: Ended,
  log: Pick<ScriptLog, 'append' | 'directory'>,
): Promise<void> {
  if (!spec.cleanup || !needsCleanup(spec.cleanup.when, ended)) return;
  const { command, timeoutMs } = spec.cleanup;
  const failed = (why: string): void =>
    log.append({ type: 'note' }, { code: 'W241', text: `The clean-up command failed: ${why} (limit ${fineDuration(timeoutMs)}). Next: clean up by hand.` }); // prettier-ignore
  let descriptor: number | null = null;
  try {
    const { execa } = await import('execa'); // loaded beforehand by `loadCleanup` when the script has one
    descriptor = openSync(log.directory.stderrPath, 'a', 0o600);
    // execa's types take a literal descriptor only; any number works (execa docs, "File descriptors").
    const output = descriptor as 3;
    const [name, ...args] = command;
    // Found now, because the script may have made it; execa would look into the working folder first (Windows).
    const file = findExecutable(name, spec.cwd, environment);
    if (file === null) {
      failed(`"${name}" was not found on the PATH of the script, or is not executable`);
      return;
    }
    const { cause, exit } = ended;
    const result = await execa(file, args, {
      cwd: spec.cwd,
      env: {
        ...environment,
        UNJAM_CLEANUP: '1',
        UNJAM_VERDICT: cause?.kind ?? 'exited',
        UNJAM_CAUSE: cause?.timeout ?? cause?.kind ?? 'exited',
        UNJAM_EXIT_CODE: String(exit?.code ?? ''),
      },
      extendEnv: false,
      stdio: ['ignore', output, output],
      buffer: false,
      reject: false,
      timeout: timeoutMs,
      forceKillAfterDelay: 1_000,
    });
    if (result.failed) failed(result.shortMessage ?? 'unknown error');
    else
      log.append(
        { type: 'note' },
        {
          code: 'I240',
          text: `The clean-up command finished with exit code 0 after ${fineDuration(result.durationMs)}.`,
        },
      );
  } catch (error) {
    failed((error as Error).message);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** What the clean-up needs is loaded while its files are certainly there: an update may replace them meanwhile. */
export async function loadCleanup(spec: Pick<ScriptSpec, 'cleanup'>): Promise<void> {
  if (spec.cleanup) await import('execa');
}
