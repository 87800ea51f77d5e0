/**
 * The torture of fleet.test.ts for as long as you like: npm run torture -- fleet [seconds, 600 when absent] [seed, to
 * see the same decisions again]. Two hosts behind two wires in rounds of a minute, each on an engine of its own.
 */
import { fleetChaos, openEngine } from './fleet-chaos.ts';

const seconds = Number(process.argv[2] ?? 600);
const firstSeed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const faults = { violations: 0, lostWaiters: 0, orderErrors: 0, crashes: 0 };
const seen = { grants: 0, lateOrphans: 0 };
const troubles = { kill: 0, freeze: 0, abandon: 0, reset: 0, cut: 0, stall: 0, engine: 0 };
for (let done = 0, seed = firstSeed; done < seconds; seed += 1) {
  const round = Math.min(60, seconds - done);
  await using postgres = await openEngine();
  const c = await fleetChaos(postgres, {
    seed,
    seconds: round,
    perHost: 4,
    mutexes: 3,
    killEveryMs: 700,
    freezeEveryMs: 1_500,
    abandonEveryMs: 400,
    wireEveryMs: 1_200,
    engineEveryMs: 9_000,
    longestMs: 20_000,
    drainMs: 120_000,
  });
  done += round;
  for (const key of Object.keys(faults) as (keyof typeof faults)[]) faults[key] += c[key];
  for (const key of Object.keys(seen) as (keyof typeof seen)[]) seen[key] += c[key];
  for (const key of Object.keys(troubles) as (keyof typeof troubles)[]) troubles[key] += c.troubles[key];
  for (const detail of c.details) process.stdout.write(`seed ${seed}: ${detail}\n`);
  process.stdout.write(`${done} s, seed ${seed}: ${JSON.stringify({ ...faults, ...seen, ...troubles })}\n`);
}
const clean = Object.values(faults).every((n) => n === 0) && seen.grants > 0;
process.stdout.write(clean ? 'CLEAN\n' : 'FAULTS\n');
process.exit(clean ? 0 : 1); // a process that would go on is a fault of this script, not a reason to wait
