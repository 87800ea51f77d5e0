/** The fire drill for real: nobody may learn a wrong thing from it, and nothing of it may stay behind. */
import { expect, it } from 'vitest';
import { World } from '../support/world.ts';

it('looks stuck, ignores Cancel, is freed by Force Kill, lets its queue go on, and shows how long it took', async () => {
  await using world = await World.open();
  const drill = await world.client.call('drill.start', {});
  expect(drill.hung.name).toBe('Fire drill: hung deployment');
  expect(drill.waiting.map((s) => s.state)).toEqual(['queued', 'queued']);
  const { ticket } = drill.hung;
  await world.untilLogged(ticket, 'ends by itself after 15 min');

  await world.until(ticket, (s) => s.condition.key === 'stuck-silent');
  await world.client.call('scripts.cancel', { ticket, graceMs: 300, escalate: false });
  await world.until(ticket, (s) => s.condition.key === 'cancel-ignored' && s.stuck);
  expect(await world.log(ticket)).toContain('This script ignores it');

  await world.client.call('scripts.kill', { ticket });
  await world.until(drill.waiting[0]!.ticket, (s) => s.state === 'running');
  expect((await world.cli('status', ticket)).stdout).toMatch(
    /\nFire drill: first step after \d+ s, freed after .* with Cancel, then Force Kill\.\n/,
  );
});

it('ends by itself after its bound', async () => {
  await using world = await World.open();
  const drill = await world.client.call('drill.start', { minutes: 0.1 });
  for (const script of [drill.hung, ...drill.waiting]) {
    const end = await world.untilFinal(script.ticket);
    expect([end.verdict, end.exitCode]).toEqual(['exited', 0]);
  }
}, 60_000);

it('is there once at a time, and begins from the command line with the way out', async () => {
  await using world = await World.open();
  const begun = await world.cli('drill', '--minutes', '1');
  expect(begun.status).toBe(0);
  for (const part of ['harmless', '1. unjam cancel ', '2. unjam kill ', '3. unjam abandon '])
    expect(begun.stdout).toContain(part);
  const again = await world.cli('drill', '--json');
  expect(again.status).toBe(1);
  expect(again.stderr).toContain('A fire drill is already running');
  expect((await world.cli('drill', '--minutes', 'soon')).status).toBe(2);
});
