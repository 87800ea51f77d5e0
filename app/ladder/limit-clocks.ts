/** The overall, first output and no-output limits of one script, counted in active time. Pure: the driver feeds it its beats. */
import type { TimeLimit } from '../domain/life-events.ts';
import type { ScriptSpec } from '../domain/script.ts';

/** Half of a limit that is shorter is not announced: nobody could act on it. */
const announcedFromMs = 2_000;

export interface LimitNews {
  readonly reached: TimeLimit | null;
  /** Limits of which half is over, each told once; that of silence again after new output. */
  readonly half: readonly TimeLimit[];
}

export class LimitClocks {
  readonly #limits: ScriptSpec['timeouts'];
  #ranMs: number;
  #silentMs: number;
  #hasWritten: boolean;
  readonly #told = { overall: false, 'first-output': false, 'no-output': false };

  /** For one that is adopted: how long it has run, how long it has been silent, and whether it has written anything. */
  constructor(limits: ScriptSpec['timeouts'], ranMs = 0, silentMs = 0, hasWritten = false) {
    this.#limits = limits;
    this.#ranMs = ranMs;
    this.#silentMs = Math.min(silentMs, ranMs);
    this.#hasWritten = hasWritten;
    // The runner has told these already.
    this.#told.overall = limits.overallMs !== null && ranMs >= limits.overallMs / 2;
    this.#told['first-output'] = ranMs >= (limits.firstOutputMs ?? Infinity) / 2;
    this.#told['no-output'] = limits.noOutputMs !== null && this.#silentMs >= limits.noOutputMs / 2;
  }

  /** How often `beat` must be called, ms; null without limits. */
  get everyMs(): number | null {
    const { overallMs, firstOutputMs, noOutputMs } = this.#limits;
    const shortest = Math.min(overallMs ?? Infinity, firstOutputMs ?? Infinity, noOutputMs ?? Infinity);
    return shortest === Infinity ? null : Math.max(20, Math.min(1_000, Math.ceil(shortest / 20)));
  }

  beat(activeMs: number, hasWritten: boolean): LimitNews {
    this.#ranMs += activeMs;
    this.#silentMs = hasWritten ? 0 : this.#silentMs + activeMs;
    if (hasWritten) {
      this.#hasWritten = true;
      this.#told['no-output'] = false;
    }
    const { overallMs, firstOutputMs, noOutputMs } = this.#limits;
    const all = [
      ...(overallMs === null ? [] : [{ timeout: 'overall', limitMs: overallMs, passedMs: this.#ranMs } as const]),
      ...(firstOutputMs === undefined || this.#hasWritten
        ? []
        : [{ timeout: 'first-output', limitMs: firstOutputMs, passedMs: this.#ranMs } as const]),
      ...(noOutputMs === null
        ? []
        : [{ timeout: 'no-output', limitMs: noOutputMs, passedMs: this.#silentMs } as const]),
    ];
    const reached = all.find((l) => l.passedMs >= l.limitMs) ?? null;
    const half = all.filter(
      (l) => l.limitMs >= announcedFromMs && !this.#told[l.timeout] && l !== reached && l.passedMs >= l.limitMs / 2,
    );
    for (const l of half) this.#told[l.timeout] = true;
    return { reached, half };
  }
}
