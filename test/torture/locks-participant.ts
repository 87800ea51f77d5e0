/**
 * One process that takes and gives back mutexes at random until the stop file appears, and writes down what it does
 * while it holds one. Its sabotage, if any, is what the oracle must find.
 */
import fs, { existsSync, openSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import type { MutexState } from '../../app/domain/mutex.ts';
import { type Mutex, Mutexes } from '../../app/locks/index.ts';
import type { LivenessProbe } from '../../app/locks/mutexes.ts';
import { VersionStore } from '../../app/locks/version-store.ts';
import { openProcessControl } from '../../app/processes/index.ts';
import { Dice } from './dice.ts';
import { type Player, turn, watchAndWait } from './locks-turn.ts';

/** `steal`: takes one process in five for gone. `overwrite`: a commit never fails. `barge`: steps to the queue's head. */
export type Sabotage = 'none' | 'steal' | 'overwrite' | 'barge';

const [, , folder = '', mutexCount = '4', sabotage = 'none'] = process.argv;
const control = await openProcessControl();
const log = openSync(join(folder, 'log'), 'a');
// Nobody is left behind when the one who started it has gone.
process.stdin.resume().on('end', () => process.exit(1));

const probe: LivenessProbe =
  sabotage === 'steal'
    ? {
        liveness: (p) => (p.pid !== process.pid && Math.random() < 0.2 ? 'dead' : control.liveness(p)),
        treeLiveness: (s) => (s.root.pid !== process.pid && Math.random() < 0.5 ? 'dead' : control.treeLiveness(s)),
      }
    : control;
const mutexes = new Mutexes(join(folder, 'mutexes'), probe);
mutexes.check();
if (sabotage === 'overwrite') {
  fs.linkSync = (from, to) => fs.copyFileSync(from, to);
  syncBuiltinESMExports();
}

const player: Player = {
  self: control.self,
  dice: new Dice(Math.random() * 2 ** 32),
  patienceMs: 30,
  holdMs: 6,
  say: (...words) => void writeSync(log, `${words.join(' ')}\n`),
  wait: (mutex, waiter, patienceMs) => watchAndWait(mutex, waiter, patienceMs, sabotage === 'steal' ? 5 : 500),
  ...(sabotage === 'barge' ? { joined: barge } : {}),
};
while (!existsSync(join(folder, 'stop'))) {
  const name = `mutex ${player.dice.below(Number(mutexCount))}`;
  await turn(mutexes.open(name), name.replace(' ', '-'), randomUUID(), player);
}
process.exit(0);

async function barge(mutex: Mutex, id: string): Promise<void> {
  const store = new VersionStore<MutexState>(
    mutex.key,
    () => mutex.read(),
    () => null,
  );
  await store.change((s) => {
    const me = s.queue.find((w) => w.id === id);
    return me === undefined || s.queue[0]?.id === id ? s : { ...s, queue: [me, ...s.queue.filter((w) => w.id !== id)] };
  });
}
