/** Abandon: the mutex first, then everything else. Ends nothing, signals nothing, waits for nobody. */
import { UnjamError } from '../../contract/errors.ts';
import type { Parsed } from '../../contract/methods.ts';
import { longDuration } from '../../domain/durations.ts';
import * as lines from '../../domain/lines.ts';
import { placeOf } from '../../domain/mutex.ts';
import { isFleetMutex } from '../../domain/names.ts';
import { type Actor, actsFromView, unjam, verdictOf } from '../../domain/script.ts';
import type { ScriptRecord } from '../record.ts';
import { recordAbandon } from './abandon-record.ts';
import { checkAimed, checkTarget, type VerbTools } from './request.ts';

interface AbandonRequest {
  readonly actor: Actor;
  readonly reason: string | null;
  readonly holdQueue: boolean;
}

/** @throws UnjamError `unknown-ticket`, `bad-input`, `other-process`, `stale-version`, `wrong-confirmation`, `state-directory` */
export async function abandon(input: Parsed<'scripts.abandon'>, actor: Actor, tools: VerbTools): Promise<ScriptRecord> {
  const record = tools.register.find(input.ticket);
  if (record.isFinal) return record;
  checkAimed(record, input, actor);
  const target = checkTarget(record, input);
  if (actsFromView(actor) && target !== null && input.confirmPid !== target.pid)
    throw new UnjamError(
      'wrong-confirmation',
      `${input.confirmPid ?? 'Nothing'} is not this script's PID (${target.pid}).`,
      'Type the PID that the row shows.',
      'confirmPid',
    );
  await abandonNow(record, { actor, reason: input.reason ?? null, holdQueue: input.holdQueue ?? false }, tools);
  return record;
}

/** Whoever decides it: an operator, or the host by its setting. */
export async function abandonNow(record: ScriptRecord, request: AbandonRequest, tools: VerbTools): Promise<void> {
  const undone = await release(record, request, tools);
  if (undone !== null)
    tools.log(
      `W398 ${record.spec.ticket} is abandoned; its record is not complete yet: ${undone}. It will be tried again.`,
      { ticket: record.spec.ticket },
    );
  tools.register.refresh(record);
}

/**
 * Does nothing when the script has become final meanwhile: then its real verdict holds. Answers what could not be
 * written once the mutex was free and the verdict stood; the host completes that later.
 * @throws UnjamError `state-directory` when the disk refuses the release or the verdict; repeating it is safe.
 */
async function release(record: ScriptRecord, a: AbandonRequest, tools: VerbTools): Promise<string | null> {
  const { spec, directory } = record;
  const { spend } = tools.reserve;
  const mutex = tools.mutexOf(record);
  const evidence = tools.evidence(record);
  const at = Date.now();

  if (mutex) {
    const before = placeOf(mutex.read(), spec.runId);
    const left = before.kind === 'waits' ? await spend(() => mutex.leave(spec.runId)).catch(notReleased) : null;
    if (left && placeOf(left, spec.runId).kind === 'absent') {
      const detail = 'abandoned while it waited; never started';
      const verdict = verdictOf({ kind: 'cancelled', actor: a.actor, detail }, at);
      if ((await spend(() => directory.writeVerdict(verdict)).catch(noVerdict)) && spec.isolation)
        directory.append(
          'host',
          { type: 'final', verdict },
          lines.leftQueue(spec.isolation.mutex, a.actor, 'Abandon', at, a.reason),
        );
      return null;
    }
  }

  const scope = record.started?.scope;
  const living = scope ? tools.control.tree(scope).map((m) => m.identity) : [];
  const state = mutex
    ? await spend(() => mutex.abandon(spec.runId, a.actor, a.reason, a.holdQueue, living)).catch(notReleased)
    : null;
  const verdict = verdictOf({ kind: 'abandoned', actor: a.actor, detail: a.reason }, at);
  if (!(await spend(() => directory.writeVerdict(verdict)).catch(noVerdict))) return null;
  try {
    recordAbandon(record, verdict, tools.control, { state, holdQueue: a.holdQueue, evidence });
    return null;
  } catch (error) {
    return (error as Error).message;
  }

  function notReleased(error: Error): never {
    throw new UnjamError(
      'state-directory',
      `Mutex "${spec.isolation?.mutex ?? ''}" could not be released: ${error.message}. Nothing was changed.`,
      'Free space or correct the rights of the state directory, and abandon it again.',
    );
  }
  function noVerdict(error: Error): never {
    throw new UnjamError(
      'state-directory',
      `${mutex ? 'The mutex is released, but the' : 'The'} verdict could not be written: ${error.message}.`,
      'Free space or correct the rights of the state directory, and abandon it again: that is safe.',
    );
  }
}

/** Where an operator or a policy has switched it on: what could not be ended for that long loses its mutex. Null = never. */
export async function abandonOverdue(
  records: readonly ScriptRecord[],
  afterMs: number | null,
  tools: VerbTools,
  before: (ticket: string) => Promise<void>,
): Promise<void> {
  if (afterMs === null) return;
  const overdue = records.filter((record) => !record.isFinal && (record.overdueMs() ?? -1) >= afterMs);
  await Promise.all(overdue.map(({ spec }) => before(spec.ticket)));
  for (const record of overdue) {
    // What was done before took its time: the script may have ended.
    if (record.isFinal || record.life.cause === null) continue;
    const reason = `${lines.triedText(record.life.cause.kind)} has not ended it for ${longDuration(afterMs)}`;
    await abandonNow(record, { actor: unjam, reason, holdQueue: false }, tools).catch((error: Error) =>
      tools.log(`W396 ${record.spec.ticket} could not be abandoned automatically: ${error.message}`, {
        ticket: record.spec.ticket,
      }),
    );
  }
}

/** What a person took from a script at the engine of the fleet, because this host was not to be reached. */
export async function abandonedElsewhere(records: readonly ScriptRecord[], tools: VerbTools): Promise<void> {
  for (const record of records) {
    const { isolation, runId } = record.spec;
    if (record.isFinal || isolation === null || !isFleetMutex(isolation.mutex)) continue;
    const mutex = tools.mutexOf(record);
    const place = mutex && placeOf(mutex.read(), runId);
    if (place?.kind !== 'abandoned') continue;
    await abandonNow(record, { actor: place.hold.by, reason: place.hold.reason, holdQueue: false }, tools).catch(
      (error: Error) =>
        tools.log(`W396 That ${record.spec.ticket} was abandoned could not be written: ${error.message}`, {
          ticket: record.spec.ticket,
        }),
    );
  }
}
