/**
 * Process control against raw spawn in the same run: npm run bench -- processes [name…]
 * Prints a table, and the figures as JSON. What they mean and what limits them: docs/benchmarks.md.
 */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { World } from '../support/world.ts';
import * as m from './processes-measure.ts';

interface Figure {
  readonly what: string;
  readonly unjam: number;
  readonly peer: number | null;
  readonly unit: string;
  readonly goal: string;
}

const figures: Figure[] = [];
function figure(what: string, unit: string, unjam: number, peer: number | null, goal = ''): void {
  const row = { what, unjam: round(unjam), peer: peer === null ? null : round(peer), unit, goal };
  figures.push(row);
  console.log(
    `${what.padEnd(52)} ${String(row.unjam).padStart(9)} ${unit.padEnd(5)} ${row.peer === null ? '' : `peer ${row.peer}`}  ${goal}`,
  );
}
const round = (n: number): number => Math.round(n * 100) / 100;

const benches: Record<string, () => Promise<void>> = {
  async start() {
    await using world = await World.open();
    const file = join(world.home, 'moment');
    const command = m.firstInstruction(file);
    const [warm, cold, raw]: number[][] = [[], [], []];
    const viaApi = async (): Promise<number> => {
      const began = m.nowMs();
      await world.client.call('scripts.start', { command, cwd: world.home });
      return (await m.readMoment(file)) - began;
    };
    for (let i = 0; i < 20; i += 1) {
      const began = m.nowMs();
      await m.rawSpawn(world, command);
      raw?.push((await m.readMoment(file)) - began);
      await m.untilWarm(world);
      warm?.push(await viaApi());
      if (i % 2 === 0) {
        await m.endWarmRunners(world);
        cold?.push(await viaApi());
      }
    }
    for (const p of [50, 95]) {
      const peer = m.percentile(raw ?? [], p);
      figure(
        `warm start, call to first instruction, p${p}`,
        'ms',
        m.percentile(warm ?? [], p),
        peer,
        p === 50 ? '<= raw + 10' : '',
      );
      figure(
        `cold start, call to first instruction, p${p}`,
        'ms',
        m.percentile(cold ?? [], p),
        peer,
        p === 50 ? '<= 60' : '',
      );
    }
  },

  async burst() {
    await using world = await World.open();
    await m.untilWarm(world);
    const files = Array.from({ length: 50 }, (_, i) => join(world.home, `moment-${i}`));
    const run = async (start: (file: string) => Promise<unknown>): Promise<number> => {
      const began = m.nowMs();
      const moments = await Promise.all(files.map(async (f) => (await start(f), m.readMoment(f))));
      return Math.max(...moments) - began;
    };
    const peer = await run((f) => m.rawSpawn(world, m.firstInstruction(f)));
    const ours = await run((f) =>
      world.client.call('scripts.start', { command: m.firstInstruction(f), cwd: world.home }),
    );
    figure('burst of 50, call to last first instruction', 'ms', ours, peer, '<= 1000');
  },

  async capture() {
    await using world = await World.open();
    await m.untilWarm(world);
    const bytes = 1024 ** 3;
    const command = [
      'bash',
      '-c',
      `s=$EPOCHREALTIME; head -c ${bytes} /dev/zero; e=$EPOCHREALTIME; echo "$s $e" > ${world.home}/times`,
    ];
    // Lives on until it was measured.
    const holding = ['bash', '-c', `${command[2]}; touch done; while [ -e done ]; do sleep 0.01; done`];
    const rate = (): number => {
      const [s = 0, e = 0] = readFileSync(join(world.home, 'times'), 'utf8').split(' ').map(Number);
      return bytes / 1024 ** 2 / (e - s);
    };
    const [ours, peer, host, runner]: number[][] = [[], [], [], []];
    for (let i = 0; i < 3; i += 1) {
      await m.rawSpawn(world, command, `raw-${i}.log`);
      peer?.push(rate());
      const hostBefore = m.cpuMsOf(world.hostPid);
      const { ticket } = await world.client.call('scripts.start', { command: holding, cwd: world.home });
      while (!existsSync(join(world.home, 'done'))) await delay(2);
      const { runnerPid } = await world.get(ticket);
      runner?.push(m.cpuMsOf(runnerPid ?? 0));
      ours?.push(rate());
      host?.push(m.cpuMsOf(world.hostPid) - hostBefore);
      rmSync(join(world.home, 'done'));
      await world.untilFinal(ticket);
      if (statSync(join(world.home, 'runs', ticket, 'stdout.log')).size !== bytes) throw new Error('bytes were lost');
    }
    figure('capture of 1 GiB', 'MB/s', Math.max(...(ours ?? [])), Math.max(...(peer ?? [])), '>= 0.95 of the peer');
    figure('  host CPU meanwhile', 'ms', m.percentile(host ?? [], 50), null);
    figure('  runner CPU, its start included', 'ms', m.percentile(runner ?? [], 50), null);
  },

  async idle() {
    await using world = await World.open();
    const first = await world.start('exec sleep 3600');
    const empty = m.privateMb(world.hostPid);
    for (let i = 0; i < 199; i += 10)
      await Promise.all(Array.from({ length: Math.min(10, 199 - i) }, () => world.start('exec sleep 3600')));
    await m.untilWarm(world);
    const { runnerPid } = await world.get(first.ticket);
    const host = async (ms: number): Promise<number> => {
      const before = m.cpuMsOf(world.hostPid);
      await delay(ms);
      return (100 * (m.cpuMsOf(world.hostPid) - before)) / ms;
    };
    // V8 compiles and collects what the starts have left behind.
    figure('host CPU, 200 scripts, the first 45 s', '%', await host(45_000), null);
    const before = m.cpuMsOf(runnerPid ?? 0);
    figure('host CPU, 200 idle scripts, the next 60 s', '%', await host(60_000), null, '<= 0.5');
    figure('one runner CPU, idle script', '%', (m.cpuMsOf(runnerPid ?? 0) - before) / 600, null);
    figure('private memory of a runner', 'MB', m.privateMb(runnerPid ?? 0), null, '<= 10');
    figure('private memory of the host, 1 script', 'MB', empty, null);
    figure('private memory of the host, 200 scripts', 'MB', m.privateMb(world.hostPid), null);
  },

  async waiters() {
    await using world = await World.open();
    const isolation = { level: 'full' as const, mutex: 'one' };
    await world.start('exec sleep 3600', { isolation });
    const waiting: string[] = [];
    for (let i = 0; i < 120; i += 10)
      for (const { ticket } of await Promise.all(Array.from({ length: 10 }, () => world.start('true', { isolation }))))
        waiting.push(ticket);
    const runners = await Promise.all(waiting.map(async (ticket) => (await world.get(ticket)).runnerPid ?? 0));
    const cpu = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + m.cpuMsOf(pid), 0);
    await delay(30_000); // V8 compiles and collects what the starts have left behind
    const before = [cpu(runners), cpu([world.hostPid])] as const;
    await delay(60_000);
    figure('120 waiters on one mutex, all their runners', '%', (cpu(runners) - before[0]) / 600, null);
    figure('  host CPU meanwhile', '%', (cpu([world.hostPid]) - before[1]) / 600, null);
  },

  async abandon() {
    await using world = await World.open();
    const times: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      const file = join(world.home, `next-${i}`);
      const isolation = { level: 'full' as const, mutex: `m${i}` };
      const hung = await world.start('trap "" TERM; sleep 3600', { isolation });
      await world.client.call('scripts.start', { command: m.firstInstruction(file), cwd: world.home, isolation });
      const began = m.nowMs();
      await world.client.call('scripts.abandon', { ticket: hung.ticket });
      times.push((await m.readMoment(file)) - began);
      await world.client.call('scripts.kill', { ticket: hung.ticket });
    }
    figure('Abandon to the next script’s first instruction, p50', 'ms', m.percentile(times, 50), null);
    figure('Abandon to the next script’s first instruction, p99', 'ms', m.percentile(times, 99), null, '<= 100');
  },

  async tree() {
    await using world = await World.open();
    const body = 'for i in {1..99}; do sleep 3600 & done; echo up; wait';
    const [ours, peer]: number[][] = [[], []];
    for (let i = 0; i < 5; i += 1) {
      const { ticket } = await world.start(body);
      await world.untilLogged(ticket, 'up');
      const began = m.nowMs();
      await world.client.call('scripts.kill', { ticket });
      // Not by the API: its snapshots come at most four times a second.
      while (!existsSync(join(world.home, 'runs', ticket, 'verdict.json'))) await delay(1);
      ours?.push(m.nowMs() - began);
      peer?.push(await killRaw(world, body));
    }
    figure(
      'Force Kill of 100 processes, proven, p50',
      'ms',
      m.percentile(ours ?? [], 50),
      m.percentile(peer ?? [], 50),
    );
  },
};

/** kill(2) of a process group, and the wait for its leader; proves nothing about the others. */
async function killRaw(world: World, body: string): Promise<number> {
  const { spawn } = await import('node:child_process');
  const child = spawn('bash', ['-c', body], { detached: true, stdio: ['ignore', 'pipe', 'ignore'], cwd: world.home });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const began = m.nowMs();
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await gone;
  return m.nowMs() - began;
}

const wanted = process.argv.slice(2);
const load = loadavg()[0];
for (const [name, bench] of Object.entries(benches)) if (wanted.length === 0 || wanted.includes(name)) await bench();
console.log(JSON.stringify({ node: process.version, loadBefore: load, loadAfter: loadavg()[0], figures }));
