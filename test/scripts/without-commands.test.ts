/** What a script is called where its command must not be seen. */
import { expect, test } from 'vitest';
import type { ScriptView } from '../../app/contract/methods.ts';
import { nameOfCommand, withoutCommands } from '../../app/scripts/without-commands.ts';

const command = ['/usr/bin/deploy', 'customer-17', '--region', 'eu'];
const view = (ticket: string, name: string, holder: ScriptView['holder'] = null): ScriptView =>
  ({
    ticket,
    name,
    holder,
    condition: { headline: holder === null ? 'Running.' : `Waiting for "web", held by "${holder.name}" for 5 min.` },
  }) as ScriptView;
const held = (ticket: string, name: string): ScriptView['holder'] => ({
  ticket,
  name,
  pid: 1,
  since: '',
  stuck: false,
});
const commands: Readonly<Record<string, readonly string[]>> = { a: command, b: ['bash'], c: ['bash'] };
const seen = (...scripts: ScriptView[]): ScriptView[] => withoutCommands(scripts, (ticket) => commands[ticket] ?? []);

test('a script that was given no name is called by its program alone, also where another waits for it', () => {
  const name = nameOfCommand(command);
  expect(name).toBe('deploy customer-17 --region eu');
  const [a, b] = seen(view('a', name), view('b', 'Deploy web', held('a', name)));
  expect(a?.name).toBe('deploy');
  expect(b).toMatchObject({ name: 'Deploy web', holder: { name: 'deploy' } });
  expect(b?.condition.headline).toBe('Waiting for "web", held by "deploy" for 5 min.');
});

test('a name that was given stays; a holder that is no script of this host has its ticket', () => {
  const [a, b, c] = seen(
    view('a', 'Deploy $& web'),
    view('b', 'x', held('a', 'Deploy $& web')),
    view('c', 'y', held('hold-1@web-2', 'psql -c secret')),
  );
  expect(a?.name).toBe('Deploy $& web');
  expect(b?.condition.headline).toContain('"Deploy $& web"');
  expect(JSON.stringify(c)).not.toContain('secret');
  expect(c?.condition.headline).toContain('"hold-1@web-2"');
});
