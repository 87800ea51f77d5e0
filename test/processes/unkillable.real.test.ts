/** Processes that SIGKILL does not end, for real: in the cgroup v1 freezer, or waiting for FUSE (root; docs/testing.md). */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canMountFuse, HangingFileSystem } from '../support/hanging-file-system.ts';
import { World } from '../support/world.ts';
import { runOf } from '../support/wreck.ts';

const freezer = '/sys/fs/cgroup/freezer';
const canFreeze = existsSync(`${freezer}/cgroup.procs`) && process.getuid?.() === 0;

class Freezer implements AsyncDisposable {
  readonly path = `${freezer}/unjam-test-${process.pid}-${Math.random().toString(36).slice(2)}`;

  async freeze(pids: readonly number[]): Promise<void> {
    mkdirSync(this.path);
    for (const pid of pids) writeFileSync(`${this.path}/cgroup.procs`, String(pid));
    writeFileSync(`${this.path}/freezer.state`, 'FROZEN');
    while (readFileSync(`${this.path}/freezer.state`, 'utf8').trim() !== 'FROZEN')
      await new Promise((r) => setTimeout(r, 5));
  }

  thaw(): void {
    writeFileSync(`${this.path}/freezer.state`, 'THAWED');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!existsSync(this.path)) return;
    this.thaw();
    for (;;)
      try {
        rmdirSync(this.path);
        return;
      } catch {
        await new Promise((r) => setTimeout(r, 5)); // EBUSY until its processes have gone
      }
  }
}

test.skipIf(!canFreeze)(
  'a process frozen in the kernel: Cancel and Force Kill say Unkillable with the kernel’s reason, Abandon releases',
  async () => {
    await using world = await World.open();
    await using ice = new Freezer();
    const { ticket } = await world.startHung();
    const next = await world.start('echo api deployed', { name: 'next', isolation: { level: 'full', mutex: 'web' } });
    await world.untilLogged(ticket, 'copying');
    const members = (await world.get(ticket)).processes.map((p) => p.pid);
    await ice.freeze(members);

    await world.client.call('scripts.cancel', { ticket, graceMs: 100, escalate: false });
    await world.until(ticket, (s) => s.condition.key === 'cancel-ignored');
    await world.client.call('scripts.kill', { ticket });
    const stuck = await world.until(ticket, (s) => s.state === 'unkillable');
    expect(stuck).toMatchObject({
      stuck: true,
      condition: { key: 'unkillable', label: 'Unkillable: in kernel', next: 'abandon' },
    });
    expect(await world.log(ticket)).toMatch(
      /W214 Unkillable: 2 of 2 processes .*state kernel.*SIGKILL pending.*Mutex "web" is still held\. 1 script is waiting\. Next: Abandon\./,
    );
    expect((await world.get(ticket)).processes[0]?.survivor).toMatchObject({ reason: 'kernel' });

    await world.client.call('scripts.abandon', { ticket });
    expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });
    expect(await world.log(next.ticket)).toContain('W222');
    expect(await world.get(ticket)).toMatchObject({ verdict: 'abandoned', orphan: true });

    ice.thaw();
    expect(await world.until(ticket, (s) => !s.orphan)).toMatchObject({
      verdict: 'abandoned',
      condition: { key: 'orphan-exited' },
    });
  },
);

test.skipIf(!canFreeze)(
  'Cancel with escalation of a frozen process ends in Unkillable, never in a claim that it stopped',
  async () => {
    await using world = await World.open();
    await using ice = new Freezer();
    const { ticket } = await world.startHung();
    await world.untilLogged(ticket, 'copying');
    await ice.freeze((await world.get(ticket)).processes.map((p) => p.pid));
    await world.client.call('scripts.cancel', { ticket, graceMs: 50 });
    await world.until(ticket, (s) => s.state === 'unkillable');
    expect((await world.client.call('locks.list', {}))[0]?.holders).toHaveLength(1);
    ice.thaw();
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'cancelled' });
  },
);

test.skipIf(!canMountFuse)(
  'a process that waits for a file system that never answers: Unkillable with that wait, gone when it answers',
  async () => {
    await using world = await World.open();
    await using share = await HangingFileSystem.mount(join(world.home, 'share'));
    const isolation = { level: 'full' as const, mutex: 'web' };
    const { ticket } = await world.start(`echo copying; exec cat ${share.path}/package.zip`, { isolation });
    const next = await world.start('echo api deployed', { name: 'next', isolation });
    await world.untilLogged(ticket, 'copying');
    const { root } = runOf(world, ticket).readStarted()!.scope;
    while (world.control.facts(root)?.waitsFor !== 'request_wait_answer') await new Promise((r) => setTimeout(r, 5));

    await world.client.call('scripts.cancel', { ticket, graceMs: 50 });
    await world.until(ticket, (s) => s.state === 'unkillable');
    expect(await world.log(ticket)).toMatch(
      /W214 Unkillable: 1 of 1 process.*state kernel, waits in request_wait_answer, SIGKILL pending.*Next: Abandon\./,
    );
    await world.client.call('scripts.abandon', { ticket });
    expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 0 });

    await share[Symbol.asyncDispose]();
    expect(await world.until(ticket, (s) => !s.orphan)).toMatchObject({
      verdict: 'abandoned',
      condition: { key: 'orphan-exited' },
    });
  },
);

test('the debug switch sends no kill, says so loudly, and Abandon still works', async () => {
  await using world = await World.open({ UNJAM_DEBUG_DISABLE_KILL: '1' });
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  await world.client.call('scripts.kill', { ticket });
  await world.until(ticket, (s) => s.state === 'unkillable');
  expect(await world.log(ticket)).toContain('W217 UNJAM_DEBUG_DISABLE_KILL is set');
  expect(await world.client.call('scripts.abandon', { ticket })).toMatchObject({ verdict: 'abandoned', orphan: true });
});
