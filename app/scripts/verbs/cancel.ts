/** Cancel: asks the script to stop; what happens then is the lifecycle table's. */
import { UnjamError } from '../../contract/errors.ts';
import type { Parsed } from '../../contract/methods.ts';
import { type Actor, actsFromView } from '../../domain/script.ts';
import type { ScriptRecord } from '../record.ts';
import { ask, checkTarget, type VerbTools } from './request.ts';

/** Whether what is left after the grace period will be ended: people at a console decide that for themselves. */
export const forces = ({ escalate, signal }: Parsed<'scripts.cancel'>, actor: Actor): boolean =>
  signal === 'SIGKILL' || (escalate ?? !actsFromView(actor));

/** @throws UnjamError `unknown-ticket`, `other-process`, `stale-version`, `not-possible`, `state-directory` */
export async function cancel(input: Parsed<'scripts.cancel'>, actor: Actor, tools: VerbTools): Promise<ScriptRecord> {
  const record = tools.register.find(input.ticket);
  if (record.isFinal && !record.isOrphan) return record;
  checkTarget(record, input);
  if (record.isOrphan)
    throw new UnjamError(
      'not-possible',
      `"${record.spec.name}" was abandoned; Cancel cannot be used on an orphan.`,
      'Use Force Kill on it, or leave it.',
    );
  await ask(
    record,
    {
      verb: 'cancel',
      actor,
      reason: input.reason ?? null,
      signal: input.signal ?? null,
      graceMs: input.graceMs ?? null,
      escalate: forces(input, actor),
    },
    tools,
  );
  return record;
}
