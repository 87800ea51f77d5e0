/** Abandon: the mutex first, then everything else. Ends nothing, signals nothing, waits for nobody. */
import * as lines from '../domain/lines.ts';
import { placeOf } from '../domain/mutex.ts';
import type { Actor, VerdictRecord } from '../domain/script.ts';
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
}

/** Does nothing when the script has become final meanwhile: then its real verdict holds. */
export async function abandonScript(record: ScriptRecord, a: AbandonRequest): Promise<void> {
  const { spec, directory } = record;
  const at = Date.now();
  const base = {
    schema: 1,
    timeout: null,
    exitCode: null,
    signal: null,
    at,
    durationMs: null,
    actor: a.actor,
  } as const;

  if (a.mutex) {
    const before = placeOf(a.mutex.read(), spec.runId);
    if (before.kind === 'waits' && placeOf(await a.mutex.leave(spec.runId), spec.runId).kind === 'absent') {
      const verdict: VerdictRecord = { ...base, kind: 'cancelled', detail: 'abandoned while it waited; never started' };
      if (directory.writeVerdict(verdict) && spec.isolation)
        directory.append(
          'host',
          { type: 'final', verdict },
          lines.leftQueue(spec.isolation.mutex, a.actor, 'Abandon', at, a.reason),
        );
      return;
    }
  }

  const state = a.mutex ? await a.mutex.abandon(spec.runId, a.actor, a.reason, a.holdQueue) : null;
  const verdict: VerdictRecord = { ...base, kind: 'abandoned', detail: a.reason };
  if (!directory.writeVerdict(verdict)) return;
  const scope = record.started?.scope ?? directory.readStarted()?.scope ?? null;
  const left = scope ? a.control.tree(scope).map((m) => m.identity) : [];
  const mutexName = spec.isolation?.mutex ?? null;
  directory.writeAbandoned({
    schema: 1,
    actor: a.actor,
    reason: a.reason,
    at,
    holdQueue: a.holdQueue,
    mutex: mutexName,
    left,
    logBytes: record.logBytes(),
  });
  const facts = state && mutexName !== null ? mutexFacts(state, mutexName, spec.runId) : null;
  directory.append(
    'host',
    { type: 'abandoned', actor: a.actor, reason: a.reason, evidence: a.evidence },
    lines.abandoned({ actor: a.actor, at, reason: a.reason, left, mutex: facts, holdQueue: a.holdQueue }),
  );
  directory.append('host', { type: 'final', verdict });
}
