/** What a host leaves for its clients may be damaged, or of another version: it is named, and the next host heals it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

const damages: readonly (readonly [string, (whole: Record<string, unknown>) => string, string])[] = [
  ['empty', () => '', 'it is not JSON'],
  ['torn', (whole) => JSON.stringify(whole).slice(0, 40), 'it is not JSON'],
  ['of an older version', ({ host: _host, ...older }) => JSON.stringify(older), '"host"'],
  ['of a later version', (whole) => JSON.stringify({ ...whole, schema: 2 }), '"schema"'],
  ['damaged in its middle', (whole) => JSON.stringify({ ...whole, host: { pid: 'x' } }), '"host.machine"'],
];

test.each(damages)('host.json %s: a living host is not doubled, and the error names what is wrong', async (_, damage, named) => {
  await using world = await World.open();
  const path = join(world.home, 'host.json');
  const whole = readFileSync(path, 'utf8');
  writeFileSync(path, damage(JSON.parse(whole) as Record<string, unknown>));
  try {
    for (const command of [['ps'], ['serve', '--stop'], ['serve', '--take-over']]) {
      const { status, stderr } = await world.cli(...command);
      expect([command, status]).toEqual([command, 1]);
      expect(stderr).toContain(`"${path}" cannot be used: ${named}`);
      expect(stderr).toContain('Start a host with "unjam serve": it writes the file anew.');
    }
    expect(await world.client.call('scripts.list', {})).toEqual([]);
  } finally {
    writeFileSync(path, whole);
  }
  expect((await world.cli('ps')).status).toBe(0);
}); // prettier-ignore

test.each(damages)('host.json %s, after its host has gone: the next command starts a host, which writes it anew', async (_, damage) => {
  await using world = await World.open();
  const path = join(world.home, 'host.json');
  const before = world.hostPid;
  await world.killHost();
  writeFileSync(path, damage(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>));
  expect((await world.cli('ps')).status).toBe(0);
  expect(world.hostPid).not.toBe(before);
}); // prettier-ignore
