/** How the benchmarks of process control measure: percentiles, /proc, a script that tells when it began. */
import { spawn } from 'node:child_process';
import { existsSync, openSync, closeSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../support/world.ts';

/** Wall clock with microseconds, comparable with bash's EPOCHREALTIME. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? NaN;
}

/** Its first instruction that can be seen: the shell's clock. The name appears complete. */
export const firstInstruction = (file: string): string[] => [
  'bash',
  '-c',
  `t=$EPOCHREALTIME; echo $t > ${file}.part; mv ${file}.part ${file}`,
];

export async function readMoment(file: string): Promise<number> {
  while (!existsSync(file)) await delay(1);
  const ms = Number(readFileSync(file, 'utf8').replace(',', '.')) * 1000;
  rmSync(file);
  return ms;
}

/** The same script, started as a supervisor without any promise would. */
export async function rawSpawn(world: World, command: readonly string[], log = 'raw.log'): Promise<void> {
  const output = openSync(join(world.home, log), 'a');
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['ignore', output, output], cwd: world.home, detached: true });
  closeSync(output);
  await new Promise((resolve) => child.once('exit', resolve));
}

export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Memory that nobody else uses, MB. */
export function privateMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return (kb('Private_Clean') + kb('Private_Dirty')) / 1024;
}

/** Runners that wait for an order: children of the host that run the runner program and have no title yet. */
export function warmRunners(world: World): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1];
        return (
          Number(parent) === world.hostPid && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('runner.cjs')
        );
      } catch {
        return false;
      }
    });
}

/** Resolves when a warm runner has loaded and waits: it uses no more CPU. */
export async function untilWarm(world: World): Promise<void> {
  let before = -1;
  for (;;) {
    const [pid] = warmRunners(world);
    if (pid !== undefined) {
      const used = cpuMsOf(pid);
      if (used > 0 && used === before) return;
      before = used;
    }
    await delay(60);
  }
}

/** Ends every warm runner, also one that was just being made; and lets the host see it. */
export async function endWarmRunners(world: World): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet += 1) {
    for (const pid of warmRunners(world)) {
      process.kill(pid, 'SIGKILL');
      quiet = 0;
    }
    await delay(50);
  }
}
