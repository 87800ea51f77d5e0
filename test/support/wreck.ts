/** What crashes, power cuts and other people's processes leave behind, made on purpose in a world whose host is dead. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import type { World } from './world.ts';

const lastPid = '/proc/sys/kernel/ns_last_pid';

export const runOf = (world: World, ticket: string): RunDirectory => new RunDirectory(join(world.home, 'runs', ticket));

export function runnerOf(world: World, ticket: string): ProcessIdentity {
  const runner = runOf(world, ticket).readRunner()?.runner;
  if (!runner) throw new Error(`${ticket} has no runner.`);
  return runner;
}

export function rootOf(world: World, ticket: string): ProcessIdentity {
  const scope = runOf(world, ticket).readStarted()?.scope;
  if (!scope) throw new Error(`${ticket} has not started.`);
  return scope.root;
}

/** SIGKILL; resolves when the kernel knows it no more. */
export async function end(world: World, ...processes: ProcessIdentity[]): Promise<void> {
  for (const process of processes) world.control.end(process);
  while (processes.some((p) => world.control.liveness(p) !== 'dead')) await delay(5);
}

export async function untilFile(path: string): Promise<void> {
  while (!existsSync(path)) await delay(5);
}

/** Lets the script end while its runner can write exit.json but no verdict, then kills the runner. */
export async function dieBeforeVerdict(world: World, ticket: string, letEnd: () => void): Promise<void> {
  const verdict = join(runOf(world, ticket).path, 'verdict.json');
  mkdirSync(verdict);
  letEnd();
  await untilFile(join(runOf(world, ticket).path, 'exit.json'));
  await end(world, runnerOf(world, ticket));
  rmdirSync(verdict);
}

/** True where a pid can be had again on purpose. */
export const canReusePids = process.platform === 'linux' && process.getuid?.() === 0 && existsSync(lastPid);

/** A stranger's process under a pid that was somebody else's. */
export async function reuse(pid: number): Promise<ChildProcess> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    writeFileSync(lastPid, String(pid - 1));
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    if (child.pid === pid) {
      onTestFinished(() => void child.kill('SIGKILL'));
      return child;
    }
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
  throw new Error(`PID ${pid} could not be had again.`);
}

/** Makes every record of the world one of an earlier boot. */
export function reboot(world: World): void {
  for (const file of readdirSync(world.home, { recursive: true, encoding: 'utf8' }).filter((f) =>
    f.endsWith('.json'),
  )) {
    const path = join(world.home, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll(/"bootId":"[^"]*"/g, '"bootId":"00000000-0000-0000-0000-000000000000"'));
  }
}
