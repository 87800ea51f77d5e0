/** Ends one process of a script and nothing else: the hung child, so that the script itself can go on and clean up. */
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../../contract/errors.ts';
import type { Parsed } from '../../contract/methods.ts';
import { limits } from '../../domain/limits.ts';
import * as lines from '../../domain/lines.ts';
import type { Actor } from '../../domain/script.ts';
import type { ScriptRecord } from '../record.ts';
import type { VerbTools } from './request.ts';

const lookEveryMs = 20;

/** @throws UnjamError `unknown-ticket`, `other-process`, `not-possible`: nothing was done, or the process did not end */
export async function endProcess(
  { ticket, process, reason }: Parsed<'scripts.endProcess'>,
  actor: Actor,
  { control, register, killDisabled }: VerbTools,
): Promise<ScriptRecord> {
  const record = register.find(ticket);
  const { name } = record.spec;
  const scope = record.started?.scope ?? null;
  const members = scope === null ? [] : control.tree(scope);
  const member = members.find((m) => m.identity.pid === process.pid && m.identity.startTime === process.startTime);
  if (member === undefined)
    throw new UnjamError(
      'other-process',
      `PID ${process.pid} with that start time is not a process of "${name}". Nothing was done.`,
      'Look at the script again and repeat.',
      'process',
    );
  if (member.by === 'root')
    throw new UnjamError(
      'not-possible',
      `PID ${process.pid} is "${name}" itself: what it has started would stay behind. Nothing was done.`,
      'Use Force Kill, which ends the whole tree.',
      'process',
    );
  const { identity } = member;
  const note = (line: lines.Line): void => {
    register.append(record, { type: 'note', about: 'process-ended', actor }, line);
    register.refresh(record);
  };
  note(lines.processEndRequested(actor, identity, reason ?? null));
  if (killDisabled) {
    note(lines.killDisabled());
    return record;
  }
  const outcome = control.end(identity);
  const deadline = performance.now() + limits.settleMs;
  while (control.liveness(identity) !== 'dead' && performance.now() < deadline) await delay(lookEveryMs);
  if (control.liveness(identity) === 'dead') {
    note(lines.processEnded(identity));
    return record;
  }
  const line = lines.processNotEnded(identity, control.whyAlive(identity, outcome).detail);
  note(line);
  throw new UnjamError('not-possible', line.text, 'Use Force Kill, or Abandon if that fails.');
}
