/** A state directory that is full or read-only: nothing starts, nothing is lost, and an operator can still act. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { canMount, SmallDisk } from '../support/small-disk.ts';
import type { World } from '../support/world.ts';

const web = { isolation: { level: 'full', mutex: 'web' } } as const;
const waits = (folder: string): string => `echo up; while [ ! -e ${folder}/go ]; do sleep 0.02; done; exit 7`;
const go = (folder: string): void => writeFileSync(join(folder, 'go'), '');
const folders = (world: World): string[] => readdirSync(join(world.home, 'runs'));

async function untilGone(world: World, pid: number): Promise<void> {
  while (world.control.snapshot().some((p) => p.identity.pid === pid)) await delay(10);
}

describe.skipIf(!canMount)('a full disk', () => {
  test('refuses a start with a sentence, and starts nothing; the same ticket can be used when there is room', async () => {
    await using disk = await SmallDisk.open();
    const { world, elsewhere } = disk;
    disk.fill();
    for (const isolation of [{}, web]) {
      const error = await world.refusal(
        world.start(`touch ${elsewhere}/ran`, { ticket: 'deploy-1', ...isolation, waitMs: 2_000 }),
      );
      expect(error).toMatchObject({ code: 'state-directory', next: expect.stringContaining('ree space') as string });
      expect(error.message).toContain('ENOSPC');
    }
    expect(folders(world)).toEqual([]);
    disk.free();
    expect(existsSync(join(elsewhere, 'ran'))).toBe(false);
    const done = await world.start(`touch ${elsewhere}/ran`, { ticket: 'deploy-1', ...web, waitMs: 20_000 });
    expect(done).toMatchObject({ verdict: 'exited', exitCode: 0 });
  });

  test('lets running scripts go on: exit code and verdict arrive with the space, then the next one runs', async () => {
    await using disk = await SmallDisk.open();
    const { world, elsewhere } = disk;
    const { ticket, pid } = await world.start(waits(elsewhere), web);
    const next = await world.start('exit 4', web);
    await world.untilLogged(ticket, 'up');
    disk.fill();
    go(elsewhere);
    await untilGone(world, pid ?? 0);
    await delay(1_500); // a look of the host, and several tries of the runner
    expect(await world.get(ticket)).toMatchObject({ verdict: null, holdsMutex: true });
    expect(await world.get(next.ticket)).toMatchObject({ state: 'queued' });
    disk.free();
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
    expect(await world.untilFinal(next.ticket)).toMatchObject({ verdict: 'exited', exitCode: 4 });
    expect(await world.client.call('locks.list', {})).toEqual([]);
  });

  test('lets a Cancel end a script and a waiter; both verdicts arrive with the space', async () => {
    await using disk = await SmallDisk.open();
    const { world } = disk;
    const { ticket, pid } = await world.start('trap "exit 3" TERM INT; echo up; while :; do sleep 0.02; done', web);
    const waiter = await world.start('true', { isolation: { ...web.isolation, timeoutMs: 1_500 } });
    await world.untilLogged(ticket, 'up');
    while (!existsSync(join(world.home, 'reserve'))) await delay(10);
    disk.fill();
    await world.client.call('scripts.cancel', { ticket });
    await untilGone(world, pid ?? 0);
    await delay(2_000); // longer than the waiter's patience
    disk.free();
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'cancelled' });
    expect((await world.untilFinal(waiter.ticket)).verdict).toMatch(/timed-out|exited/);
  });

  test('does not keep an operator from abandoning: space is kept for that; without it the error says what to do', async () => {
    await using disk = await SmallDisk.open();
    const { world } = disk;
    const first = await world.startHung('web');
    const second = await world.startHung('db');
    await Promise.all([first, second].map((s) => world.untilLogged(s.ticket, 'copying')));
    while (!existsSync(join(world.home, 'reserve'))) await delay(10);
    disk.fill();
    expect(await world.client.call('scripts.abandon', { ticket: first.ticket })).toMatchObject({
      verdict: 'abandoned',
    });
    disk.fill(); // the reserve, too
    const error = await world.refusal(world.client.call('scripts.abandon', { ticket: second.ticket }));
    expect(error).toMatchObject({ code: 'state-directory' });
    expect(error.message).toContain('Mutex "db" could not be released: ENOSPC');
    expect(await world.get(second.ticket)).toMatchObject({ verdict: null, holdsMutex: true });
    disk.free();
    expect(await world.client.call('scripts.abandon', { ticket: second.ticket })).toMatchObject({
      verdict: 'abandoned',
    });
    expect(await world.start('true', { ...web, waitMs: 20_000 })).toMatchObject({ verdict: 'exited' });
  });
});

describe.skipIf(!canMount)('a read-only state directory', () => {
  test('refuses start and Abandon with a sentence; what ended meanwhile is told when it can be written', async () => {
    await using disk = await SmallDisk.open();
    const { world, elsewhere } = disk;
    const { ticket, pid } = await world.start(waits(elsewhere), web);
    const hung = await world.startHung('db');
    await world.untilLogged(ticket, 'up');
    disk.readOnly();
    try {
      for (const call of [
        world.start(`touch ${elsewhere}/ran`, web),
        world.client.call('scripts.abandon', { ticket: hung.ticket }),
      ]) {
        const error = await world.refusal(call);
        expect(error.code).toBe('state-directory');
        expect(error.message).toContain('EROFS');
      }
      go(elsewhere);
      await untilGone(world, pid ?? 0);
      await delay(1_200);
      expect(await world.get(ticket)).toMatchObject({ verdict: null });
      const second = await world.cli('serve');
      expect(second.status).not.toBe(0);
      expect(second.stderr).toContain('cannot be written');
    } finally {
      disk.writable();
    }
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
    expect(await world.client.call('scripts.abandon', { ticket: hung.ticket })).toMatchObject({ verdict: 'abandoned' });
    expect(existsSync(join(elsewhere, 'ran'))).toBe(false);
  });
});
