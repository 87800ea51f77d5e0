/** What stays on disk of an Abandon: who released the mutex of a living script, and who was left. */
import * as lines from '../../domain/lines.ts';
import { type MutexState, placeOf } from '../../domain/mutex.ts';
import { unjam, type VerdictRecord } from '../../domain/script.ts';
import { mutexFacts } from '../../ladder/mutex-facts.ts';
import type { ProcessControl } from '../../processes/index.ts';
import type { ScriptRecord } from '../record.ts';

/** Writes what an abandon could not write, or what the host that began it had no time for. */
export function finishAbandon(record: ScriptRecord, control: ProcessControl): void {
  const { verdict } = record;
  if (verdict?.kind !== 'abandoned') return;
  try {
    recordAbandon(record, verdict, control, { state: null, holdQueue: false, evidence: [] });
  } catch {
    // The next look tries again.
  }
}

export function recordAbandon(
  record: ScriptRecord,
  verdict: VerdictRecord,
  control: ProcessControl,
  more: { readonly state: MutexState | null; readonly holdQueue: boolean; readonly evidence: readonly string[] },
): void {
  const { spec, directory } = record;
  const { state, holdQueue, evidence } = more;
  const { at, detail: reason } = verdict;
  const actor = verdict.actor ?? unjam;
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
