/** Hosts and callers that die or freeze at any moment: an acknowledged script runs once, and its end is told once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../support/world.ts';
import { hostsChaos } from './hosts-chaos.ts';

const completed = 'echo "$UNJAM_TICKET $UNJAM_COMPLETION_ID" >> "$(dirname "$0")/completed"\n';

describe.skipIf(process.platform === 'win32')('hosts', () => {
  test('that are killed and frozen while scripts are started lose none, run none twice, and tell each end once', async () => {
    await using world = await World.empty();
    writeFileSync(join(world.home, 'completed.sh'), completed);
    const tally = await hostsChaos(world, { seconds: 15, callers: 3, killHostEveryMs: 1_800, freezeEveryMs: 2_500 });
    const { acknowledged, hostKills, callerKills, freezes, repeated, ...faults } = tally;
    console.log(JSON.stringify({ acknowledged, hostKills, callerKills, freezes, repeated }));
    expect(faults).toEqual({ lost: [], duplicated: [], wrong: [], completions: [] });
    expect(acknowledged).toBeGreaterThan(5);
    expect(hostKills).toBeGreaterThan(1);
  });

  test('that are frozen keep their place: nobody acts beside them, and a caller is told in time what to do', async () => {
    await using world = await World.open();
    const held = await world.startHung();
    const next = await world.start('exit 4', { isolation: { level: 'full', mutex: 'web' } });
    const before = world.hostFile();
    process.kill(before.host.pid, 'SIGSTOP');
    try {
      const began = performance.now();
      const [listed, served] = await Promise.all([world.cli('ps'), world.cli('serve')]);
      expect(performance.now() - began).toBeLessThan(25_000);
      expect(listed.status).not.toBe(0);
      expect(listed.stderr).toContain('did not answer');
      expect(listed.stderr).toContain('suspended');
      expect(served.status).not.toBe(0);
      expect(world.hostFile()).toEqual(before);
      // The mutex moves on without any host.
      const [scope] = [world.control.snapshot().find((p) => p.identity.pid === held.pid)];
      for (const process of scope ? [scope.identity] : []) world.control.end(process);
    } finally {
      process.kill(before.host.pid, 'SIGCONT');
    }
    expect(await world.untilFinal(held.ticket)).toMatchObject({ verdict: 'exited', signal: 'SIGKILL' });
    expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
  });
});
