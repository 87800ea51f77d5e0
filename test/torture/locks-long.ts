/** The torture of locks.test.ts for as long as you like: node test/torture/locks-long.ts [seconds] */
import { chaos } from './locks-chaos.ts';
import { percentile } from './locks-oracle.ts';

const seconds = Number(process.argv[2] ?? 300);
const total = {
  grants: 0,
  violations: 0,
  lostWaiters: 0,
  orderErrors: 0,
  kills: 0,
  abandons: 0,
  lateOrphans: 0,
  crashes: 0,
};
const handOffsMs: number[] = [];
for (let done = 0; done < seconds;) {
  const c = await chaos({
    seconds: Math.min(60, seconds - done),
    killEveryMs: 300 + Math.random() * 700,
    freezeEveryMs: 100 + Math.random() * 500,
    abandonEveryMs: 60 + Math.random() * 500,
  });
  done += Math.min(60, seconds - done);
  for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += c[key];
  handOffsMs.push(...c.handOffsMs);
  handOffsMs.sort((a, b) => a - b);
  for (const detail of c.details) process.stdout.write(`violation: ${detail}\n`);
  process.stdout.write(
    `${done} s: ${JSON.stringify(total)}, hand-off p50 ${percentile(handOffsMs, 50).toFixed(1)} ms, p99 ${percentile(handOffsMs, 99).toFixed(1)} ms\n`,
  );
}
process.exitCode =
  total.violations + total.lostWaiters + total.orderErrors + total.crashes === 0 && total.grants > 0 ? 0 : 1;
