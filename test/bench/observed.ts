/**
 * What looking at agents costs a host that nobody looks at: npm run bench -- observed [seconds, 60 when absent]
 * Two hosts side by side, one with observing switched off, on a machine with 200 and then 2,000 more processes.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { World } from '../support/world.ts';
import { cpuMsOf } from './processes-measure.ts';

const seconds = Number(process.argv[2] ?? '60');

async function hostWithout(): Promise<World> {
  const world = await World.empty();
  writeFileSync(join(world.home, 'settings.json'), '{"observeAgents":false}', { mode: 0o600 });
  await world.startHost();
  return world;
}

const sleepers = (count: number) =>
  spawn('bash', ['-c', `for ((i = 0; i < ${count}; i += 1)); do sleep 3600 & done; wait`], {
    stdio: 'ignore',
    detached: true,
  });

for (const count of [200, 2_000]) {
  const crowd = sleepers(count);
  try {
    await using off = await hostWithout();
    await using on = await hostWithout();
    await delay(5_000);
    await on.client.call('settings.set', { values: { observeAgents: true } });
    const began = performance.now();
    await on.client.call('observed.list', {});
    const firstMs = Math.round(performance.now() - began);
    await delay(20_000); // V8 compiles and collects what the start has left behind
    const before = [cpuMsOf(on.hostPid), cpuMsOf(off.hostPid)] as const;
    await delay(seconds * 1_000);
    const share = (ms: number): number => Math.round(ms / seconds / 0.1) / 100;
    console.log(
      JSON.stringify({
        processes: count,
        firstMs,
        onPercent: share(cpuMsOf(on.hostPid) - before[0]),
        offPercent: share(cpuMsOf(off.hostPid) - before[1]),
        load: loadavg()[0],
      }),
    );
  } finally {
    process.kill(-crowd.pid!, 'SIGKILL');
  }
}
