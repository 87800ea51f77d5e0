/**
 * When a toast is due: a pure reducer over snapshots. The bounds are those of ui.md 3.9: at most one toast per mutex in
 * 10 minutes and 6 an hour, the last of which is always a digest, however much the scripts flap.
 */
import type { MutexView, ScriptView, Snapshot } from '../app/contract/methods.ts';
import {
  digestToast,
  orphanExitedToast,
  releasedToast,
  scriptToast,
  type Level,
  type Toast,
} from './notification-texts.ts';

const rules = {
  waitsBeforeToastMs: 120_000,
  hourMs: 3_600_000,
  singlesPerHour: 5,
  repeatMs: 1_800_000,
  snoozeMs: 1_800_000,
  /** Nothing is reported right after the machine woke up: every clock looks late then. */
  quietAfterResumeMs: 60_000,
} as const;

/** What a person wants to hear of, from the settings. */
export interface Wishes {
  /** A stuck script blocks others. */
  readonly stuck: boolean;
  /** Cancel was ignored, or a process cannot be ended. */
  readonly unkillable: boolean;
  readonly orphanExited: boolean;
  readonly perMutexMs: number;
  /** Minutes of the day; null = no quiet hours. */
  readonly quiet: { readonly from: number; readonly to: number } | null;
}

export type Pause =
  | { readonly kind: 'none' }
  | { readonly kind: 'for'; readonly ms: number }
  | { readonly kind: 'until-morning' }
  | { readonly kind: 'until-new' };

interface Told {
  readonly level: Level;
  readonly at: number;
  readonly mutex: string;
  readonly name: string;
  /** In a digest, so there is no toast of its own to take back. */
  readonly digest: boolean;
}

export interface NotifierState {
  readonly told: ReadonlyMap<string, Told>;
  readonly mutexAt: ReadonlyMap<string, number>;
  readonly singles: readonly number[];
  readonly digestAt: number;
  readonly snoozed: ReadonlyMap<string, number>;
  readonly quietUntil: number;
  /** Tickets that are not new, while notifications are paused until something new is stuck. */
  readonly known: ReadonlySet<string> | null;
  /** Tickets of the orphans that lived at the last look. */
  readonly orphans: ReadonlySet<string>;
}

export type Effect = { readonly do: 'show'; readonly toast: Toast } | { readonly do: 'withdraw'; readonly id: string };

export const nothingTold: NotifierState = {
  told: new Map(),
  mutexAt: new Map(),
  singles: [],
  digestAt: -Infinity,
  snoozed: new Map(),
  quietUntil: -Infinity,
  known: null,
  orphans: new Set(),
};

interface Candidate {
  readonly script: ScriptView;
  readonly mutex: MutexView;
  readonly level: Level;
}

export function observe(
  before: NotifierState,
  snapshot: Snapshot,
  now: number,
  wishes: Wishes,
): { state: NotifierState; effects: Effect[] } {
  const troubles = troublesOf(snapshot, now, wishes);
  const told = new Map(before.told);
  const mutexAt = new Map([...before.mutexAt].filter(([, at]) => now - at < wishes.perMutexMs));
  const singles = before.singles.filter((at) => now - at < rules.hourMs);
  const snoozed = new Map([...before.snoozed].filter(([, until]) => until > now));
  let digestAt = before.digestAt;
  let known = before.known;
  const effects: Effect[] = [];
  const quiet = now < before.quietUntil || isQuietHour(now, wishes.quiet);
  const hasRoom = (mutex: string) => !mutexAt.has(mutex) && singles.length < rules.singlesPerHour;
  const spend = (mutex: string) => {
    mutexAt.set(mutex, now);
    singles.push(now);
  };

  for (const [ticket, was] of before.told) {
    if (troubles.has(ticket)) continue;
    told.delete(ticket);
    if (was.digest) continue;
    const mutex = snapshot.mutexes.find((m) => m.name === was.mutex);
    const released = mutex?.holders.some((holder) => holder.ticket === ticket) !== true;
    if (released && !quiet && known === null && hasRoom(was.mutex)) {
      spend(was.mutex);
      effects.push({ do: 'show', toast: releasedToast(ticket, was.mutex, mutex) });
    } else effects.push({ do: 'withdraw', id: ticket });
  }

  const due = [...troubles.values()].filter(({ script, level }) => {
    const was = told.get(script.ticket);
    if (snoozed.has(script.ticket)) return false;
    if (was === undefined || level > was.level) return true;
    return level === 1 && was.level === 1 && now - was.at >= rules.repeatMs;
  });
  if (known !== null && due.some(({ script }) => known?.has(script.ticket) === false)) known = null;
  if (quiet || known !== null) due.length = 0;
  due.sort(
    (a, b) => b.level - a.level || b.script.blocks - a.script.blocks || (a.script.ticket < b.script.ticket ? -1 : 1),
  );

  const orphans = new Set(snapshot.scripts.filter((script) => script.orphan).map((script) => script.ticket));
  if (wishes.orphanExited && !quiet && known === null)
    for (const script of snapshot.scripts) {
      if (!before.orphans.has(script.ticket) || script.orphan || singles.length >= rules.singlesPerHour) continue;
      singles.push(now);
      effects.push({ do: 'show', toast: orphanExitedToast(script) });
    }

  const rest: Candidate[] = [];
  for (const candidate of due) {
    const { script, mutex, level } = candidate;
    if (!hasRoom(mutex.name)) {
      // Only what nobody has been told about at all belongs into a digest; the rest waits for its mutex.
      if (!mutexAt.has(mutex.name) && !told.has(script.ticket)) rest.push(candidate);
      continue;
    }
    spend(mutex.name);
    told.set(script.ticket, { level, at: now, mutex: mutex.name, name: script.name, digest: false });
    effects.push({ do: 'show', toast: scriptToast(script, mutex, level, now) });
  }
  if (rest.length > 0 && now - digestAt >= rules.hourMs) {
    digestAt = now;
    for (const { script, mutex, level } of rest) {
      told.set(script.ticket, { level, at: now, mutex: mutex.name, name: script.name, digest: true });
      mutexAt.set(mutex.name, now);
    }
    effects.push({ do: 'show', toast: digestToast(rest.length) });
  }
  return {
    state: { told, mutexAt, singles, digestAt, snoozed, quietUntil: before.quietUntil, known, orphans },
    effects,
  };
}

/** One script is silent for half an hour; its mutex and the others are not. */
export function snooze(state: NotifierState, ticket: string, now: number): NotifierState {
  return { ...state, snoozed: new Map([...state.snoozed, [ticket, now + rules.snoozeMs]]) };
}

export function pause(state: NotifierState, how: Pause, snapshot: Snapshot | null, now: number): NotifierState {
  switch (how.kind) {
    case 'none':
      return { ...state, quietUntil: -Infinity, known: null };
    case 'for':
      return { ...state, quietUntil: now + how.ms };
    case 'until-morning':
      return { ...state, quietUntil: nextMorning(now) };
    case 'until-new':
      return {
        ...state,
        known: new Set(snapshot?.scripts.filter((script) => script.stuck).map((script) => script.ticket)),
      };
  }
}

export function resumed(state: NotifierState, now: number): NotifierState {
  return { ...state, quietUntil: Math.max(state.quietUntil, now + rules.quietAfterResumeMs) };
}

export function isPaused(state: NotifierState, now: number): boolean {
  return state.known !== null || state.quietUntil - now > rules.quietAfterResumeMs;
}

/** Why no toast of the rules would be shown at this moment; null when one would. */
export function whyQuiet(state: NotifierState, now: number, wishes: Wishes): string | null {
  if (isPaused(state, now)) return 'Notifications are paused. Resume them in the menu of the icon.';
  if (now < state.quietUntil) return 'The machine woke up less than a minute ago; no notification is shown until then.';
  return isQuietHour(now, wishes.quiet) ? 'These are quiet hours: no notification is shown now.' : null;
}

/** 08:00 of the machine's own zone. */
function nextMorning(now: number): number {
  const eight = new Date(now);
  eight.setHours(8, 0, 0, 0);
  if (eight.getTime() <= now) eight.setDate(eight.getDate() + 1);
  return eight.getTime();
}

/** On the clock of the machine that shows the toasts; from 22:00 to 07:00 goes over midnight. */
function isQuietHour(now: number, quiet: Wishes['quiet']): boolean {
  if (quiet === null) return false;
  const at = new Date(now);
  const minute = at.getHours() * 60 + at.getMinutes();
  return quiet.from <= quiet.to ? minute >= quiet.from && minute < quiet.to : minute >= quiet.from || minute < quiet.to;
}

function troublesOf(snapshot: Snapshot, now: number, wishes: Wishes): Map<string, Candidate> {
  const found = new Map<string, Candidate>();
  const mutexes = new Map(snapshot.mutexes.map((mutex) => [mutex.name, mutex]));
  for (const script of snapshot.scripts) {
    const mutex = script.mutex === null ? undefined : mutexes.get(script.mutex);
    if (!script.stuck || script.blocks === 0 || mutex === undefined) continue;
    const measured = levelOf(script);
    const level = measured > 1 && !wishes.unkillable ? 1 : measured;
    if (level === 1 && !wishes.stuck) continue;
    const oldest = Math.min(...mutex.waiters.map((waiter) => Date.parse(waiter.since)));
    if (level > 1 || now - oldest >= rules.waitsBeforeToastMs) found.set(script.ticket, { script, mutex, level });
  }
  return found;
}

function levelOf(script: ScriptView): Level {
  if (script.state === 'unkillable') return 3;
  return script.condition.key === 'cancel-ignored' ? 2 : 1;
}
