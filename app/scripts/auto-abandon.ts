/**
 * Abandons by itself what nobody could end for long: off unless an operator or administrator has switched it on
 * (supervision.md "Verbs"; Tentacle's escalation after two minutes). It ends nothing; the next in line runs beside it.
 */
import { longDuration } from '../domain/durations.ts';
import type { ScriptRecord } from './record.ts';

export class AutoAbandon {
  /** When this host first saw that its grace was over, monotonic ms: no clock that is set, and no sleep, makes it early. */
  readonly #begunAt = new Map<ScriptRecord, number>();

  /** Of `living`, those that have outlived the end that was begun by `afterMs`, each with the reason; null = off. */
  due(living: readonly ScriptRecord[], afterMs: number | null): readonly (readonly [ScriptRecord, string])[] {
    if (afterMs === null) {
      this.#begunAt.clear();
      return [];
    }
    const now = performance.now();
    const ending = living.filter(isBeingEnded);
    for (const known of this.#begunAt.keys()) if (!ending.includes(known)) this.#begunAt.delete(known);
    for (const record of ending) if (!this.#begunAt.has(record)) this.#begunAt.set(record, now);
    return ending
      .filter((record) => now - (this.#begunAt.get(record) ?? now) >= afterMs)
      .map((record) => [record, `${triedText(record)} has not ended it for ${longDuration(afterMs)}`]);
  }
}

/** Neither one that waits nor one that still has time to exit. */
function isBeingEnded({ isFinal, progress: { begun, stage } }: ScriptRecord): boolean {
  if (isFinal || begun === null || stage.kind === 'queued') return false;
  return stage.kind !== 'cancelling' || stage.until <= Date.now();
}

function triedText({ progress }: ScriptRecord): string {
  switch (progress.begun?.kind) {
    case 'killed':
      return 'Force Kill';
    case 'timed-out':
      return 'its time limit';
    default:
      return 'Cancel';
  }
}
