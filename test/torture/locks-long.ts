/**
 * The torture of locks.test.ts for as long as you like: npm run torture -- locks [seconds, 600 when absent].
 * 16 processes on 4 mutexes in rounds of a minute; each round drains and removes everything that it made.
 */
import { chaos } from './locks-chaos.ts';
import { percentile } from './locks-oracle.ts';

const seconds = Number(process.argv[2] ?? 600);
const faults = { violations: 0, lostWaiters: 0, orderErrors: 0, crashes: 0 };
const seen = { grants: 0, kills: 0, freezes: 0, abandons: 0, lateOrphans: 0 };
const handOffsMs: number[] = [];
for (let done = 0; done < seconds;) {
  const round = Math.min(60, seconds - done);
  const c = await chaos({
    seconds: round,
    killEveryMs: 300 + Math.random() * 700,
    freezeEveryMs: 100 + Math.random() * 500,
    abandonEveryMs: 60 + Math.random() * 500,
  });
  done += round;
  for (const key of Object.keys(faults) as (keyof typeof faults)[]) faults[key] += c[key];
  for (const key of Object.keys(seen) as (keyof typeof seen)[]) seen[key] += c[key];
  handOffsMs.push(...c.handOffsMs);
  handOffsMs.sort((a, b) => a - b);
  for (const detail of c.details) process.stdout.write(`violation: ${detail}\n`);
  const handOff = [50, 99].map((p) => `p${p} ${percentile(handOffsMs, p).toFixed(1)} ms`).join(', ');
  process.stdout.write(`${done} s: ${JSON.stringify({ ...faults, ...seen })}, hand-off ${handOff}\n`);
}
const clean = Object.values(faults).every((n) => n === 0) && seen.grants > 0;
process.stdout.write(clean ? 'CLEAN\n' : 'FAULTS\n');
process.exit(clean ? 0 : 1); // a process that would go on is a fault of this script, not a reason to wait
