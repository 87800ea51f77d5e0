/** docs/operating.md and docs/administration.md, line by line, on a real host with scripts that really hang. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { policyLayer } from '../../app/settings/layers.ts';
import { root, World } from '../support/world.ts';

const blocks = (page: string, language: string): string[] =>
  [...readFileSync(join(root, 'docs', page), 'utf8').matchAll(/^```(\w+)\n([^]*?)^```/gm)]
    .filter(([, one]) => one === language)
    .map(([, , text = '']) => text);

/** Exit statuses of the lines of a block, in a shell. */
function run(world: World, block: string, ticket: string): Record<string, number | null> {
  const statuses = block.trim().split('\n').map((line): [string, number | null] => {
    const command = line.replace(/^unjam/, `"${process.execPath}" "${world.program}"`).replaceAll('TICKET', ticket);
    const { status } = spawnSync('bash', ['-c', command], { cwd: world.home, env: { ...process.env, UNJAM_HOME: world.home } }); // prettier-ignore
    return [line.split(' ').slice(0, 3).join(' '), status];
  }); // prettier-ignore
  return Object.fromEntries(statuses);
}

test('each of the five situations has a picture', () => {
  const situations = readFileSync(join(root, 'docs/operating.md'), 'utf8')
    .split(/^## \d\. /m)
    .slice(1);
  const pictures = situations.map((text) => /!\[[^\]]+\]\((.+?)\)/.exec(text)?.[1] ?? 'none');
  expect(new Set(pictures).size).toBe(5);
  for (const picture of pictures) expect([picture, existsSync(join(root, 'docs', picture))]).toEqual([picture, true]);
});

test('the five situations of docs/operating.md', async () => {
  await using world = await World.open();
  const [hangs = '', cannot = '', orphan = '', beside = '', after = '', ...rest] = blocks('operating.md', 'sh');
  expect(rest).toEqual([]);
  const waiter = (ticket: string) => world.start('exit 0', { ticket, isolation: { level: 'full', mutex: 'web' } });

  const first = await world.startHung('web');
  await waiter('next-1');
  await world.until(first.ticket, (s) => s.blocks === 1);
  const done = run(world, hangs, first.ticket);
  expect(done).toMatchObject({ 'unjam ps': 0, 'unjam why TICKET': 0, 'unjam take TICKET': 0, 'unjam cancel TICKET': 1, 'unjam kill TICKET': 0 }); // prettier-ignore
  expect(await world.untilFinal(first.ticket)).toMatchObject({ verdict: 'killed', orphan: false });
  expect(await world.untilFinal('next-1')).toMatchObject({ exitCode: 0 });

  const second = await world.startHung('web');
  await waiter('next-2');
  await world.until(second.ticket, (s) => s.blocks === 1);
  expect(run(world, cannot, second.ticket)).toEqual({ 'unjam abandon TICKET': 0, 'unjam locks': 0 });
  expect(await world.untilFinal('next-2')).toMatchObject({ exitCode: 0 });
  expect(await world.get(second.ticket)).toMatchObject({ verdict: 'abandoned', orphan: true });
  expect(run(world, orphan, second.ticket)).toEqual({ 'unjam status TICKET': 0, 'unjam kill TICKET': 0 });
  expect(await world.until(second.ticket, (s) => !s.orphan)).toMatchObject({ verdict: 'abandoned' });

  const third = await world.startHung('web');
  await waiter('next-3');
  await world.until(third.ticket, (s) => s.blocks === 1);
  const [abandon = '', ...others] = beside.trim().split('\n');
  run(world, abandon, third.ticket);
  expect(await world.get('next-3')).toMatchObject({ state: 'queued' });
  expect(run(world, others.join('\n'), third.ticket)).toEqual({ 'unjam locks': 0, 'unjam locks resume': 0 });
  expect(await world.untilFinal('next-3')).toMatchObject({ exitCode: 0 });

  expect(Object.values(run(world, after, third.ticket))).toEqual([0, 0, 0]);
  expect(existsSync(join(world.home, 'evidence.zip'))).toBe(true);
});

test('docs/administration.md: its policy is one, and its commands do what they are there for', async () => {
  const [policy = ''] = blocks('administration.md', 'json');
  const read = policyLayer(JSON.parse(policy) as Record<string, unknown>, 'policy.json');
  expect([read.problems, Object.keys(read.values).length]).toEqual([[], 6]);

  await using world = await World.open();
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  const [roles = '', history = '', worse = '', well = '', ...rest] = blocks('administration.md', 'sh');
  expect(rest).toEqual([]);
  const done = run(world, roles.replaceAll('group:deploy', `group:${group}`), '');
  expect(Object.values(done)).toEqual([0, 0, 0]);
  expect(Object.values(run(world, history, ''))).toEqual([0]);
  expect(readFileSync(join(world.home, 'history.csv'), 'utf8')).toContain('\r\n');
  await world.start('sleep 60', { ticket: 'dep-1' });
  await world.client.call('scripts.kill', { ticket: 'dep-1' });
  await world.untilFinal('dep-1');
  await expect.poll(() => execFileSync('bash', ['-c', worse], { cwd: world.home, encoding: 'utf8' })).toMatch(/Z\tW21\d\tdep-1\t/); // prettier-ignore
  // No service is installed here, and what doctor finds depends on the machine.
  expect(run(world, well, '')).toMatchObject({ 'unjam alerts list': 0, 'unjam metrics': 0 });
});
