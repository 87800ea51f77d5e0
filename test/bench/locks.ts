/** Figures of mutexes and journal: npm run bench -- locks; a table, then JSON. Recovery: test/bench/recovery.ts. */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { Journal } from '../../app/journal/journal.ts';
import { Mutexes } from '../../app/locks/index.ts';
import { openProcessControl } from '../../app/processes/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'unjam-bench-'));
const control = await openProcessControl();
const figures: Record<string, number | string> = {};
const sorted = (times: number[]): number[] => times.sort((a, b) => a - b);
const at = (times: number[], share: number): number => times[Math.floor(times.length * share)] ?? 0;
const record = (what: string, value: number): void => {
  figures[what] = Number(value.toPrecision(3));
  process.stdout.write(`${what.padEnd(66)} ${String(figures[what]).padStart(8)}\n`);
};

async function timed(what: string, times: number, act: (i: number) => unknown): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const began = performance.now();
    await act(i);
    took.push(performance.now() - began);
  }
  sorted(took);
  record(`${what}, p50 ms`, at(took, 0.5));
  record(`${what}, p99 ms`, at(took, 0.99));
}

const waiter = (id: string) => ({ id, ticket: id, name: id, level: 'full', runner: control.self, ancestors: [], queuedAt: 0 }) as const; // prettier-ignore

async function pairs(): Promise<void> {
  const mutex = new Mutexes(folder, control).open('pair');
  const pair = async (): Promise<void> => {
    const id = randomUUID();
    const state = await mutex.enqueue(waiter(id));
    await mutex.release(id, state.fence);
  };
  for (let i = 0; i < 100; i += 1) await pair();
  await timed('acquire + release, uncontended', 1_000, pair);
  mkdirSync(join(folder, 'pl'));
  await timed('  proper-lockfile alone', 500, async () => (await lockfile.lock(join(folder, 'pl')))());
  await timed('  flock(1)', 50, () => spawnSync('flock', [join(folder, 'flock'), 'true']));
  let chain = Promise.resolve();
  await timed('  floor: a promise within one process', 1_000, () => (chain = chain.then(() => undefined)));
}

async function handOff(how: 'unjam' | 'calamari' | 'proper-lockfile', rounds: number): Promise<void> {
  const own = join(folder, how);
  mkdirSync(own);
  const mutex = new Mutexes(own, control).open('bench');
  const other = spawn(process.execPath, [join(import.meta.dirname, 'locks-waiter.ts'), own, how], { stdio: ['pipe', 'pipe', 'inherit'] }); // prettier-ignore
  const lines = createInterface({ input: other.stdout })[Symbol.asyncIterator]();
  const took: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    const id = randomUUID();
    const release = how === 'unjam' ? null : await lockfile.lock(own, { realpath: false });
    const state = release === null ? await mutex.enqueue(waiter(id)) : null;
    other.stdin.write('go\n');
    await lines.next();
    await delay(30 + Math.random() * (how === 'unjam' ? 50 : 600));
    const began = performance.timeOrigin + performance.now();
    if (state) await mutex.release(id, state.fence);
    else await release?.();
    took.push(Number((await lines.next()).value) - began);
    await delay(20);
  }
  other.stdin.end();
  sorted(took);
  const name = { unjam: 'hand-off between processes', calamari: '  polling 10 to 500 ms, random', 'proper-lockfile': '  proper-lockfile, retries 10 to 500 ms' }[how]; // prettier-ignore
  record(`${name}, p50 ms`, at(took, 0.5));
  record(`${name}, p99 ms`, at(took, 0.99));
}

async function manyWaiters(): Promise<void> {
  const mutex = new Mutexes(folder, control).open('many');
  for (let i = 0; i < 1_001; i += 1) {
    const began = performance.now();
    await mutex.enqueue(waiter(`w${i}`));
    if (i === 10 || i === 1_000) record(`joining a queue of ${i}, ms`, performance.now() - began);
  }
  const began = performance.now();
  for (let i = 0; i < 1_001; i += 1) await mutex.release(`w${i}`, i + 1);
  record('1,000 waiters served, ms each', (performance.now() - began) / 1_001);
}

async function journal(): Promise<void> {
  const j = new Journal(join(folder, 'journal.sqlite'), (line) => process.stderr.write(line));
  const entry = (kind: 'note' | 'abandoned', i: number) => ({ at: i, ticket: 't', name: 'n', mutex: null, who: 'kim', via: 'cli', kind, code: null, text: 'x'.repeat(120), source: `${kind}:${i}`, data: null }); // prettier-ignore
  await timed('journal entry without fsync', 2_000, (i) => j.append(entry('note', i)));
  await timed('journal entry with fsync (decisions)', 300, (i) => j.append(entry('abandoned', i)));
  j.close();
}

try {
  await pairs();
  await handOff('unjam', 200);
  await handOff('calamari', 30);
  await handOff('proper-lockfile', 30);
  await manyWaiters();
  await journal();
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
