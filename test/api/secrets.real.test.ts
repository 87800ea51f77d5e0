/** What Unjam writes itself holds no secret: not of the command, not of the environment, not its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { World } from '../support/world.ts';

const secrets = {
  option: 'hunter2-option',
  assigned: 'hunter2-assigned',
  environment: 'hunter2-environment',
  reason: 'hunter2-reason',
  notify: 'hunter2-notify',
};
/** What a script was asked to do is kept as it is, for the owner alone; docs/security.md says so. */
const keptAsItIs = /^runs\/[^/]+\/(?:spec|tree)\.json$/;
/** The token of the host's door is what these files are for. */
const tokens = ['token', 'host.json'];

let world: World;
let ticket: string;

beforeAll(async () => {
  world = await World.open({ UNJAM_TEST_PASSWORD: secrets.environment });
  const script = await world.client.call('scripts.start', {
    command: [
      'bash',
      '-c',
      'trap "" TERM; sleep 600 & wait',
      'deploy',
      '--password',
      secrets.option,
      `TOKEN=${secrets.assigned}`,
    ],
    cwd: world.home,
    environment: { PATH: process.env['PATH'] ?? '', API_KEY: secrets.environment },
    notify: ['bash', '-c', 'exit 3', 'notify', `--token=${secrets.notify}`],
    isolation: { level: 'full', mutex: 'M' },
  });
  ({ ticket } = script);
  const waiter = await world.client.call('scripts.start', {
    command: ['bash', '-c', 'true', '--password', secrets.option],
    cwd: world.home,
    isolation: { level: 'full', mutex: 'M' },
  });
  await world.until(ticket, (s) => s.state === 'running');
  await world.client.call('scripts.cancel', { ticket, graceMs: 100, reason: `password=${secrets.reason}` });
  await world.client.call('scripts.why', { ticket });
  await world.client.call('scripts.kill', { ticket, reason: `password=${secrets.reason}` });
  await world.until(ticket, (s) => s.state === 'final');
  await world.until(waiter.ticket, (s) => s.state === 'final');
  await vi.waitFor(() => expect(world.hostLog).toContain('W251'), { timeout: 20_000 });
});
afterAll(() => world[Symbol.asyncDispose]());

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test.each(Object.entries(secrets))('no file of the state directory holds the secret of the %s', (_where, secret) => {
  const holding = filesBelow(world.home).filter((file) => readFileSync(file).includes(secret));
  expect(holding.map((file) => relative(world.home, file)).filter((file) => !keptAsItIs.test(file))).toEqual([]);
  expect(world.hostLog).not.toContain(secret);
});

test('the environment is nowhere at all', () => {
  const holding = filesBelow(world.home).filter((file) => readFileSync(file).includes(secrets.environment));
  expect(holding).toEqual([]);
});

test('the name that a script gets from its command shows what runs, and hides the secret', async () => {
  const { name } = await world.get(ticket);
  expect(name).toContain('bash -c trap');
  expect(name).not.toContain('hunter2');
});

test('the token of the host’s door is in its two files and in nothing that is written as text', () => {
  const { token } = world.hostFile();
  const holding = filesBelow(world.home).filter((file) => readFileSync(file).includes(token));
  expect(holding.map((file) => relative(world.home, file)).sort()).toEqual([...tokens].sort());
  expect(world.hostLog).not.toContain(token);
});
