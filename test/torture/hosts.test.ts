/** Hosts and callers that die or freeze at any moment: an acknowledged script runs once, and its end is told once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runOf } from '../support/wreck.ts';
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

  test('that are frozen for longer than every limit of their scripts change nothing: runners keep the limits, each end is told once', async () => {
    await using world = await World.open();
    writeFileSync(join(world.home, 'completed.sh'), completed);
    const notify = ['sh', join(world.home, 'completed.sh')];
    const mutex = (name: string, timeoutMs?: number) => ({
      isolation: { level: 'full', mutex: name, ...(timeoutMs === undefined ? {} : { timeoutMs }) } as const,
    });
    const stubborn = 'trap "" TERM INT; echo up; while :; do sleep 0.02; done';
    const limit = { ...mutex('web'), timeoutMs: 1_500, graceMs: 200, notify };
    const overall = await world.start(stubborn, limit);
    const patient = await world.start('exit 4', { ...mutex('web'), notify });
    await world.startHung('db');
    const impatient = await world.start('exit 5', { ...mutex('db', 1_000), notify });
    const silent = await world.start(stubborn, { noOutputTimeoutMs: 700, graceMs: 200, notify });
    const all = [overall, patient, impatient, silent].map((s) => s.ticket);
    process.kill(world.hostPid, 'SIGSTOP');
    try {
      const ended = (t: string): boolean => runOf(world, t).readTree() !== null;
      while (!all.every(ended)) await delay(20);
    } finally {
      process.kill(world.hostPid, 'SIGCONT');
    }
    const told = (): string[] => readFileSync(join(world.home, 'completed'), 'utf8').trim().split('\n');
    for (const t of all) while (runOf(world, t).readDelivered() === null) await delay(20);
    expect(await world.get(overall.ticket)).toMatchObject({ verdict: 'timed-out', timeout: 'overall' });
    expect(await world.get(patient.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
    expect(await world.get(impatient.ticket)).toMatchObject({ verdict: 'timed-out', timeout: 'mutex' });
    expect(await world.get(silent.ticket)).toMatchObject({ verdict: 'timed-out', timeout: 'no-output' });
    expect(
      told()
        .map((line) => line.split(' ')[0])
        .sort(),
    ).toEqual([...all].sort());
    expect(await world.client.call('locks.list', {})).toMatchObject([{ name: 'db', waiters: [] }]);
  });
});
