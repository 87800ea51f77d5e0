/**
 * One process that takes and gives back mutexes at random until the stop file appears, and writes down what it does
 * while it holds one. Its sabotage, if any, is what the oracle must find.
 */
import fs, { existsSync, openSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { placeOf, type MutexState, type Place } from '../../app/domain/mutex.ts';
import type { TreeScope } from '../../app/domain/script.ts';
import { type Mutex, Mutexes } from '../../app/locks/index.ts';
import type { LivenessProbe } from '../../app/locks/mutexes.ts';
import { VersionStore } from '../../app/locks/version-store.ts';
import { openProcessControl } from '../../app/processes/index.ts';

/** `steal`: takes one process in five for gone. `overwrite`: a commit never fails. `barge`: steps to the queue's head. */
export type Sabotage = 'none' | 'steal' | 'overwrite' | 'barge';

const [, , folder = '', mutexCount = '4', sabotage = 'none'] = process.argv;
const control = await openProcessControl();
const log = openSync(join(folder, 'log'), 'a');
const say = (...words: (string | number)[]): void => {
  writeSync(log, `${words.join(' ')}\n`);
};
const now = (): string => process.hrtime.bigint().toString();
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

while (!existsSync(join(folder, 'stop'))) await once(`mutex ${Math.floor(Math.random() * Number(mutexCount))}`);
process.exit(0);

async function once(name: string): Promise<void> {
  const mutex = mutexes.open(name);
  const key = name.replace(' ', '-');
  const id = randomUUID();
  const level = Math.random() < 0.4 ? 'full' : 'none';
  const first = await mutex.enqueue({
    id,
    ticket: id,
    name: id,
    level,
    runner: control.self,
    ancestors: [],
    queuedAt: Date.now(),
  });
  const ahead = first.queue.findIndex((w) => w.id === id);
  say(
    'Q',
    key,
    id,
    level,
    process.pid,
    now(),
    first.queue
      .slice(0, Math.max(0, ahead))
      .map((w) => w.id)
      .join(','),
  );
  if (sabotage === 'barge') await barge(mutex, id);

  const patience = Math.random() < 0.05 ? Math.random() * 30 : Infinity;
  let place = await wait(mutex, id, patience);
  if (place.kind === 'waits') {
    const state = await mutex.leave(id);
    place = placeOf(state, id);
    if (place.kind === 'absent') return;
  }
  if (place.kind === 'holds') {
    const { fence } = place.hold;
    const scope: TreeScope = { root: control.self, runId: id, group: null, job: null };
    if (await mutex.confirm(id, fence, scope)) {
      say('B', key, id, fence, process.pid, now());
      if (Math.random() < 0.8) await delay(Math.random() * 6);
      say('E', key, id, fence, process.pid, now());
    }
    place = placeOf(await mutex.release(id, fence), id);
    if (place.kind === 'absent') return;
  }
  if (place.kind === 'abandoned') await mutex.orphanEnded(id);
  else say('G', key, id);
}

function wait(mutex: Mutex, id: string, patienceMs: number): Promise<Place> {
  return new Promise((resolve) => {
    const until = performance.now() + patienceMs;
    const stopWatching = mutex.watch(look, id);
    const clock = setInterval(look, 100);
    const reaper = setInterval(() => void mutex.reap().catch(() => undefined), sabotage === 'steal' ? 5 : 500);
    look();

    function look(): void {
      const place = placeOf(mutex.read(), id);
      if (place.kind === 'waits' && performance.now() < until) return;
      clearInterval(reaper);
      clearInterval(clock);
      stopWatching();
      resolve(place);
    }
  });
}

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
