/** Tells when a time limit is near: what there is to see of a script can be saved before its runner ends it. */
import type { ScriptSpec } from '../domain/script.ts';
import type { ScriptRecord } from './record.ts';

/** How long before the limit, ms: what is done then takes at most 2 s, and scripts are looked at each second. */
const aheadMs = 5_000;
/** A script that keeps writing just before its limit of silence is told of no more often than this, ms. */
const againMs = 600_000;

/** Whether a script meets one of its limits within 5 s, if it writes nothing more. A limit below 10 s is never near. */
export function isNear(limits: ScriptSpec['timeouts'], ranMs: number, silentMs: number, hasWritten: boolean): boolean {
  const { overallMs, firstOutputMs, noOutputMs } = limits;
  const all = [
    { limitMs: overallMs, passedMs: ranMs },
    { limitMs: hasWritten ? null : firstOutputMs, passedMs: ranMs },
    { limitMs: noOutputMs, passedMs: silentMs },
  ];
  return all.some(({ limitMs, passedMs }) => {
    const leftMs = (limitMs ?? 0) - passedMs;
    return (limitMs ?? 0) >= 2 * aheadMs && leftMs > 0 && leftMs <= aheadMs;
  });
}

export class NearLimits {
  readonly #told = new Map<string, number>();

  /** The running scripts that are near a limit now and were not told before. Counts wall-clock time; never throws. */
  look(records: readonly ScriptRecord[], now: number): ScriptRecord[] {
    const near = records.filter((record) => {
      const { spec, started, isFinal, life } = record;
      if (started === null || isFinal || life.cause !== null) return false;
      if (now < (this.#told.get(spec.runId) ?? -Infinity) + againMs) return false;
      const last = record.lastOutputAt();
      return isNear(spec.timeouts, now - started.startedAt, now - (last ?? started.startedAt), last !== null);
    });
    for (const runId of this.#told.keys()) if (!records.some((r) => r.spec.runId === runId)) this.#told.delete(runId);
    for (const { spec } of near) this.#told.set(spec.runId, now);
    return near;
  }
}
