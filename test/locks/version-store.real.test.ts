/** A version store under several processes, of which any may be stopped, killed or refused between two file operations. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { VersionStore } from '../../app/locks/version-store.ts';
import { temporaryFolder } from '../support/fake-home.ts';
import { type Counters, type Fate, increment, noCounters, type Told } from './drivers/store-writer.ts';

const driver = join(import.meta.dirname, 'drivers/store-writer.ts');
const kept = 32;
const collectEvery = 16;
const onPosix = process.platform !== 'win32';

const storeIn = (folder: string): VersionStore<Counters> =>
  new VersionStore(join(folder, 'store'), noCounters, () => null);
const versions = (s: VersionStore<Counters>): string[] =>
  readdirSync(s.directory)
    .filter((f) => f.startsWith('s.'))
    .sort();
const litter = (s: VersionStore<Counters>): string[] => readdirSync(s.directory).filter((f) => f.startsWith('t.'));

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [driver, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function changed(s: VersionStore<Counters>, who: string, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await s.change(increment(who));
}

describe('changes by several processes at once', () => {
  test('none is lost: 4 processes, 150 increments each', { timeout: 60_000 }, async () => {
    const store = storeIn(temporaryFolder());
    const writers = ['p', 'q', 'r', 's'].map((who) => start(store.directory, who, 'count', '150'));
    const ends = await Promise.all(writers.map((w) => once(w, 'exit')));
    expect(ends.map(([code]) => code as number)).toEqual([0, 0, 0, 0]);
    expect(store.read()).toEqual({ version: 600, counts: { p: 150, q: 150, r: 150, s: 150 } });
    expect(versions(store).length).toBeLessThanOrEqual(kept + collectEvery + 4);
    expect(litter(store)).toEqual([]);
  });

  test('none is lost within one process either', async () => {
    const store = storeIn(temporaryFolder());
    await Promise.all(Array.from({ length: 20 }, (_, i) => changed(store, `w${i % 3}`, 10)));
    expect(Object.values(store.read().counts).reduce((a, b) => a + b)).toBe(200);
  });

  test('a change that changes nothing writes nothing', async () => {
    const store = storeIn(temporaryFolder());
    await changed(store, 'a', 1);
    const before = readdirSync(store.directory);
    expect(await store.change((s) => s)).toEqual(store.read());
    expect(readdirSync(store.directory)).toEqual(before);
  });
});

interface Writer {
  readonly title: string;
  /** Changes that the store has seen; the one after 47 collects old versions. */
  readonly before: number;
  /** `once-more` knows the newest version from before. */
  readonly mode: 'once' | 'once-more';
}
const writers: readonly Writer[] = [
  { title: 'in a new store', before: 0, mode: 'once' },
  { title: 'in a store of 47 versions', before: 47, mode: 'once' },
  { title: 'in a store of 47 versions that it has read', before: 47, mode: 'once-more' },
];

/** The calls that one change makes. */
async function callsOf({ before, mode }: Writer): Promise<string[]> {
  const store = storeIn(temporaryFolder());
  await changed(store, 'before', before);
  const child = start(store.directory, 'x', mode, '0');
  return (JSON.parse(await text(child.stdout!)) as Told).calls;
}

async function isStopped(pid: number): Promise<void> {
  for (;;) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) return;
    await delay(2);
  }
}

interface Outcome {
  readonly point: string;
  readonly told: Told | null;
  readonly end: Counters;
  readonly others: number;
  readonly store: VersionStore<Counters>;
}

/** Lets one process meet `fate` before each of its calls while this one makes `others` changes. */
async function atEveryCall(writer: Writer, fate: Fate, others: number, check: (o: Outcome) => void): Promise<void> {
  const { before, mode, title } = writer;
  const calls = await callsOf(writer);
  expect(calls).toContain('linkSync');
  const points = calls.map((call, i) => ({ call, at: i + 1 }));
  for (let i = 0; i < points.length; i += 3)
    await Promise.all(
      points.slice(i, i + 3).map(async ({ call, at }) => {
        const store = storeIn(temporaryFolder());
        await changed(store, 'before', before);
        const child = start(store.directory, 'x', mode, String(at), fate);
        const output = text(child.stdout!);
        const exit = once(child, 'exit');
        if (fate === 'SIGSTOP') await isStopped(child.pid!);
        else await exit;
        await changed(store, 'others', others);
        if (fate === 'SIGSTOP') child.kill('SIGCONT');
        await exit;
        const said = await output;
        await changed(store, 'after', 1);
        const end = store.read();
        const point = `${fate} before call ${at}, ${call}, ${title}, beside ${others} changes`;
        expect(end.counts, point).toMatchObject({
          ...(before > 0 ? { before } : {}),
          ...(others > 0 ? { others } : {}),
          after: 1,
        });
        check({ point, told: said === '' ? null : (JSON.parse(said) as Told), end, others, store });
      }),
    );
}

describe.runIf(onPosix)(
  'a process that is frozen before any file-system call of its change',
  { timeout: 120_000 },
  () => {
    for (const writer of writers) {
      test(`makes it once when it goes on, ${writer.title}, few changes meanwhile`, async () => {
        await atEveryCall(writer, 'SIGSTOP', 3, ({ point, told, end }) => {
          expect(told?.error, point).toBeNull();
          expect(end.counts['x'], point).toBe(1);
        });
      });

      test(`never believes a change that does not hold, ${writer.title}, so many changes meanwhile that its base was collected`, async () => {
        await atEveryCall(writer, 'SIGSTOP', kept + 8, ({ point, told, end, store }) => {
          expect(told?.error, point).toBeNull();
          // Frozen between its link and the check of its base it cannot know, and repeats: changes are idempotent by id.
          expect([1, 2], point).toContain(end.counts['x']);
          expect(versions(store).length, point).toBeLessThanOrEqual(kept + collectEvery + 2);
        });
      });
    }
  },
);

describe.runIf(onPosix)(
  'a process that is killed before any file-system call of its change',
  { timeout: 120_000 },
  () => {
    for (const writer of writers) {
      test(`loses at most its own change, ${writer.title}`, async () => {
        await atEveryCall(writer, 'SIGKILL', 1, ({ point, end, store }) => {
          expect(end.counts['x'] ?? 0, point).toBeLessThanOrEqual(1);
          expect(litter(store).length, point).toBeLessThanOrEqual(1);
        });
      });
    }
  },
);

describe('a file system that refuses any call of a change', { timeout: 120_000 }, () => {
  for (const fate of ['ENOSPC', 'EMFILE'] as const)
    for (const writer of writers)
      test(`costs at most that change (${fate}), ${writer.title}: nobody else's is undone`, async () => {
        const unsure = new Set<string>();
        await atEveryCall(writer, fate, 1, ({ point, told, end, store }) => {
          const made = end.counts['x'] ?? 0;
          if (told?.error !== null && made > 0) unsure.add(point);
          if (told?.error === null) expect(made, point).toBe(1);
          else expect(made, point).toBeLessThanOrEqual(1);
          // Nothing is left behind, unless the removal itself was refused.
          if (!point.includes('unlinkSync')) expect(litter(store), point).toEqual([]);
        });
        // Only the look at the versions between the commit and its check may leave the caller in doubt.
        expect([...unsure].length).toBeLessThanOrEqual(1);
      });
});

describe('what a power cut leaves', () => {
  test('a newest version without content counts as a number, and the one before it holds', async () => {
    const folder = temporaryFolder();
    await changed(storeIn(folder), 'a', 3);
    const store = storeIn(folder); // of a process that was started afterwards
    truncateSync(join(store.directory, versions(store).at(-1) ?? ''));
    expect(store.read().counts).toEqual({ a: 2 });
    await changed(store, 'a', 1);
    expect(store.read()).toEqual({ version: 4, counts: { a: 3 } });
  });

  test('a store without any readable version is an error, not an empty one', async () => {
    const folder = temporaryFolder();
    await changed(storeIn(folder), 'a', 1);
    const store = storeIn(folder);
    writeFileSync(join(store.directory, versions(store)[0] ?? ''), '{"version":');
    expect(() => store.read()).toThrow('No readable state is left');
    await expect(store.change(increment('a'))).rejects.toThrow('No readable state is left');
  });
});

test('a newest version that is there but cannot be read is an error: the state before it does not hold', async () => {
  const store = storeIn(temporaryFolder());
  await changed(store, 'a', 2);
  mkdirSync(join(store.directory, 's.000000000003.json'));
  expect(() => store.read()).toThrow('EISDIR');
  await expect(store.change(increment('a'))).rejects.toThrow('EISDIR');
});

describe('old versions', () => {
  test('at most 47 are kept, the newest among them', async () => {
    const store = storeIn(temporaryFolder());
    for (let i = 0; i < 100; i += 1) {
      await store.change(increment('a'));
      expect(versions(store).length).toBeLessThan(kept + collectEvery);
    }
    expect(versions(store).at(-1)).toBe('s.000000000100.json');
  });
});

test.runIf(process.platform === 'linux')(
  'a change in a state directory that was removed under a mount or an open folder is an error, and no spin',
  async () => {
    const folder = temporaryFolder();
    const open = openSync(folder, 'r');
    onTestFinished(() => closeSync(open));
    rmdirSync(folder);
    const lost = new VersionStore(`/proc/${process.pid}/fd/${open}/mutexes/web`, noCounters, () => null);
    await expect(lost.change(increment('x'))).rejects.toThrow('no folder can be made');
    lost.watch(() => undefined)();
  },
);

describe('watching', () => {
  test('a change by another process wakes a watcher', async () => {
    const store = storeIn(temporaryFolder());
    const woken = Promise.withResolvers<void>();
    const stop = store.watch(() => woken.resolve());
    onTestFinished(stop);
    start(store.directory, 'x', 'count', '1');
    await woken.promise;
  });

  test('where no directory can be made is no error: who waits looks by a clock too', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'store'), 'a file');
    storeIn(folder).watch(() => undefined)();
  });
});
