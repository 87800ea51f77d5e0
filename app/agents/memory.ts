/** What an observed script did from look to look: when it last wrote, and when it last used the processor. Pure. */
import { keyOf } from './known.ts';
import type { ObservedScript } from './observed-script.ts';

export interface Watched {
  readonly script: ObservedScript;
  readonly firstSeenAt: number;
  readonly lookedAt: number;
  readonly looks: number;
  /** Size of the log, and when it last grew; the time is null while that is not known. */
  readonly log: { readonly path: string; readonly bytes: number; readonly grewAt: number | null } | null;
  /** CPU time of each member at the last look, by `keyOf`. */
  readonly cpu: ReadonlyMap<string, number>;
  /** When the members together last used more than 1 % of one core between two looks. */
  readonly workedAt: number;
  /** CPU time between the last two looks; null before there were two. */
  readonly recent: { readonly cpuMs: number; readonly windowMs: number } | null;
  readonly goneAt: number | null;
}

export type Memory = ReadonlyMap<string, Watched>;

const goneKeptMs = 10_000;
const busyShare = 0.01;

export function remember(before: Memory, scripts: readonly ObservedScript[], now: number): Memory {
  const after = new Map<string, Watched>();
  for (const script of scripts) after.set(script.id, next(before.get(script.id), script, now));
  for (const [id, known] of before) {
    if (after.has(id)) continue;
    const goneAt = known.goneAt ?? now;
    if (now - goneAt < goneKeptMs && isShown(known, now)) after.set(id, { ...known, goneAt });
  }
  return after;
}

/** The same after the clock of the machine was set, or the machine slept, for `ms`: nobody was silent meanwhile. */
export function shifted(memory: Memory, ms: number): Memory {
  const moved = <T extends number | null>(at: T): T => (at === null ? at : ((at + ms) as T));
  return new Map(
    [...memory].map(([id, w]) => [
      id,
      {
        ...w,
        firstSeenAt: moved(w.firstSeenAt),
        lookedAt: moved(w.lookedAt),
        log: w.log && { ...w.log, grewAt: moved(w.log.grewAt) },
        workedAt: moved(w.workedAt),
        goneAt: moved(w.goneAt),
      },
    ]),
  );
}

function next(known: Watched | undefined, script: ObservedScript, now: number): Watched {
  const cpu = new Map(script.members.map((m) => [keyOf(m.identity), m.cpuMs ?? 0]));
  const { log } = script;
  if (known === undefined || known.goneAt !== null)
    return {
      script,
      firstSeenAt: now,
      lookedAt: now,
      looks: 1,
      // The heartbeat of Jenkins changes the time of a log that does not grow: only growth counts.
      log: log?.file == null ? null : { path: log.path, bytes: log.file.bytes, grewAt: firstGrowth(script) },
      cpu,
      workedAt: now,
      recent: null,
      goneAt: null,
    };
  // Members that have ended keep their last value, so that the turnover of short children counts as work.
  let cpuMs = 0;
  for (const [key, value] of cpu) cpuMs += Math.max(0, value - (known.cpu.get(key) ?? 0));
  const windowMs = Math.max(1, now - known.lookedAt);
  const isNew = [...cpu.keys()].some((key) => !known.cpu.has(key));
  const grew = log?.file != null && (known.log?.path !== log.path || log.file.bytes !== known.log.bytes);
  return {
    script: detailed(known.script, script),
    firstSeenAt: known.firstSeenAt,
    lookedAt: now,
    looks: known.looks + 1,
    log:
      log?.file == null
        ? known.log
        : { path: log.path, bytes: log.file.bytes, grewAt: grew ? now : (known.log?.grewAt ?? null) },
    cpu,
    workedAt: isNew || cpuMs > busyShare * windowMs ? now : known.workedAt,
    recent: { cpuMs, windowMs },
    goneAt: null,
  };
}

const firstGrowth = ({ recogniser, log }: ObservedScript): number | null =>
  recogniser.key === 'jenkins' ? null : (log?.file?.changedAt ?? null);

/** A title only gains detail: what a child knew is not lost when the child ends. */
function detailed(before: ObservedScript, now: ObservedScript): ObservedScript {
  const rank = (s: ObservedScript): number => Object.keys(s.fields).length;
  return rank(before) > rank(now) ? { ...now, title: before.title, fields: before.fields } : now;
}

const settledMs = 5_000;

/** A process of a moment is not worth a row. */
export function isShown(w: Watched, now: number): boolean {
  return w.looks >= 2 || now - w.script.root.identity.startedAt >= settledMs;
}
