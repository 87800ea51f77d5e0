/**
 * Runs a script's clean-up command when its processes are gone, within its own bound. It is launched as scripts are; what
 * it leaves is ended by the driver, before the mutex is released.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fineDuration } from '../domain/durations.ts';
import type { Cause, How } from '../domain/life.ts';
import type { ResourceLimits } from '../domain/resource-limits.ts';
import * as lines from '../domain/lines.ts';
import { type CleanupTime, cleanupRunOf, type ExitRecord, type ScriptSpec, type TreeScope } from '../domain/script.ts';
import { findExecutable, type LaunchedScript, type ProcessControl } from '../processes/index.ts';
import type { ScriptLog } from './script-log.ts';

export interface Ended {
  readonly how: How;
  readonly cause: Cause | null;
  /** Null when nobody could read it. */
  readonly exit: Pick<ExitRecord, 'code' | 'signal'> | null;
}

export interface CleanupContext {
  readonly spec: Pick<ScriptSpec, 'cleanup' | 'cwd' | 'runId' | 'ancestors'>;
  readonly environment: Readonly<Record<string, string>>;
  readonly umask: number;
  readonly niceness: number;
  /** Null: those of this process. */
  readonly limits: ResourceLimits | null;
  readonly control: ProcessControl;
  readonly log: Pick<ScriptLog, 'append' | 'directory'>;
}

/** How often one that this process did not start is looked at, ms. */
const pollMs = 100;

/** Whether the clean-up command runs after this end. */
export function needsCleanup(when: CleanupTime | undefined, { how, exit }: Ended): boolean {
  switch (when ?? 'cancel') {
    case 'always':
      return true;
    case 'failure':
      return how !== 'self' || exit?.code !== 0;
    case 'cancel':
      return how !== 'self';
  }
}

/**
 * Resolves when it has ended or its bound is reached; never rejects. `begin` is called before its first instruction.
 * `before`: it was begun by a runner that has died, so it is only waited for: it never runs twice.
 */
export async function runCleanup(
  context: CleanupContext,
  ended: Ended,
  before: TreeScope | null,
  begin: (scope: TreeScope) => void,
): Promise<void> {
  const { spec, control, log } = context;
  if (!spec.cleanup || !needsCleanup(spec.cleanup.when, ended)) return;
  const { timeoutMs } = spec.cleanup;
  const say = (line: lines.Line): void => log.append({ type: 'note' }, line);
  const failed = (why: string): void => say(lines.cleanupFailed(why, fineDuration(timeoutMs)));
  if (before !== null) {
    const until = control.now() + timeoutMs;
    while (control.treeLiveness(before) !== 'dead' && control.now() < until) await delay(pollMs);
    return failed('the runner that had started it died, so its exit code is unknown');
  }
  let launched: LaunchedScript;
  const startedAt = control.now();
  try {
    launched = await launch(context, spec.cleanup.command, ended);
  } catch (error) {
    return failed((error as Error).message);
  }
  // Its cgroup is the script's too: who is in it without a run id may have been left by the script on purpose.
  const { cgroup: _, ...scope } = launched.scope;
  begin(scope);
  launched.release();
  const bound = new AbortController();
  const status = await Promise.race([
    launched.exited,
    delay(timeoutMs, null, { signal: bound.signal }).catch(() => null),
  ]);
  bound.abort();
  if (status === null) return failed('it had not ended in time');
  await control.drained?.(launched.scope, outputOf(context));
  if (status.code === 0) say(lines.cleanupDone(fineDuration(control.now() - startedAt)));
  else failed(lines.exitText(status));
}

const outputOf = ({ log }: CleanupContext) => ({
  stdoutPath: log.directory.stderrPath,
  stderrPath: log.directory.stderrPath,
});

/** @throws Error when it is not found, or the system refuses it */
async function launch(
  context: CleanupContext,
  [command, ...args]: readonly [string, ...string[]],
  { cause, exit }: Ended,
): Promise<LaunchedScript> {
  const { spec, environment, control, umask, niceness, limits } = context;
  // Found now, because the script may have made it.
  const file = findExecutable(command, spec.cwd, environment);
  if (file === null) throw new Error(`"${command}" was not found on the PATH of the script, or is not executable`);
  const runId = cleanupRunOf(spec.runId);
  return control.launch({
    file,
    args,
    cwd: spec.cwd,
    umask,
    niceness,
    limits,
    runId,
    environment: {
      ...environment,
      UNJAM_RUN: [...spec.ancestors, spec.runId, runId].join('/'),
      UNJAM_CLEANUP: '1',
      UNJAM_VERDICT: cause?.kind ?? 'exited',
      UNJAM_CAUSE: cause?.timeout ?? cause?.kind ?? 'exited',
      UNJAM_EXIT_CODE: String(exit?.code ?? ''),
    },
    ...outputOf(context),
  });
}
