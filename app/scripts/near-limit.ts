/** Tells when a time limit is near: what there is to see of a script can be saved before its runner ends it. */
import type { ScriptSpec } from '../domain/script.ts';
import type { ScriptRecord } from './record.ts';

/** How long before the limit, ms: scripts are looked at each second, and saving evidence takes at most 4 s. */
const aheadMs = 5_000;
/** The same script is returned again after this time at the earliest, ms: it may come near its no-output limit many times. */
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
  readonly #returnedAt = new Map<string, number>();

  /** The running scripts that are near a limit now and were not returned in the last ten minutes. Counts wall-clock time; never throws. */
  look(records: readonly ScriptRecord[], now: number): ScriptRecord[] {
    const near = records.filter((record) => {
      const { spec, started, isFinal, life } = record;
      if (started === null || isFinal || life.cause !== null) return false;
      if (now < (this.#returnedAt.get(spec.runId) ?? -Infinity) + againMs) return false;
      const last = record.lastOutputAt();
      return isNear(spec.timeouts, now - started.startedAt, now - (last ?? started.startedAt), last !== null);
    });
    for (const runId of this.#returnedAt.keys())
      if (!records.some((r) => r.spec.runId === runId)) this.#returnedAt.delete(runId);
    for (const { spec } of near) this.#returnedAt.set(spec.runId, now);
    return near;
  }
}
