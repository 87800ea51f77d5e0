/**
 * Scripts of all kinds run while their host, their runners or both are killed at random. The scripts themselves write
 * down what they did; afterwards what Unjam says is compared with that.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ScriptView } from '../../app/contract/methods.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { World } from '../support/world.ts';
import { countLeaks, hostDescriptors } from './processes-leaks.ts';
import { judge, type Report, type Truth } from './processes-oracle.ts';
import { Sentinels } from './processes-sentinels.ts';

export interface ChaosOptions {
  readonly kills: number;
  readonly parallel: number;
  readonly killEveryMs: number;
}

/** Every body writes the code that it is about to exit with, as its last act. */
const bodies: readonly ((code: number) => string)[] = [
  (code) => `say ${code}`,
  (code) => `for i in {1..30}; do echo line $i; echo error $i >&2; sleep 0.02; done; say ${code}`,
  (code) => `sleep 0.3 & sleep 0.4 & wait; say ${code}`,
  (code) => `trap "" TERM; for i in {1..40}; do sleep 0.05; done; say ${code}`,
  (code) => `setsid sleep 1 & (setsid sleep 1 &); sleep 0.5; say ${code}`,
  (code) => `head -c 3000000 /dev/zero | tr "\\0" x; say ${code}`,
  (code) => `trap "say 99" TERM; for i in {1..30}; do sleep 0.05; done; say ${code}`,
  (code) => `kill -STOP $$; say ${code}`,
  (code) => `sleep 1 & say ${code}`, // a grandchild keeps the output open
  (code) => `(sleep 0.05 & exec sleep 0.5); say ${code}`, // with a zombie in its tree
  (code) => `for i in {1..60}; do (sleep 0.2 &); done; say ${code}`,
  (code) => `(env -i setsid /bin/sleep 1 &); sleep 0.3; say ${code}`,
];

export async function chaos(options: ChaosOptions): Promise<Report> {
  await using world = await World.open();
  await using sentinels = await Sentinels.start(world.home);
  const truth: Truth = { started: new Map(), runnerKilled: new Set(), asked: new Map() };
  const folder = join(world.home, 'truth');
  mkdirSync(folder);
  const descriptorsBefore = hostDescriptors(world.hostPid);
  const living = new Set<string>();
  let count = 0;

  async function begin(): Promise<void> {
    const ticket = `t-${(count += 1)}`;
    const code = count % 90;
    truth.started.set(ticket, code);
    living.add(ticket);
    const say = `say() { echo $1 > ${folder}/code-${ticket}; exit $1; }`;
    const input = {
      ticket,
      command: ['bash', '-c', `echo ran >> ${folder}/ran-${ticket}; ${say}; ${bodies[count % bodies.length]?.(code)}`],
      cwd: world.home,
      notify: ['sh', '-c', `echo "$UNJAM_TICKET $UNJAM_COMPLETION_ID" >> ${world.home}/completions`],
      graceMs: 300,
      ...(count % 3 === 0 ? { isolation: { level: 'full' as const, mutex: `m${count % 2}` } } : {}),
    };
    await insist(() => world.client.call('scripts.start', input)); // the same ticket again and again
  }

  /** Repeats a call while the host is being replaced. */
  async function insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;)
      try {
        return await call();
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== 'host-unreachable' && code !== 'host-timeout' && code !== 'unauthorized') throw error;
        await delay(10);
      }
  }

  /** The last view of every script: a host forgets finished ones beyond the 500 newest. */
  const seen = new Map<string, ScriptView>();
  async function all(): Promise<ScriptView[]> {
    const views = await insist(() => world.client.call('scripts.list', { all: true }));
    for (const view of views) seen.set(view.ticket, view);
    return views;
  }

  async function refill(): Promise<void> {
    for (const s of await all()) if (s.state === 'final' && !s.orphan) living.delete(s.ticket);
    const missing = options.parallel - living.size;
    await Promise.all(Array.from({ length: missing }, begin));
  }

  function killRunner(): void {
    const ticket = pick([...living]);
    const runner = ticket && new RunDirectory(join(world.home, 'runs', ticket)).readRunner()?.runner;
    if (!ticket || !runner || world.control.end(runner).kind !== 'sent') return;
    truth.runnerKilled.add(ticket);
  }

  async function ask(): Promise<void> {
    const ticket = pick([...living]);
    const verb = pick(['scripts.cancel', 'scripts.kill', 'scripts.abandon'] as const);
    if (!ticket || !verb) return;
    truth.asked.set(ticket, [...(truth.asked.get(ticket) ?? []), verb]);
    await insist(() => world.client.call(verb, { ticket })).catch(() => undefined); // refused: too late, an orphan
  }

  const kills = { host: 0, runner: 0, both: 0 };
  for (let done = 0; done < options.kills; done += 1) {
    await refill();
    void ask();
    await delay(options.killEveryMs * (0.5 + Math.random()));
    const what = pick(['host', 'runner', 'both'] as const) ?? 'host';
    kills[what] += 1;
    if (what !== 'host') killRunner();
    if (what !== 'runner') await world.restartHost();
  }

  // The storm is over: everything must come to its end.
  const deadline = performance.now() + 120_000;
  const unfinished = async (): Promise<ScriptView[]> => (await all()).filter((s) => s.state !== 'final' || s.orphan);
  for (let left = await unfinished(); left.length > 0 && performance.now() < deadline; left = await unfinished()) {
    for (const { ticket } of left) {
      truth.asked.set(ticket, [...(truth.asked.get(ticket) ?? []), 'scripts.kill']);
      await world.client.call('scripts.kill', { ticket }).catch(() => undefined);
    }
    await delay(100);
  }
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const completions = (): string => read(join(world.home, 'completions'));
  const delivered = (): number => new Set(completions().match(/^t-\d+/gm)).size;
  while (delivered() < truth.started.size && performance.now() < deadline) await delay(50);
  await all();
  const locks = await world.client.call('locks.list', {});
  const leaks = await countLeaks(world, descriptorsBefore);
  return {
    kills,
    ...judge(truth, [...seen.values()], {
      code: (ticket) => read(join(folder, `code-${ticket}`)).trim(),
      ran: (ticket) => read(join(folder, `ran-${ticket}`)).length / 'ran\n'.length,
      completions: completions(),
    }),
    busyMutexes: locks.length,
    foreignSignals: sentinels.signalled(),
    leaks,
  };
}

function pick<T>(from: readonly T[]): T | undefined {
  return from[Math.floor(Math.random() * from.length)];
}
