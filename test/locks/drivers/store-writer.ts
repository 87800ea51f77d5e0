/**
 * One process that changes a version store: `count` increments its own number n times; `once` makes a single change
 * and is stopped, killed or refused by the file system before its k-th file-system call; `once-more` had read it before.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { VersionStore } from '../../../app/locks/version-store.ts';

export interface Counters {
  readonly version: number;
  readonly counts: Readonly<Record<string, number>>;
}

export const noCounters = (): Counters => ({ version: 0, counts: {} });
export const increment =
  (who: string) =>
  (s: Counters): Counters => ({ ...s, counts: { ...s.counts, [who]: (s.counts[who] ?? 0) + 1 } });

/** The n-th of several increments; recognises its own work, as every change of a mutex does. */
export const nth =
  (who: string, n: number) =>
  (s: Counters): Counters =>
    (s.counts[who] ?? 0) >= n ? s : increment(who)(s);

export type Fate = 'none' | 'SIGSTOP' | 'SIGKILL' | 'ENOSPC' | 'EMFILE';
export interface Told {
  readonly calls: string[];
  readonly error: string | null;
}

if (import.meta.filename === process.argv[1]) {
  const [, , directory = '', who = '', mode = '', n = '0', fate = 'none'] = process.argv;
  const store = new VersionStore<Counters>(directory, noCounters, () => null);
  if (mode === 'count') for (let i = 1; i <= Number(n); i += 1) await store.change(nth(who, i));
  else {
    if (mode === 'once-more') store.read();
    const calls = interceptCalls(Number(n), fate as Fate);
    const told: Told = await store.change(increment(who)).then(
      () => ({ calls, error: null }),
      (error: unknown) => ({ calls, error: (error as Error).message }),
    );
    process.stdout.write(JSON.stringify(told));
  }
}

/** Every synchronous function of node:fs, so that a call that the store learns tomorrow is met too. */
function interceptCalls(at: number, fate: Fate): string[] {
  const calls: string[] = [];
  const table = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of Object.keys(table).filter((f) => f.endsWith('Sync'))) {
    const real = table[name];
    if (real === undefined) continue;
    table[name] = (...args) => {
      calls.push(name);
      if (calls.length === at) {
        if (fate === 'SIGSTOP' || fate === 'SIGKILL') {
          process.kill(process.pid, fate);
          // The signal may reach another thread first: this one must not run ahead of it.
          for (const until = performance.now() + 5; performance.now() < until;);
        } else if (fate !== 'none') throw Object.assign(new Error(`${fate}: injected`), { code: fate });
      }
      return real(...args);
    };
  }
  syncBuiltinESMExports();
  return calls;
}
