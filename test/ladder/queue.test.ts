/** Waiting for a mutex over real files: what the disk refuses is tried again, and nobody waits for ever or runs uncalled. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { RunnerRequest } from '../../app/domain/events.ts';
import { placeOf } from '../../app/domain/mutex.ts';
import { type QueueOutcome, waitInQueue } from '../../app/ladder/queue.ts';
import { type LivenessProbe, type Mutex, Mutexes } from '../../app/locks/index.ts';
import { kim, waiter } from '../support/fake-domain.ts';

let root: string;
let mutex: Mutex;
let fence: number;
const alive: LivenessProbe = { liveness: () => 'alive', treeLiveness: () => 'alive' };

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'unjam-queue-'));
  mutex = new Mutexes(root, alive).open('web');
  const place = placeOf(await mutex.enqueue(waiter('holder')), 'holder');
  fence = place.kind === 'holds' ? place.hold.fence : -1;
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

const cancel: RunnerRequest = { verb: 'cancel', id: 'r1', at: 0, actor: kim, reason: null, signal: null, graceMs: null, escalate: true, evidence: [] }; // prettier-ignore

/** Waits as `late`; `ask` hands a request to it. */
async function wait(timeoutMs: number | null) {
  let hear: (request: RunnerRequest) => void = () => undefined;
  const queued = Promise.withResolvers<void>();
  const outcome: Promise<QueueOutcome> = waitInQueue({
    mutex,
    isolation: { level: 'full', mutex: 'web', timeoutMs },
    waiter: waiter('late'),
    inbox: { listen: (listener) => (hear = listener), park: () => undefined },
    log: { append: () => undefined },
    onQueued: queued.resolve,
    now: () => performance.now(),
  });
  await queued.promise;
  await new Promise(setImmediate);
  return { outcome, ask: () => hear(cancel) };
}

test('a Cancel that the files refuse at first is done at the next look, and a grant that came meanwhile is given back', async () => {
  const { outcome, ask } = await wait(null);
  const refused = Promise.withResolvers<void>();
  vi.spyOn(mutex, 'leave').mockImplementationOnce(() => {
    setImmediate(refused.resolve);
    return Promise.reject(new Error('guard.lock cannot be had'));
  });
  ask();
  await refused.promise;
  await mutex.release('holder', fence);
  expect(placeOf(mutex.read(), 'late').kind).toBe('holds');
  expect(await outcome).toEqual({ kind: 'asked-to-leave', request: cancel });
  expect(mutex.read()).toMatchObject({ holders: [], queue: [] });
});

test('a time that is over is said also when the mutex could not be read just then', async () => {
  const { outcome } = await wait(20);
  const { leave } = mutex;
  vi.spyOn(mutex, 'leave').mockImplementationOnce(async (id) => {
    const left = await leave.call(mutex, id);
    vi.spyOn(mutex, 'read').mockImplementationOnce(() => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    });
    return left;
  });
  expect(await outcome).toMatchObject({ kind: 'timed-out', state: { queue: [] } });
});

test.each([
  ['the first in line looks twice a second', 0, 500],
  ['the twentieth looks every ten seconds', 19, 10_000],
])('%s', async (_who, ahead, paceMs) => {
  for (let i = 0; i < ahead; i += 1) await mutex.enqueue(waiter(`ahead-${i}`));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { ask, outcome } = await wait(null);
  const looks = vi.spyOn(mutex, 'reap');
  const looksWithin = (ms: number): number => {
    looks.mockClear();
    vi.advanceTimersByTime(ms);
    return looks.mock.calls.length;
  };
  expect(looksWithin(500)).toBe(1); // then it knows its place
  expect([looksWithin(paceMs - 1), looksWithin(1), looksWithin(paceMs - 1), looksWithin(1)]).toEqual([0, 1, 0, 1]);
  vi.useRealTimers();
  ask();
  expect(await outcome).toMatchObject({ kind: 'asked-to-leave' });
});
