/** `ps --watch` and `logs --since`: what is printed while somebody looks on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScriptView } from '../../app/contract/methods.ts';
import { Journal } from '../../app/journal/journal.ts';
import { World } from '../support/world.ts';
import { untilFile } from '../support/wreck.ts';

test('ps --watch prints the scripts again at each change, and goes on with the next host', async () => {
  await using world = await World.open();
  const watching = spawn(process.execPath, [world.program, 'ps', '--watch'], {
    env: { ...process.env, UNJAM_HOME: world.home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = '';
  watching.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  const until = async (text: string | RegExp): Promise<void> => {
    while (seen.search(text) < 0) await once(watching.stdout, 'data');
  };
  await until('Nothing is running.');
  await world.start('sleep 3600', { ticket: 'first' });
  await until(/^first /m);
  // Either of the two commands may start the next host.
  await world.killHost();
  expect((await world.cli('start', '--ticket', 'second', '--', 'sleep', '3600')).status).toBe(0);
  await until(/^second /m);
  const gone = once(watching, 'exit');
  watching.kill('SIGINT');
  await gone;
});

test('logs --since TIME prints what came since; a number is a sequence number', async () => {
  await using world = await World.open();
  await world.start('echo early; until [ -e go ]; do sleep 0.05; done; echo late; touch said; sleep 3600', {
    ticket: 't',
  });
  await world.untilLogged('t', 'early');
  const between = Date.now();
  const go = await world.cliAt(world.home, {}, 'run', '--', 'touch', 'go');
  expect(go.status).toBe(0);
  await untilFile(join(world.home, 'said'));
  await world.untilLogged('t', 'late');
  const since = await world.cli('logs', 't', '--stream', 'stdout', '--since', `${Date.now() - between}ms`);
  expect(since.stdout).toBe('late\n');
  expect((await world.cli('logs', 't', '--stream', 'stdout', '--since', '1h')).stdout).toBe('early\nlate\n');
  const entries = (await world.cli('logs', 't', '--stream', 'stdout', '--json')).stdout.trim().split('\n');
  const { next } = JSON.parse(entries[0] ?? '') as { next: number };
  expect((await world.cli('logs', 't', '--stream', 'stdout', '--since', String(next))).stdout).toBe('late\n');
});

test('why and ps --json say when a waiter will probably start, and on how many earlier runs that rests', async () => {
  await using world = await World.empty();
  const journal = new Journal(join(world.home, 'journal.sqlite'), () => undefined);
  for (const [at, minutes] of [20, 30, 40].entries()) journal.recordSuccess('Migrate', at, minutes * 60_000);
  journal.close();
  const isolation = { level: 'full', mutex: 'web' } as const;
  await world.startHost();
  await world.start('sleep 3600', { ticket: 'held', name: 'Migrate', isolation });
  await world.start('true', { ticket: 'waits', name: 'Migrate', isolation });
  const { scripts } = JSON.parse((await world.cli('ps', '--json')).stdout) as { scripts: ScriptView[] };
  expect(scripts.find(({ ticket }) => ticket === 'waits')?.estimate?.runs).toBe(3);
  expect((await world.cli('why', 'waits')).stdout).toMatch(
    /"Migrate" .* Usually starts in (19|20) to (39|40) min, from 3 earlier runs\./,
  );
  // The same look at the processes: what each of them waits for.
  if (process.platform === 'linux')
    expect((await world.get('held')).processes).toMatchObject([{ name: 'sleep', waits: 'is in a timed sleep' }]);
});
