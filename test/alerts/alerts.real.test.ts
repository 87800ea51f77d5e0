/** docs/alerts.md as it stands there, on a real host: the targets, the commands, and what a receiver gets. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HttpClient } from '../../app/api/http-client.ts';
import { AlertTargets } from '../../app/contract/alert-schemas.ts';
import type { AlertMessage } from '../../app/alerts/message.ts';
import { words } from '../../app/cli/script-options.ts';
import { root, World } from '../support/world.ts';

const page = readFileSync(join(root, 'docs/alerts.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(/^```(\w+)\n([^]*?)^```/gm)].filter(([, one]) => one === language).map(([, , text = '']) => text);

test('the lines of docs/alerts.md set, try and list targets; a command hears of an Abandon, as the page says', async () => {
  await using world = await World.open();
  const [targets = '', shown = ''] = blocks('json');
  const [command] = AlertTargets.parse(JSON.parse(targets));
  expect(command).toMatchObject({ to: 'command', name: 'on call' });

  // The one target that this machine can have, with a stand-in for logger(1).
  const folder = join(world.home, 'admin');
  mkdirSync(folder);
  const got = join(folder, 'got');
  writeFileSync(join(folder, 'logger'), `#!/bin/sh\ncat >> ${got}\n`, { mode: 0o755 });
  await world.killHost();
  await world.startHost({ PATH: `${folder}:${process.env['PATH']}` });
  writeFileSync(join(folder, 'alerts.json'), JSON.stringify([command]));
  const messages = (): AlertMessage[] =>
    existsSync(got)
      ? readFileSync(got, 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as AlertMessage)
      : [];
  for (const line of (blocks('sh')[0] ?? '').trim().split('\n')) {
    const [program, ...args] = words(line, 'docs/alerts.md');
    expect(program).toBe('unjam');
    const ran = await world.cli(...args.map((word) => (word === 'alerts.json' ? join(folder, word) : word)));
    expect([line, ran]).toEqual([line, { status: 0, stdout: expect.stringContaining('on call'), stderr: '' }]);
  }
  expect(messages()).toMatchObject([{ kind: 'test', phase: 'test' }]);
  expect(Object.keys(messages()[0]!)).toEqual(Object.keys(JSON.parse(shown) as object));

  const hung = await world.startHung('web');
  await world.until(hung.ticket, (s) => s.state === 'running');
  await world.client.call('scripts.abandon', { ticket: hung.ticket, reason: 'test' });
  await expect.poll(messages, { timeout: 60_000 }).toHaveLength(2);
  expect(messages()[1]).toMatchObject({ kind: 'abandoned', phase: 'begin', ticket: hung.ticket, mutex: 'web' });
  expect(JSON.stringify(messages())).not.toContain('copying'); // what the script printed

  const failing = [{ to: 'command', name: 'broken', command: ['false'] }];
  writeFileSync(join(folder, 'broken.json'), JSON.stringify(failing));
  expect((await world.cli('alerts', 'set', join(folder, 'broken.json'))).status).toBe(0);
  const tried = await world.cli('alerts', 'test');
  expect(tried.status).toBe(1);
  expect(tried.stdout).toMatch(/^broken: failed, .*exit code 1/);
  const none = await world.cli('alerts', 'test', '--target', 'nobody', '--json');
  expect([none.status, JSON.parse(none.stderr)]).toMatchObject([1, { error: { code: 'not-possible' } }]);

  const { address, token } = world.hostFile();
  for (const via of ['window', 'browser'] as const) {
    const page = new HttpClient({ address, token, actor: { user: 'kim', via }, timeoutMs: 20_000 });
    await expect(page.call('settings.set', { values: { alerts: [] } })).rejects.toThrow('set in a terminal');
    await expect(page.call('settings.set', { reset: ['alerts'] })).rejects.toThrow('set in a terminal');
    page.close();
  }
  await world.client.call('scripts.kill', { ticket: hung.ticket });
  await world.until(hung.ticket, (s) => !s.orphan);
});
