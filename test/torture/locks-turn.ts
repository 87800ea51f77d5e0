/** One turn at a mutex, written down for the oracle: joins the queue, waits, holds for some ms, gives back. */
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../../app/contract/errors.ts';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { placeOf, type Place, type Waiter } from '../../app/domain/mutex.ts';
import type { Mutex } from '../../app/locks/index.ts';
import { lasting } from '../../app/run-directory/lasting.ts';
import type { Dice } from './dice.ts';

export interface Player {
  readonly self: ProcessIdentity;
  readonly dice: Dice;
  /** Who loses patience does so before that, ms; `always`, or one in twenty. */
  readonly patienceMs: number;
  readonly always?: true;
  readonly holdMs: number;
  readonly say: (...words: readonly (string | number)[]) => void;
  /** Where it stands once it waits no longer; null when it lost its patience and has left the queue. */
  readonly wait: (mutex: Mutex, waiter: Waiter, patienceMs: number) => Promise<Place | null>;
  readonly joined?: (mutex: Mutex, id: string) => Promise<void>;
}

export async function turn(mutex: Mutex, key: string, id: string, player: Player): Promise<void> {
  const { dice, self, say } = player;
  const level = dice.chance(40) ? 'full' : 'none';
  const patienceMs = player.always || dice.chance(5) ? dice.below(player.patienceMs) : Infinity;
  const holdMs = dice.chance(80) ? dice.below(player.holdMs) : null;
  const waiter: Waiter = { id, ticket: id, name: id, level, runner: self, ancestors: [], queuedAt: Date.now() };

  const { queue } = await persistently(() => mutex.enqueue(waiter));
  const place = queue.findIndex((w) => w.id === id);
  const ahead = queue.slice(0, Math.max(0, place)).map((w) => w.id);
  say('Q', key, id, level, self.pid, now(), ahead.join(','));
  await player.joined?.(mutex, id);

  let at = await player.wait(mutex, waiter, patienceMs);
  if (at === null) return say('L', key, id);
  if (at.kind === 'holds') {
    const { fence } = at.hold;
    if (await persistently(() => mutex.confirm(id, fence, { root: self, runId: id, group: null, job: null }))) {
      say('B', key, id, fence, self.pid, now());
      if (holdMs !== null) await delay(holdMs);
      say('E', key, id, fence, self.pid, now());
    }
    at = placeOf(await persistently(() => mutex.current()), id);
    if (at.kind === 'holds') {
      at = placeOf(await persistently(() => mutex.release(id, fence)), id);
      if (at.kind === 'absent') return;
    }
  }
  if (at.kind === 'abandoned') await persistently(() => mutex.orphanEnded(id));
  else say('G', key, id);
}

/** Looks by a clock too, and for the dead: `reapMs`. */
export function watchAndWait(mutex: Mutex, { id }: Waiter, patienceMs: number, reapMs: number): Promise<Place | null> {
  return new Promise((resolve, fail) => {
    const until = performance.now() + patienceMs;
    const stopWatching = mutex.watch(look, id);
    const clock = setInterval(look, 100);
    const reaper = setInterval(() => void mutex.reap().catch(() => undefined), reapMs);
    look();

    function look(): void {
      const place = placeOf(mutex.read(), id);
      const isOver = performance.now() >= until;
      if (place.kind === 'waits' && !isOver) return;
      clearInterval(reaper);
      clearInterval(clock);
      stopWatching();
      if (place.kind === 'waits') leave().then(resolve, fail);
      else resolve(place);
    }
  });

  /** The grant may have been faster. */
  async function leave(): Promise<Place | null> {
    const place = placeOf(await persistently(() => mutex.leave(id)), id);
    return place.kind === 'absent' ? null : place;
  }
}

const now = (): string => process.hrtime.bigint().toString();

/** As a runner does; but what a store refuses is a fault here, and ends the process. */
export const persistently = <T>(act: () => Promise<T>): Promise<T> =>
  lasting(() =>
    act().catch((error: unknown) => {
      throw error instanceof UnjamError ? new Error(`${error.code}: ${error.message}`) : error;
    }),
  );
