/** P11 to P13: how fast the host answers about a 100 MB log, and for how long its event loop is busy at a time. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { LogFiles } from '../support/log-files.ts';
import { fill, lineCount, type Measurement, planted, report } from './log-file.ts';

using log = new LogFiles();
fill(log);
const measurements: Measurement[] = [];
const rounds = 5;

async function measure(bar: string, what: string, limit: number, run: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  const delays: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    log.reader = log.newReader();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const begin = performance.now();
    await run();
    times.push(performance.now() - begin);
    delay.disable();
    delays.push(delay.max / 1e6);
  }
  const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
  measurements.push({ bar, what, value: median(times), unit: 'ms', limit });
  measurements.push({ bar, what: `${what}: longest block of the loop`, value: median(delays), unit: 'ms', limit: 15 });
}

function check(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} instead of ${wanted}`);
}

await measure('P11', 'last screen, before anything is counted', 150, async () => {
  check((await log.lines({ count: 60 })).lines.length, 60);
});
await measure('P12', 'index of 100 MB, 1,000,000 lines', 500, async () => {
  check((await log.lines({ count: 60, waitMs: 10_000 })).total, lineCount + 10);
});
for (const [what, pattern] of [
  ['literal', { text: 'sharing violation' }],
  ['literal, any case', { text: 'SHARING Violation', ignoreCase: true }],
  ['regex', { text: 'sharing \\w+ on file [0-9]+', regex: true }],
  ['regex, any case', { text: 'SHARING \\w+ on file [0-9]+', regex: true, ignoreCase: true }],
] as const) {
  await measure('P13', `${what}: first hit`, 150, async () => {
    check((await log.search({ ...pattern, waitMs: 0 })).total > 0 ? 1 : 0, 1);
  });
  await measure('P13', `${what}: exact count`, 1_000, async () => {
    check((await log.search({ ...pattern, waitMs: 20_000 })).total, planted);
  });
}
await log.lines({ from: 0, count: 1, waitMs: 10_000 });
const jumps = [];
for (let k = 0; k < 300; k += 1) {
  const from = Math.floor(Math.random() * lineCount);
  const begin = performance.now();
  check((await log.lines({ from, count: 200 })).lines[0]?.number ?? 0, from + 1);
  jumps.push(performance.now() - begin);
}
const p95 = jumps.toSorted((a, b) => a - b)[Math.floor(jumps.length * 0.95)] ?? 0;
measurements.push({ bar: 'P9', what: 'host: 200 lines from a random one, p95', value: p95, unit: 'ms', limit: 16 });
report(measurements);
