/** Sixteen processes on four mutexes while some are killed, frozen and woken, or abandoned; then everything must drain. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Mutexes } from '../../app/locks/index.ts';
import { openProcessControl } from '../../app/processes/index.ts';
import { type Counters, judge } from './locks-oracle.ts';
import type { Sabotage } from './locks-participant.ts';

export interface ChaosOptions {
  readonly seconds: number;
  readonly processes?: number;
  readonly mutexes?: number;
  readonly sabotage?: Sabotage;
  /** Each at random about every so many ms. */
  readonly killEveryMs?: number;
  readonly freezeEveryMs?: number;
  readonly abandonEveryMs?: number;
  /** Whoever waits longer after the end is lost. */
  readonly drainMs?: number;
}

export async function chaos(
  o: ChaosOptions,
): Promise<Counters & { crashes: number; freezes: number; seconds: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-chaos-'));
  const log = join(folder, 'log');
  const mutexCount = o.mutexes ?? 4;
  const living = new Set<ChildProcess>();
  const endAll = (): void => {
    for (const child of living) child.kill('SIGKILL');
  };
  process.on('exit', endAll);
  const began = performance.now();
  let draining = false;
  let crashes = 0;
  let freezes = 0;

  const start = (): void => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'locks-participant.ts'), folder, String(mutexCount), o.sabotage ?? 'none'],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    child.stdin.on('error', () => undefined); // it has been killed
    living.add(child);
    child.on('exit', (code) => {
      living.delete(child);
      if (code !== null && code !== 0) crashes += 1;
      if (!draining) start();
    });
  };
  const any = <T>(all: Iterable<T>): T | undefined => {
    const list = [...all];
    return list[Math.floor(Math.random() * list.length)];
  };

  try {
    writeFileSync(log, '');
    const control = await openProcessControl();
    const mutexes = new Mutexes(join(folder, 'mutexes'), control);
    for (let i = 0; i < (o.processes ?? 16); i += 1) start();
    const over = new AbortController();
    const every = async (ms: number | undefined, act: () => Promise<void> | void): Promise<void> => {
      while (ms !== undefined && !over.signal.aborted) {
        await delay(Math.random() * 2 * ms, undefined, { signal: over.signal }).catch(() => undefined);
        if (!over.signal.aborted) await act();
      }
    };
    const troubles = [
      every(o.killEveryMs, () => {
        const child = any(living);
        if (child?.pid === undefined) return;
        appendFileSync(log, `K ${child.pid}\n`);
        child.kill('SIGKILL');
      }),
      every(o.freezeEveryMs, () => {
        const child = any(living);
        if (child === undefined) return;
        child.kill('SIGSTOP');
        freezes += 1;
        setTimeout(() => child.kill('SIGCONT'), 20 + Math.random() ** 3 * 3_000);
      }),
      every(o.abandonEveryMs, async () => {
        const mutex = mutexes.open(`mutex ${Math.floor(Math.random() * mutexCount)}`);
        const hold = any(mutex.read().holders);
        if (hold === undefined) return;
        appendFileSync(log, `A ${hold.id}\n`);
        await mutex.abandon(hold.id, { user: 'chaos', via: 'cli' }, null, false);
      }),
    ];
    await delay(o.seconds * 1_000);
    over.abort();
    await Promise.all(troubles);

    draining = true;
    writeFileSync(join(folder, 'stop'), '');
    for (const child of living) child.kill('SIGCONT');
    const seconds = (performance.now() - began) / 1_000;
    for (const until = performance.now() + (o.drainMs ?? 60_000); living.size > 0 && performance.now() < until;)
      await delay(50);
    const stranded = living.size;
    endAll();
    while (living.size > 0) await delay(10);
    let left = 0;
    for (let i = 0; i < mutexCount; i += 1) {
      const state = await mutexes.open(`mutex ${i}`).reap();
      left += state.holders.length + state.queue.length;
    }
    const counters = judge(readFileSync(log, 'utf8'));
    return { ...counters, lostWaiters: counters.lostWaiters + stranded + left, crashes, freezes, seconds };
  } finally {
    draining = true;
    endAll();
    process.off('exit', endAll);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
