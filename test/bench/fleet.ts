/**
 * Several hosts over one PostgreSQL: npm run bench -- fleet [handover|reach]; all of them when absent.
 * `handover`: from one host's release of a mutex until a waiter on another host knows that it holds it, alone and beside
 * 200 waiters, and the same with PostgreSQL's own advisory locks. `reach`: from a question to another host to its answer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CallClient } from '../../app/fleet/call-client.ts';
import { Engine } from '../../app/fleet/postgres.ts';
import type { Postgres } from '../support/postgres.ts';
import { World } from '../support/world.ts';
import { fleetConfig, openFleet } from './fleet-engine.ts';
import { percentile } from './processes-measure.ts';

const [, , only] = process.argv;
const record = (figures: Record<string, string | number>): void =>
  console.log(JSON.stringify({ ...figures, load: Number(loadavg()[0]?.toFixed(1)) }));
const tenths = (ms: number): number => Math.round(ms * 10) / 10;

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('close', done));
  child.kill('SIGKILL');
  await gone;
}

/** Hand-overs once everybody has queued, and how long that took from the start of the processes, ms. */
async function handOvers(postgres: Postgres, how: string, runners: number, rounds: number) {
  const home = mkdtempSync(join(tmpdir(), 'unjam-bench-'));
  const hosts = ['web-1', 'web-2'].map(
    (host) =>
    spawn(process.execPath, [join(import.meta.dirname, 'fleet-runners.ts'), home, host, String(runners / 2), how, String(postgres.port)], { stdio: ['ignore', 'pipe', 'inherit'] }), // prettier-ignore
  );
  const moments: { readonly what: string; readonly at: number }[] = [];
  let queued = 0;
  let queuedMs = 0;
  const began = performance.now();
  await new Promise<void>((enough) => {
    for (const { stdout } of hosts)
      createInterface({ input: stdout }).on('line', (line) => {
        const [what = '', at = ''] = line.split(' ');
        if (what === 'queued') {
          queued += 1;
          if (queued === runners) queuedMs = performance.now() - began;
        } else if (queued >= runners) moments.push({ what, at: Number(at) });
        if (moments.length > 2 * rounds) enough();
      });
  });
  await Promise.all(hosts.map(ended));
  rmSync(home, { recursive: true, force: true });
  moments.sort((a, b) => a.at - b.at);
  const took = moments.flatMap(({ what, at }, i) => {
    const before = moments[i - 1];
    return what === 'got' && before?.what === 'released' ? [at - before.at] : [];
  });
  return { took, queuedMs };
}

async function handOver(): Promise<void> {
  for (const [how, waiters] of [
    ['unjam', 1],
    ['waits', 1],
    ['notified', 1],
    ['polls', 1],
    ['unjam', 201],
    ['waits', 201],
    ['notified', 201],
  ] as const) {
    await using postgres = await openFleet(['web-1', 'web-2'], 300);
    const { took, queuedMs } = await handOvers(postgres, how, waiters + 1, how === 'polls' ? 60 : 200);
    record({ handOver: how, beside: waiters - 1, queuedMs: Math.round(queuedMs), rounds: took.length, p50: tenths(percentile(took, 50)), p99: tenths(percentile(took, 99)), max: tenths(percentile(took, 100)) }); // prettier-ignore
  }
}

async function reach(): Promise<void> {
  await using postgres = await openFleet([], 300);
  await postgres.sql('create role "web-1" login in role unjam_host');
  await using world = await World.open();
  const invitation = (user: string): string => {
    const file = join(world.home, `${user}.json`);
    writeFileSync(file, JSON.stringify({ unjam: 'fleet invitation', engine: `postgresql://${user}@127.0.0.1:${postgres.port}/postgres` })); // prettier-ignore
    return file;
  };
  const joined = await world.cli('fleet', 'join', invitation('web-1'));
  if (joined.status !== 0) throw new Error(joined.stderr);
  const client = new CallClient(new Engine(fleetConfig('oncall', postgres.port).engine, 'bench'), 'web-1');
  const asked: number[] = [];
  const acted: number[] = [];
  const commands: number[] = [];
  const timed = async (to: number[], act: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    await act();
    to.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, Math.random() * 1_000)); // else in step with the host's looks
  };
  await client.call('scripts.list', {}); // the host has taken its place in the fleet by now
  for (let i = 0; i < 40; i += 1) {
    const ticket = `s${i}`;
    await world.start('trap "" TERM; while :; do sleep 3600 & wait; done', { ticket });
    await world.until(ticket, (s) => s.state === 'running');
    await timed(asked, () => client.call('scripts.get', { ticket }));
    await timed(acted, () => client.call('scripts.cancel', { ticket, graceMs: 3_600_000, escalate: false }));
  }
  const as = invitation('oncall');
  for (let i = 0; i < 20; i += 1) await timed(commands, () => world.cli('ps', '--host', 'web-1', '--as', as));
  client.close();
  for (const [what, took] of [
    ['scripts.get', asked],
    ['scripts.cancel', acted],
    ['unjam ps --host', commands],
  ] as const)
    record({ reach: what, rounds: took.length, p50: tenths(percentile(took, 50)), p99: tenths(percentile(took, 99)), max: tenths(percentile(took, 100)) }); // prettier-ignore
}

const parts: Record<string, () => Promise<void>> = { handover: handOver, reach };
for (const [name, part] of Object.entries(parts)) if (only === undefined || only === name) await part();
