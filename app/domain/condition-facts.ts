/** What is measured of a script, and what follows from it alone. */
import type { Estimate, Usual } from './estimate.ts';
import type { Stage } from './life.ts';
import type { Actor, ScriptState, VerdictRecord } from './script.ts';

/** All in ms unless named otherwise. */
export interface Thresholds {
  readonly silentMs: number;
  readonly busyCpuPercent: number;
  readonly overdueFactor: number;
  readonly overdueMinMs: number;
  readonly overdueMinRuns: number;
}

export const defaultThresholds: Thresholds = {
  silentMs: 600_000,
  busyCpuPercent: 1,
  overdueFactor: 3,
  overdueMinMs: 1_800_000,
  overdueMinRuns: 5,
};

/** What was measured over the last minute for the whole tree. */
export interface Health {
  readonly windowMs: number;
  readonly cpuMs: number;
  /** Null where the platform cannot tell. */
  readonly ioBytes: number | null;
  readonly processes: number;
}

export interface ConditionFacts {
  readonly now: number;
  readonly state: ScriptState;
  readonly stage: Stage;
  /** Who asked it to stop, while it is being stopped. */
  readonly stoppedBy?: Actor | null;
  readonly verdict: VerdictRecord | null;
  readonly pid: number | null;
  readonly mutex: string | null;
  readonly holdsMutex: boolean;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly lastOutputAt: number | null;
  readonly blocks: number;
  readonly waiting: {
    readonly position: number;
    readonly of: number;
    readonly paused: boolean;
    /** When it will probably start; null when earlier runs do not tell. */
    readonly estimate: Estimate | null;
    /** `queued`: it waits itself, to run alone, and is ahead; `heldMs` is how long it has waited then. */
    readonly holder: {
      readonly name: string;
      readonly heldMs: number;
      readonly stuck: boolean;
      readonly queued?: true;
    } | null;
  } | null;
  readonly orphan: boolean;
  readonly orphanEndedAt: number | null;
  readonly abandoned: { readonly at: number; readonly by: Actor } | null;
  readonly health: Health | null;
  readonly usual: Usual | null;
  readonly thresholds: Thresholds;
  /** How long the machine slept since the last output and since the start: neither is silence nor run time. */
  readonly asleep?: { readonly sinceOutputMs: number; readonly sinceStartMs: number };
}

export function silentFor(f: ConditionFacts): number | null {
  if (f.startedAt === null) return null;
  return Math.max(0, f.now - Math.max(f.lastOutputAt ?? 0, f.startedAt) - (f.asleep?.sinceOutputMs ?? 0));
}

/** Null when nothing was measured yet: then nobody may be called silent *and not busy*. */
export function isBusy(f: ConditionFacts): boolean | null {
  if (f.health === null) return null;
  return (f.health.ioBytes ?? 0) > 0 || f.health.cpuMs > (f.health.windowMs * f.thresholds.busyCpuPercent) / 100;
}

export function overdueBy(f: ConditionFacts): number | null {
  if (f.startedAt === null || f.usual === null || f.usual.runs < f.thresholds.overdueMinRuns) return null;
  const limit = Math.max(f.thresholds.overdueFactor * f.usual.medianMs, f.thresholds.overdueMinMs);
  const over = f.now - f.startedAt - (f.asleep?.sinceStartMs ?? 0) - limit;
  return over > 0 ? over : null;
}
