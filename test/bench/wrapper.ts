/**
 * What a wrapper costs in front of every step: whole commands, median of nine, beside a bare start of the same Node and
 * flock(1); and how long a line of output is on its way through `unjam run`. `npm run bench -- wrapper`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const home = mkdtempSync(join(tmpdir(), 'unjam-bench-'));
const program = join(import.meta.dirname, '../../dist/cli.js');
const env = { ...process.env, UNJAM_HOME: home };
const unjam = (...words: string[]): string[] => [process.execPath, program, ...words];
const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

function timed([file = '', ...args]: readonly string[]): number {
  const once = (): number => {
    const began = performance.now();
    spawnSync(file, args, { env, stdio: 'ignore' });
    return performance.now() - began;
  };
  once();
  return median(Array.from({ length: 9 }, once));
}

/** From the moment at which a script writes a line to the moment at which `unjam run` has printed it, ms. */
async function streamingDelays(): Promise<number[]> {
  const script = 'const w = () => process.stdout.write(Date.now() + "\\n"); let n = 0; const t = setInterval(() => { w(); if (++n === 40) clearInterval(t); }, 97)'; // prettier-ignore
  const child = spawn(process.execPath, [program, 'run', '--', process.execPath, '-e', script], { env, stdio: ['ignore', 'pipe', 'ignore'] }); // prettier-ignore
  const delays: number[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trimEnd().split('\n')) delays.push(Date.now() - Number(line));
  });
  await new Promise((resolve) => child.once('close', resolve));
  return delays;
}

const node = timed([process.execPath, '-e', '0']);
const rows: [string, number][] = [
  ['node -e 0', node],
  ['flock FILE true', timed(['flock', join(home, 'lock'), 'true'])],
  ['unjam --version', timed(unjam('--version'))],
  ['unjam hold --mutex m -- true', timed(unjam('hold', '--mutex', 'm', '--', 'true'))],
  ['unjam ps', timed(unjam('ps'))],
  ['unjam start -- true', timed(unjam('start', '--', 'true'))],
  ['unjam run -- true', timed(unjam('run', '--', 'true'))],
];
for (const [name, ms] of rows)
  process.stdout.write(`${name.padEnd(32)} ${ms.toFixed(0).padStart(6)} ms  ${(ms / node).toFixed(1)} x node\n`);
const delays = await streamingDelays();
process.stdout.write(`a line through unjam run: median ${median(delays)} ms of ${delays.length}\n`);

const { host } = JSON.parse(readFileSync(join(home, 'host.json'), 'utf8')) as { host: { pid: number } };
process.kill(host.pid);
while (isThere(host.pid)) await delay(20); // as it leaves, it still writes
rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
