/** What a script's work is measured by, on real processes: a script whose short children do the work is busy. Linux. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Health } from '../../app/domain/condition-facts.ts';
import type { TreeScope } from '../../app/domain/script.ts';
import { HealthSampler } from '../../app/scripts/health.ts';
import { World } from '../support/world.ts';
import { runOf } from '../support/wreck.ts';

/** Samples a script as a host does while it runs `work`, and returns what was measured of that. */
async function measured(work: string, as: (scope: TreeScope) => TreeScope = (scope) => scope): Promise<Health> {
  await using world = await World.open();
  const { ticket } = await world.start(`until [ -e go ]; do sleep .02; done; ${work}; echo done; sleep 3600`);
  const run = runOf(world, ticket);
  const scopes = new Map([[ticket, as(run.readStarted()!.scope)]]);
  const sampler = new HealthSampler(world.control);
  sampler.sample(scopes);
  writeFileSync(join(world.home, 'go'), '');
  const done = world.untilLogged(ticket, 'done').then(() => true);
  while (!(await Promise.race([done, delay(200, false)]))) sampler.sample(scopes);
  sampler.sample(scopes);
  return sampler.of(ticket)!;
}

const withoutCgroup = ({ cgroup: _, ...scope }: TreeScope): TreeScope => scope;
/** Some ten milliseconds of work. */
const short = `sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'`;

describe.runIf(process.platform === 'linux')('a script whose work is done by ten-millisecond children', () => {
  test.each([
    ['with a cgroup', (scope: TreeScope) => scope],
    ['without one', withoutCgroup],
  ])('has used the CPU that they have used, %s', async (_, as) => {
    const work = await measured(`for n in $(seq 60); do ${short}; done`, as);
    expect(work.cpuMs).toBeGreaterThan(300); // the shell's own share, 60 forks, was 20 ms
  });

  test('has read and written what they have', async () => {
    const written = await measured(
      'for n in $(seq 40); do dd if=/dev/zero of=copy bs=100k count=1 status=none; done',
      withoutCgroup,
    );
    expect(written.ioBytes).toBeGreaterThan(40 * 2 * 100 * 1024 * 0.95);
  });

  test.runIf(process.getuid?.() === 0)(
    'has used it too when nobody waits for them (where cgroup v2 is writable)',
    async () => {
      const lost = `for n in $(seq 60); do ((${short}; echo >>did) &); done; until [ "$(wc -l <did)" = 60 ]; do sleep .1; done`;
      expect((await measured(lost)).cpuMs).toBeGreaterThan(300);
    },
  );

  test('and one that sleeps has used next to nothing', async () => {
    const asleep = await measured('sleep 1');
    expect(asleep.cpuMs).toBeLessThan(100);
  });
});
