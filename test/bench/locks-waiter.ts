/** The other process of a hand-off: queues, says when it holds the mutex (epoch µs), gives it back. */
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import lockfile from 'proper-lockfile';
import { placeOf } from '../../app/domain/mutex.ts';
import { Mutexes } from '../../app/locks/index.ts';
import { openProcessControl } from '../../app/processes/index.ts';

const [, , folder = '', how = 'unjam'] = process.argv;
const control = await openProcessControl();
const mutex = new Mutexes(folder, control).open('bench');
const now = (): number => performance.timeOrigin + performance.now();
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'go') break;
  if (how === 'unjam') {
    const id = randomUUID();
    const queuedAt = Date.now();
    await mutex.enqueue({ id, ticket: id, name: id, level: 'full', runner: control.self, ancestors: [], queuedAt });
    say('queued');
    const hold = await new Promise<{ fence: number }>((resolve) => {
      const look = (): void => {
        const place = placeOf(mutex.read(), id);
        if (place.kind !== 'holds') return;
        stop();
        resolve(place.hold);
      };
      const stop = mutex.watch(look, id);
      look();
    });
    say(String(now()));
    await mutex.release(id, hold.fence);
  } else {
    say('queued');
    const retries = { retries: 1_000, factor: 1.5, minTimeout: 10, maxTimeout: 500, randomize: how === 'calamari' };
    const release = await lockfile.lock(folder, { realpath: false, retries });
    say(String(now()));
    await release();
  }
}
process.exit(0);
