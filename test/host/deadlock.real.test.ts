/** Scripts that wait for each other over two mutexes are found by the host, and set free by ending one of them. */
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

test('a loop over two mutexes is said of both, until one of its scripts has ended', async () => {
  await using world = await World.open();
  const hold = async (ticket: string, mutex: string): Promise<string> => {
    await world.start('echo "$UNJAM_RUN"; sleep 3600', { ticket, name: ticket, isolation: { level: 'full', mutex } });
    const said = async (): Promise<string> =>
      (await world.client.call('logs.read', { ticket, stream: 'stdout' })).entries.map((entry) => entry.text).join('');
    await expect.poll(said, { timeout: 10_000 }).toMatch(/\S\n$/);
    return (await said()).trim();
  };
  const startedBy = (run: string, ticket: string, mutex: string) =>
    world.start('true', {
      ticket,
      name: ticket,
      environment: { PATH: process.env['PATH'] ?? '', UNJAM_RUN: run },
      isolation: { level: 'full', mutex },
    });
  const loops = async (): Promise<Record<string, readonly string[]>> =>
    Object.fromEntries(
      (await world.client.call('locks.list', {})).flatMap(({ name, deadlocks }) =>
        deadlocks === undefined ? [] : [[name, deadlocks]],
      ),
    );

  const first = await hold('first', 'A');
  const second = await hold('second', 'B');
  await startedBy(first, 'first-child', 'B');
  expect(await loops()).toEqual({});
  await startedBy(second, 'second-child', 'A');
  await expect.poll(async () => Object.keys(await loops()).sort(), { timeout: 10_000 }).toEqual(['A', 'B']);
  const sentence = '"first" holds "A" and has started "first-child", which waits for "B".';
  for (const said of Object.values(await loops())) expect(said.join()).toContain(sentence);

  await world.client.call('scripts.kill', { ticket: 'first' });
  await expect.poll(loops, { timeout: 10_000 }).toEqual({});
});
