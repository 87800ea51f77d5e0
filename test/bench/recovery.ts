/**
 * How long a host takes to start among many scripts: npm run bench -- recovery [live scripts] [finished scripts].
 * The live ones have the run directories, holds and process trees of real ones, but `sleep` stands in for their runners:
 * 500 real runners would take 20 GB of memory. A host only asks the kernel whether a runner lives.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import type { ScriptSpec } from '../../app/domain/script.ts';
import { Journal } from '../../app/journal/journal.ts';
import { Mutexes } from '../../app/locks/index.ts';
import { RunDirectory, runnerProtocol } from '../../app/run-directory/run-directory.ts';
import { World } from '../support/world.ts';

const [live = 500, finished = 10_000] = process.argv.slice(2).map(Number);
const standIns: ChildProcess[] = [];
const say = (what: string, value: string): void => void process.stdout.write(`${what.padEnd(60)} ${value}\n`);

async function standIn(world: World, runId: string): Promise<ProcessIdentity> {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { UNJAM_RUN: runId } });
  standIns.push(child);
  await once(child, 'spawn');
  const identity = child.pid === undefined ? null : world.control.identify(child.pid);
  if (identity === null) throw new Error('A stand-in ended.');
  return identity;
}

/** As the host, the runner and the mutex leave a running script; half of them each hold a mutex. */
async function liveScript(world: World, model: ScriptSpec, i: number): Promise<void> {
  const [ticket, runId] = [`live-${i}`, `run-live-${i}`];
  const directory = new RunDirectory(join(world.home, 'runs', ticket));
  const isolation = i % 2 === 0 ? ({ level: 'full', mutex: `m ${i}`, timeoutMs: null } as const) : null;
  const [runner, root] = [await standIn(world, 'none'), await standIn(world, runId)];
  const scope = { root, runId, group: root.pid, job: null };
  directory.create();
  directory.append('host', { type: 'note' });
  await directory.writeSpec({ ...model, ticket, runId, isolation, createdAt: Date.now() });
  directory.writeRunner({ schema: 1, protocol: runnerProtocol, runner, claimedAt: Date.now() });
  let fence: number | null = null;
  if (isolation) {
    const mutex = new Mutexes(join(world.home, 'mutexes'), world.control).open(isolation.mutex);
    const waiter = { id: runId, ticket, name: ticket, level: isolation.level, runner, ancestors: [], queuedAt: Date.now() }; // prettier-ignore
    fence = (await mutex.enqueue(waiter)).fence;
    await mutex.confirm(runId, fence, scope);
    directory.append('runner', { type: 'granted', mutex: isolation.mutex, fence, waitedMs: 0 });
  }
  directory.writeStarted({ schema: 1, scope, fence, startedAt: Date.now(), waitedMs: 0 });
  directory.append('runner', { type: 'started', pid: root.pid });
  writeFileSync(directory.stdoutPath, 'copying\n');
}

function finishedScripts(world: World, model: ScriptSpec): void {
  const runs = join(world.home, 'runs');
  const from = join(world.home, 'model');
  const journal = new Journal(join(world.home, 'journal.sqlite'), () => undefined);
  journal.together(() => {
    for (let i = 0; i < finished; i += 1) {
      const folder = join(runs, `old-${i}`);
      cpSync(from, folder, { recursive: true });
      for (const file of ['spec.json', 'tree.json'])
        writeFileSync(
          join(folder, file),
          readFileSync(join(from, file), 'utf8').replaceAll(model.ticket, `old-${i}`).replaceAll(model.runId, `run-${i}`), // prettier-ignore
        );
      journal.append({ at: Date.now(), ticket: `old-${i}`, name: 'n', mutex: null, who: 'u', via: 'unjam', kind: 'final', code: null, text: '', source: `run-${i}:1`, data: null }); // prettier-ignore
    }
  });
  journal.close();
}

async function measure(world: World, what: string): Promise<void> {
  let began = performance.now();
  await world.startHost();
  say(`host starts with ${what}`, `${Math.round(performance.now() - began)} ms`);
  began = performance.now();
  await world.cli('ps');
  say('  unjam ps, with the start of Node', `${Math.round(performance.now() - began)} ms`);
  let lists = 0;
  for (const until of [0, 100, 1_000, 3_000]) {
    for (; lists < until; lists += 1) await world.client.call('scripts.list', {});
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${world.hostPid}/status`, 'utf8'))?.[1];
    say(`  memory of the host after ${lists} lists`, `${Math.round(Number(rss) / 1_024)} MB`);
  }
}

try {
  await using world = await World.open();
  const model = { ticket: 'model', waitMs: 20_000 };
  await world.start('true', model);
  while (new RunDirectory(join(world.home, 'runs', 'model')).readTree() === null) await delay(10);
  await world.killHost();
  const spec = new RunDirectory(join(world.home, 'runs', 'model')).readSpec();
  if (spec === null) throw new Error('The model script has no spec.');
  cpSync(join(world.home, 'runs', 'model'), join(world.home, 'model'), { recursive: true }); // it may be pruned
  mkdirSync(join(world.home, 'mutexes'), { recursive: true });
  for (let i = 0; i < live; i += 1) await liveScript(world, spec, i);
  await measure(world, `${live} live scripts`);
  const adopted = (await world.client.call('scripts.list', {})).filter((s) => s.state === 'running').length;
  if (adopted !== live) throw new Error(`${adopted} of ${live} were adopted.`);
  await world.killHost();
  for (const child of standIns) child.kill('SIGKILL');
  await world.startHost(); // concludes what has gone
  await world.killHost();
  finishedScripts(world, spec);
  await measure(world, `${finished} finished scripts`);
  say('load average', loadavg().map((l) => l.toFixed(1)).join(' ')); // prettier-ignore
} finally {
  for (const child of standIns) child.kill('SIGKILL');
}
