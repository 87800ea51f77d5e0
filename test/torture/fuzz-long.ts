/**
 * The fuzzing of fuzz.test.ts with as many requests as you like: npm run torture -- fuzz [requests, 100000 when absent]
 * [seed, to see the same requests again].
 */
import { fuzz } from './fuzz-chaos.ts';

const [wanted = '100000', seed] = process.argv.slice(2);
let isOver = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (isOver = true));
const began = performance.now();
const report = await fuzz(Number(wanted), {
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  goesOn: (requests) => {
    process.stdout.write(`${Math.round((performance.now() - began) / 1_000)} s: ${requests}\n`);
    return !isOver;
  },
});
const { crashes, effects, malformed, memory, inUse, ...figures } = report;
const total = Object.values(report.requests).reduce((a, b) => a + b, 0);
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
for (const [what, list] of Object.entries({ crashes, effects, malformed }))
  for (const line of list.slice(0, 20)) process.stdout.write(`${what}: ${line}\n`);
for (const [what, list] of Object.entries({ memory, 'in use': inUse })) {
  const mb = list.map((value) => Math.round(value));
  const some = mb.filter((_, i) => i % Math.ceil(mb.length / 20) === 0);
  process.stdout.write(`${what} of the host, MB: ${some.join(' ')}, at the end ${mb.at(-1)}\n`);
}
const faults = crashes.length + effects.length + malformed.length;
process.stdout.write(`${total} requests, ${faults} faults\n`);
process.exit(faults === 0 ? 0 : 1);
