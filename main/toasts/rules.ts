/**
 * Decides when a toast is due: a pure reducer over snapshots. However much the scripts flap, a person gets at most one
 * toast per mutex in 10 minutes and 6 an hour.
 */
import type { ScriptView, Snapshot } from '../../app/contract/methods.ts';
import { observedRow } from '../../app/domain/observed-row.ts';
import { observedToast, orphanExitedToast, releasedToast, scriptToast, type Level, type Toast } from './texts.ts';

const rules = {
  waitsBeforeToastMs: 120_000,
  perMutexMs: 600_000,
  hourMs: 3_600_000,
  mostPerHour: 6,
  repeatMs: 1_800_000,
  /** Right after the machine woke up every clock looks late, so nothing is reported yet. */
  quietAfterWakeMs: 60_000,
} as const;

/** Which toasts a person wants, from the settings. */
export interface Wishes {
  /** A stuck script blocks others. */
  readonly stuck: boolean;
  readonly orphanExited: boolean;
}

interface Told {
  readonly level: Level;
  readonly at: number;
  /** Of toasts about one topic there are few: the name of a mutex, or an agent. */
  readonly topic: string;
  readonly isObserved: boolean;
}

export interface NotifierState {
  readonly told: ReadonlyMap<string, Told>;
  readonly mutexAt: ReadonlyMap<string, number>;
  /** When toasts were shown in the last hour. */
  readonly shownAt: readonly number[];
  /** Until when the person has paused notifications; -Infinity = not paused. */
  readonly pausedUntil: number;
  readonly wakingUntil: number;
  /** Tickets of the orphans that were alive at the last look. */
  readonly orphans: ReadonlySet<string>;
}

export type Effect = { readonly do: 'show'; readonly toast: Toast } | { readonly do: 'withdraw'; readonly id: string };

export const nothingTold: NotifierState = {
  told: new Map(),
  mutexAt: new Map(),
  shownAt: [],
  pausedUntil: -Infinity,
  wakingUntil: -Infinity,
  orphans: new Set(),
};

interface Candidate {
  readonly script: ScriptView;
  readonly level: Level;
  readonly topic: string;
  readonly isObserved: boolean;
  readonly toast: Toast;
}

export function observe(
  before: NotifierState,
  snapshot: Snapshot,
  now: number,
  wishes: Wishes,
): { state: NotifierState; effects: Effect[] } {
  const troubles = troublesOf(snapshot, now, wishes);
  const told = new Map(before.told);
  const mutexAt = new Map([...before.mutexAt].filter(([, at]) => now - at < rules.perMutexMs));
  const shownAt = before.shownAt.filter((at) => now - at < rules.hourMs);
  const effects: Effect[] = [];
  const isQuiet = now < before.pausedUntil || now < before.wakingUntil;
  const show = (toast: Toast, mutex: string | null): boolean => {
    if (isQuiet || shownAt.length >= rules.mostPerHour || (mutex !== null && mutexAt.has(mutex))) return false;
    shownAt.push(now);
    if (mutex !== null) mutexAt.set(mutex, now);
    effects.push({ do: 'show', toast });
    return true;
  };

  for (const [ticket, was] of before.told) {
    if (troubles.has(ticket)) continue;
    told.delete(ticket);
    const mutex = snapshot.mutexes.find((m) => m.name === was.topic);
    const isReleased = !was.isObserved && mutex?.holders.some((holder) => holder.ticket === ticket) !== true;
    if (!isReleased || !show(releasedToast(ticket, was.topic, mutex), was.topic))
      effects.push({ do: 'withdraw', id: ticket });
  }
  for (const { script, level, topic, isObserved, toast } of inOrder(troubles.values())) {
    const was = told.get(script.ticket);
    const isDue =
      was === undefined || level > was.level || (level === 1 && was.level === 1 && now - was.at >= rules.repeatMs);
    if (isDue && show(toast, topic)) told.set(script.ticket, { level, at: now, topic, isObserved });
  }
  if (wishes.orphanExited)
    for (const script of snapshot.scripts)
      if (before.orphans.has(script.ticket) && !script.orphan) show(orphanExitedToast(script), null);

  const orphans = new Set(snapshot.scripts.filter((script) => script.orphan).map((script) => script.ticket));
  return { state: { ...before, told, mutexAt, shownAt, orphans }, effects };
}

/** Null = not paused any more. */
export function pause(state: NotifierState, until: number | null): NotifierState {
  return { ...state, pausedUntil: until ?? -Infinity };
}

export function resumed(state: NotifierState, now: number): NotifierState {
  return { ...state, wakingUntil: now + rules.quietAfterWakeMs };
}

/** Until when notifications are paused; null when they are not. */
export function pausedUntil(state: NotifierState, now: number): number | null {
  return now < state.pausedUntil ? state.pausedUntil : null;
}

/** Why no toast would be shown at this moment; null when one would. */
export function whyQuiet(state: NotifierState, now: number): string | null {
  if (now < state.pausedUntil) return 'Notifications are paused. Resume them in the menu of the tray icon.';
  return now < state.wakingUntil ? 'The machine woke up less than a minute ago. Try again in a minute.' : null;
}

/** The worst first. */
function inOrder(candidates: Iterable<Candidate>): Candidate[] {
  return [...candidates].sort(
    (a, b) => b.level - a.level || b.script.blocks - a.script.blocks || (a.script.ticket < b.script.ticket ? -1 : 1),
  );
}

function troublesOf(snapshot: Snapshot, now: number, wishes: Wishes): Map<string, Candidate> {
  const found = new Map<string, Candidate>();
  if (!wishes.stuck) return found;
  const mutexes = new Map(snapshot.mutexes.map((mutex) => [mutex.name, mutex]));
  for (const script of snapshot.scripts) {
    const mutex = script.mutex === null ? undefined : mutexes.get(script.mutex);
    if (!script.stuck || script.blocks === 0 || mutex === undefined) continue;
    const level = levelOf(script);
    const oldest = Math.min(...mutex.waiters.map((waiter) => Date.parse(waiter.since)));
    const toast = scriptToast(script, mutex, level, now);
    if (level > 1 || now - oldest >= rules.waitsBeforeToastMs)
      found.set(script.ticket, { script, level, topic: mutex.name, isObserved: false, toast });
  }
  for (const one of snapshot.observed ?? []) {
    if (!one.stuck) continue;
    const script = observedRow(one);
    const level = levelOf(script);
    const topic = `agent ${one.agent.key}`;
    found.set(one.id, { script, level, topic, isObserved: true, toast: observedToast(one, level) });
  }
  return found;
}

function levelOf(script: ScriptView): Level {
  if (script.state === 'unkillable') return 3;
  return script.condition.key === 'cancel-ignored' ? 2 : 1;
}
