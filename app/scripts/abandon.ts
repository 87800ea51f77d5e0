/** Abandon: the mutex first, then everything else. Ends nothing, signals nothing, waits for nobody. */
import { UnjamError } from '../contract/errors.ts';
import * as lines from '../domain/lines.ts';
import { type MutexState, placeOf } from '../domain/mutex.ts';
import { type Actor, type VerdictRecord, verdictOf } from '../domain/script.ts';
import type { Mutex } from '../locks/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { mutexFacts } from '../runner/index.ts';
import type { ScriptRecord } from './record.ts';

export interface AbandonRequest {
  readonly actor: Actor;
  readonly reason: string | null;
  readonly holdQueue: boolean;
  readonly evidence: readonly string[];
  readonly mutex: Mutex | null;
  readonly control: ProcessControl;
  /** Carries out a write that may need the space that is kept for it. */
  readonly withReserve: <T>(act: () => T | Promise<T>) => Promise<T>;
}

/**
 * Does nothing when the script has become final meanwhile: then its real verdict holds. Answers what could not be
 * written once the mutex was free and the verdict stood; the host completes that later.
 * @throws UnjamError `state-directory` when the disk refuses the release or the verdict; repeating it is safe.
 */
export async function abandonScript(record: ScriptRecord, a: AbandonRequest): Promise<string | null> {
  const { spec, directory } = record;
  const { mutex } = a;
  const at = Date.now();

  if (mutex) {
    const before = placeOf(mutex.read(), spec.runId);
    const left = before.kind === 'waits' ? await a.withReserve(() => mutex.leave(spec.runId)).catch(notReleased) : null;
    if (left && placeOf(left, spec.runId).kind === 'absent') {
      const detail = 'abandoned while it waited; never started';
      const verdict = verdictOf({ kind: 'cancelled', actor: a.actor, detail }, at);
      if ((await a.withReserve(() => directory.writeVerdict(verdict)).catch(noVerdict)) && spec.isolation)
        directory.append(
          'host',
          { type: 'final', verdict },
          lines.leftQueue(spec.isolation.mutex, a.actor, 'Abandon', at, a.reason),
        );
      return null;
    }
  }

  const state = mutex
    ? await a.withReserve(() => mutex.abandon(spec.runId, a.actor, a.reason, a.holdQueue)).catch(notReleased)
    : null;
  const verdict = verdictOf({ kind: 'abandoned', actor: a.actor, detail: a.reason }, at);
  if (!(await a.withReserve(() => directory.writeVerdict(verdict)).catch(noVerdict))) return null;
  try {
    note(record, verdict, a.control, { state, holdQueue: a.holdQueue, evidence: a.evidence });
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

/** Writes what an abandon could not write, or what the host that began it had no time for. */
export function finishAbandon(record: ScriptRecord, control: ProcessControl): void {
  const { verdict } = record;
  if (verdict?.kind !== 'abandoned') return;
  try {
    note(record, verdict, control, { state: null, holdQueue: false, evidence: [] });
  } catch {
    // The next look tries again.
  }
}

function note(
  record: ScriptRecord,
  verdict: VerdictRecord,
  control: ProcessControl,
  more: { readonly state: MutexState | null; readonly holdQueue: boolean; readonly evidence: readonly string[] },
): void {
  const { spec, directory } = record;
  const { state, holdQueue, evidence } = more;
  const { at, detail: reason } = verdict;
  const actor = verdict.actor ?? { user: 'unjam', via: 'unjam' };
  const scope = record.started?.scope ?? directory.readStarted()?.scope ?? null;
  const left = scope ? control.tree(scope).map((m) => m.identity) : [];
  const mutex = spec.isolation?.mutex ?? null;
  directory.writeAbandoned({ schema: 1, actor, reason, at, holdQueue, mutex, left, logBytes: record.logBytes() });
  const place = state === null ? null : placeOf(state, spec.runId);
  const facts =
    state !== null && place?.kind === 'abandoned' && mutex !== null ? mutexFacts(state, mutex, place.hold) : null;
  directory.append(
    'host',
    { type: 'abandoned', actor, reason, evidence },
    lines.abandoned({ actor, at, reason, left, mutex: facts, holdQueue }),
  );
  directory.append('host', { type: 'final', verdict });
}
