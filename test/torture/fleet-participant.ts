/**
 * One process of a host of a fleet, over the product's own queue and store: an agent, who looks for the dead of its
 * host, or one that takes and gives back mutexes at random until the stop file of its kind appears.
 */
import { existsSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { placeOf, type Place, type Waiter } from '../../app/domain/mutex.ts';
import { type Fleet, joinedFleet } from '../../app/fleet/index.ts';
import { waitInQueue } from '../../app/ladder/queue.ts';
import type { Mutex } from '../../app/locks/index.ts';
import { openProcessControl } from '../../app/processes/index.ts';
import { Dice } from './dice.ts';
import { hostOf, isAgent, mutexName } from './fleet-plan.ts';
import { persistently, type Player, turn } from './locks-turn.ts';

const [folder = '', ...numbers] = process.argv.slice(2);
const [mutexes = 0, seed = 0, slot = 0, generation = 0] = numbers.map(Number);
// Nobody is left behind when the one who started it has gone.
process.stdin.resume().on('end', () => process.exit(1));

const control = await openProcessControl();
const joined = joinedFleet(join(folder, hostOf(slot)), control, `torture ${slot}`);
if (joined === null) throw new Error(`${hostOf(slot)} has not joined.`);
const fleet = joined;
const isOver = (): boolean => existsSync(join(folder, isAgent(slot) ? 'stop agents' : 'stop'));

const log = openSync(join(folder, 'log'), 'a');
const say = (...words: readonly (string | number)[]): void => void writeSync(log, `${words.join(' ')}\n`);
say('X', hostOf(slot), process.pid, 'begins');
if (isAgent(slot)) await attend(fleet);
else await take(fleet);
await fleet[Symbol.asyncDispose]();
process.exit(0);

async function attend(host: Fleet): Promise<void> {
  host.attend();
  while (!isOver()) {
    for (const { mutex } of host.busy()) await mutex.reap().catch(() => undefined); // the engine is away
    await delay(250);
  }
}

async function take(runner: Fleet): Promise<void> {
  const player: Player = {
    self: control.self,
    dice: new Dice(seed * 131 + slot * 7_919 + generation),
    patienceMs: 60,
    holdMs: 12,
    say,
    wait,
  };
  for (let n = 0; !isOver(); n += 1) {
    const index = player.dice.below(mutexes);
    await turn(runner.open(mutexName(index)), `m${index}`, `${hostOf(slot)}.${slot}.${generation}.${n}`, player);
  }
}

async function wait(mutex: Mutex, waiter: Waiter, patienceMs: number): Promise<Place | null> {
  const timeoutMs = Number.isFinite(patienceMs) ? patienceMs : null;
  const outcome = await persistently(() =>
    waitInQueue({
      mutex,
      isolation: { mutex: mutex.key, level: waiter.level, timeoutMs },
      waiter,
      inbox: { listen: () => undefined, park: () => undefined },
      log: { append: () => undefined },
      onQueued: () => undefined,
      now: () => control.now(),
    }),
  );
  return outcome.kind === 'timed-out' ? null : placeOf(mutex.read(), waiter.id);
}
