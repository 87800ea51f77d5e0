/** Refuses a command that was decided on a view that is no longer true. */
import { UnjamError } from '../contract/errors.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import type { ScriptRecord } from './record.ts';

export interface Target {
  readonly version?: number | undefined;
  readonly process?: { readonly pid: number; readonly startTime: string } | undefined;
}

/** The root process that the command is about; null while the script has not started. */
export function checkTarget(record: ScriptRecord, target: Target): ProcessIdentity | null {
  const root = record.started?.scope.root ?? null;
  if (
    target.process &&
    (root === null || root.pid !== target.process.pid || root.startTime !== target.process.startTime)
  )
    throw new UnjamError(
      'other-process',
      `PID ${target.process.pid} with that start time is not the process of "${record.spec.name}"${root ? ` (PID ${root.pid})` : ', which has not started'}. Nothing was done.`,
      'Look at the script again and repeat.',
      'process',
    );
  if (target.version !== undefined && target.version !== record.version)
    throw new UnjamError(
      'stale-version',
      `"${record.spec.name}" has changed since you looked (version ${target.version}, now ${record.version}). Nothing was done.`,
      'Look at it again and decide anew.',
      'version',
    );
  return root;
}
