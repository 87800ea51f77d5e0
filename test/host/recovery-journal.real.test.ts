/** The journal is a record, not a gate: whatever happens to it, an operator's decision is carried out at once. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { canMount } from '../support/small-disk.ts';
import { World } from '../support/world.ts';

/** While the journal is still as the test has made it. */
async function abandoned(world: World, ticket: string): Promise<void> {
  expect(await world.client.call('scripts.abandon', { ticket })).toMatchObject({ verdict: 'abandoned' });
  expect(
    await world.start('true', { isolation: { level: 'full', mutex: 'web' }, waitMs: 20_000 }),
  ).toMatchObject({ verdict: 'exited' }); // prettier-ignore
}

test('a journal that another process has locked does not hold an Abandon up; what happened is written afterwards', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  const other = new DatabaseSync(join(world.home, 'journal.sqlite'));
  other.exec('BEGIN EXCLUSIVE');
  await abandoned(world, ticket);
  other.exec('COMMIT');
  other.close();
  const written = async (): Promise<boolean> =>
    (await world.client.call('history.list', { ticket })).some((e) => e.kind === 'abandoned');
  while (!(await written())) await new Promise((r) => setTimeout(r, 100));
});

test('a journal that is overwritten while the host runs does not hold an Abandon up', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  for (const end of ['', '-wal']) writeFileSync(join(world.home, `journal.sqlite${end}`), 'no database '.repeat(2_000));
  await abandoned(world, ticket);
});

test('a host starts with a journal that is damaged, and sets it aside', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.killHost();
  for (const end of ['-wal', '-shm']) rmSync(join(world.home, `journal.sqlite${end}`), { force: true });
  writeFileSync(join(world.home, 'journal.sqlite'), 'no database '.repeat(2_000));
  await world.startHost();
  await abandoned(world, ticket);
  expect(world.hostLog).toContain('journal was damaged');
});

test.skipIf(!canMount)(
  'a host whose journal alone may not be written says so, goes on, and writes it when it may',
  async () => {
    await using world = await World.open();
    const { ticket } = await world.startHung();
    await world.killHost();
    const path = join(world.home, 'journal.sqlite');
    execFileSync('mount', ['--bind', path, path]);
    try {
      execFileSync('mount', ['-o', 'remount,ro,bind', path]);
      await world.startHost();
      await abandoned(world, ticket);
      expect(world.hostLog).toMatch(/journal (cannot be used|could not be opened)/);
      expect(world.hostLog).toContain('continues without it');
    } finally {
      execFileSync('umount', [path]);
    }
    const written = async (): Promise<boolean> =>
      (await world.client.call('history.list', { ticket })).some((e) => e.kind === 'abandoned');
    while (!(await written())) await new Promise((r) => setTimeout(r, 100));
    await world.client.call('scripts.kill', { ticket });
  },
);
