/** "I am on it": tells everybody who looks after a script, for an hour or until it ends. It keeps nobody from anything. */
import { UnjamError } from '../../contract/errors.ts';
import type { Parsed } from '../../contract/methods.ts';
import { limits } from '../../domain/limits.ts';
import * as lines from '../../domain/lines.ts';
import type { Actor } from '../../domain/script.ts';
import type { ScriptRecord } from '../record.ts';
import type { VerbTools } from './request.ts';

/** Whoever says it last is on it. @throws UnjamError `unknown-ticket`, `not-possible` */
export function take(
  { ticket, release = false }: Parsed<'scripts.take'>,
  actor: Actor,
  { register }: VerbTools,
): ScriptRecord {
  const record = register.find(ticket);
  if (record.isFinal && !record.isOrphan)
    throw new UnjamError(
      'not-possible',
      `"${record.spec.name}" has ended; nobody needs to be on it.`,
      'Look at its log.',
      'ticket',
    );
  const now = Date.now();
  if (release && record.taken(now) === null) return record;
  const until = release ? null : now + limits.takenMs;
  const line = until === null ? lines.givenBack(actor) : lines.taken(actor, until);
  register.append(record, { type: 'note', about: 'taken', actor, until }, line);
  register.refresh(record);
  return record;
}
