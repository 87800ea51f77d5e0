/** Waits in a mutex's queue until the script is granted, cancelled or out of time; keeps its place all the while. */
import { Alarm } from './alarm.ts';
import * as lines from '../domain/lines.ts';
import { limits } from '../domain/limits.ts';
import {
  deadlockWith,
  type Hold,
  keptOutBy,
  type MutexState,
  type Place,
  placeOf,
  type Waiter,
} from '../domain/mutex.ts';
import type { RunnerRequest } from '../domain/events.ts';
import type { Isolation } from '../domain/script.ts';
import type { Mutex } from '../locks/index.ts';
import { lasting } from '../run-directory/lasting.ts';
import { holderFacts } from './mutex-facts.ts';
import type { ScriptLog } from './script-log.ts';

export type QueueOutcome =
  | { readonly kind: 'granted'; readonly hold: Hold; readonly state: MutexState; readonly waitedMs: number }
  | { readonly kind: 'asked-to-leave'; readonly request: RunnerRequest }
  | { readonly kind: 'timed-out'; readonly state: MutexState; readonly waitedMs: number }
  | { readonly kind: 'deadlock'; readonly holder: Hold }
  /** It asked to run under the hold of a script that it was started from, and there is none. */
  | { readonly kind: 'nothing-to-inherit' }
  | { readonly kind: 'removed' };

export interface QueueRequest {
  readonly mutex: Mutex;
  readonly isolation: Isolation;
  readonly waiter: Waiter;
  readonly inbox: {
    /** Hands every request to `listener`, those that came meanwhile first. */
    listen(listener: (request: RunnerRequest) => void): void;
    /** Keeps what comes from now on, and `request` with it, for the next listener. */
    park(request?: RunnerRequest): void;
  };
  readonly log: Pick<ScriptLog, 'append'>;
  /** Called once the place in the queue is taken, before anything is waited for. */
  readonly onQueued: () => void;
  /** A clock that stands still while the machine sleeps (`ProcessControl.now`), ms. */
  readonly now: () => number;
}

export async function waitInQueue({
  mutex,
  isolation,
  waiter,
  inbox,
  log,
  onQueued,
  now,
}: QueueRequest): Promise<QueueOutcome> {
  const began = now();
  const waited = (): number => now() - began;
  const first = await mutex.enqueue(waiter);
  const place = placeOf(first, waiter.id);
  if (place.kind === 'waits') {
    log.append({ type: 'queued', mutex: isolation.mutex });
    tell(first, place);
  }
  const putBack = first.version === 1 ? first.holders.find((h) => h.restored) : undefined;
  if (putBack) log.append({ type: 'note' }, lines.holdRestored(isolation.mutex, putBack));
  onQueued();
  if (waiter.inherit && place.kind === 'absent') return { kind: 'nothing-to-inherit' };
  const holder = deadlockWith(first, waiter);
  if (holder !== null && placeOf(first, waiter.id).kind === 'waits') {
    await lasting(() => mutex.leave(waiter.id));
    return { kind: 'deadlock', holder };
  }

  function tell(state: MutexState, at: Extract<Place, { kind: 'waits' }>): void {
    log.append(
      { type: 'waiting' },
      lines.waiting(
        isolation.mutex,
        holderFacts(state, Date.now()),
        at.position,
        at.of,
        state.paused === null ? null : lines.actorText(state.paused.by),
        keptOutBy(state, waiter.id),
      ),
    );
  }

  return new Promise((resolve) => {
    let told = 1;
    let toldAway = false;
    /** The latest state in which this one had a place. */
    let seen: Pick<MutexState, 'epoch' | 'version'> = first;
    let settled = false;
    let leaving = false;
    /** Why to leave: until that is done, the clock tries it again. */
    let wish: (() => QueueOutcome) | null = null;
    const deadline =
      isolation.timeoutMs === null
        ? null
        : new Alarm(isolation.timeoutMs, now, () => {
            ask(() => ({ kind: 'timed-out', state: mutex.read(), waitedMs: waited() }));
          });
    const stopWatching = mutex.watch(() => guarded(look), waiter.id);
    let clock = setTimeout(beat, paceMs(1));
    inbox.listen((request) => {
      if (wish !== null)
        inbox.park(request); // for the script that is granted just before its time is out
      else ask(() => ({ kind: 'asked-to-leave', request }));
    });
    guarded(look);

    /** Looks by a clock, and for the dead: the first in line often, who is behind it the more rarely. */
    function beat(): void {
      if (settled) return;
      void mutex.reap().catch(() => undefined);
      guarded(tellAway);
      guarded(look);
      void leave();
      const at = guarded(() => placeOf(mutex.read(), waiter.id));
      if (!settled) clock = setTimeout(beat, paceMs(at?.kind === 'waits' ? at.position : 1));
    }

    function tellAway(): void {
      const isAway = mutex.staleMs > awayAfterMs;
      if (isAway && !toldAway) log.append({ type: 'note' }, lines.engineAway(isolation.mutex, mutex.staleMs));
      toldAway = isAway;
    }

    function settle(outcome: QueueOutcome): void {
      if (settled) return;
      settled = true;
      deadline?.stop();
      clearTimeout(clock);
      stopWatching();
      inbox.park(); // a request that comes from now on is the running script's
      resolve(outcome);
    }

    function look(): void {
      if (settled || wish !== null) return;
      const state = mutex.read();
      const place = placeOf(state, waiter.id);
      if (place.kind === 'holds' || place.kind === 'waits') seen = state;
      if (place.kind === 'holds') settle({ kind: 'granted', hold: place.hold, state, waitedMs: waited() });
      else if (place.kind !== 'waits') {
        // Another epoch, or an older version: somebody removes the files of the mutex. Who waited goes on waiting.
        if (state.epoch === seen.epoch && state.version >= seen.version) settle({ kind: 'removed' });
        else
          void mutex.rejoin(waiter).then(
            () => guarded(look),
            () => undefined,
          );
      } else if (waited() >= tellAt(told)) {
        told += 1;
        tell(state, place);
      }
    }

    function ask(outcome: () => QueueOutcome): void {
      wish ??= outcome;
      void leave();
    }

    /** Leaves the queue; when the grant was faster, a time-out takes it and a request gives it back. */
    async function leave(): Promise<void> {
      // Until it is done nobody else settles: a grant that is given back must not be taken at the same time.
      if (settled || leaving || wish === null) return;
      leaving = true;
      try {
        const place = placeOf(await lasting(() => mutex.leave(waiter.id)), waiter.id);
        const result = wish();
        if (place.kind === 'holds' && result.kind === 'timed-out') wish = null;
        else {
          if (place.kind === 'holds') await lasting(() => mutex.release(waiter.id, place.hold.fence));
          settle(result);
        }
      } catch {
        // The next beat of the clock tries it again.
      } finally {
        leaving = false;
      }
      if (wish === null) guarded(look);
    }
  });
}

/** A fleet's engine is asked every 5 s. */
const awayAfterMs = 15_000;

/** 120 waiters that all looked twice a second took 0.6 of a core. */
const paceMs = (position: number): number => 500 * Math.min(position, 20);

/** What a full or vanished disk refuses is tried again at the next look. */
function guarded<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

function tellAt(told: number): number {
  const fixed = limits.waitingToldAtMs;
  return fixed[told] ?? (fixed.at(-1) ?? 0) + (told - fixed.length + 1) * limits.waitingToldEveryMs;
}
