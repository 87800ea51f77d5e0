/** Force Kill: ends the whole tree, also what an abandoned or finished script has left running. */
import { UnjamError } from '../../contract/errors.ts';
import type { Parsed } from '../../contract/methods.ts';
import * as lines from '../../domain/lines.ts';
import type { Actor } from '../../domain/script.ts';
import type { ScriptRecord } from '../record.ts';
import { ask, checkAimed, checkTarget, type VerbTools } from './request.ts';

/** @throws UnjamError `unknown-ticket`, `bad-input`, `other-process`, `stale-version`, `not-possible`, `state-directory` */
export async function kill(input: Parsed<'scripts.kill'>, actor: Actor, tools: VerbTools): Promise<ScriptRecord> {
  const { register, control } = tools;
  const record = register.find(input.ticket);
  const scope = record.started?.scope ?? null;
  const left = record.isFinal && !record.isOrphan && scope !== null ? control.tree(scope) : [];
  if (record.isFinal && !record.isOrphan && left.length === 0) return record;
  checkAimed(record, input, actor);
  try {
    checkTarget(record, input);
  } catch (error) {
    // Somebody was about to end a stranger: that stays in the script's log.
    if (input.process && error instanceof UnjamError && error.code === 'other-process')
      register.append(
        record,
        { type: 'note' },
        lines.killRefused(actor, Date.now(), input.process, scope?.root ?? null),
      );
    throw error;
  }
  await ask(record, { verb: 'kill', actor, reason: input.reason ?? null }, tools);
  return record;
}
