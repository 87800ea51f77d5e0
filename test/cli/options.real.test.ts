/** What each option of a command does, through the real program: in spec.json, in the output, in the exit status. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScriptSpec } from '../../app/domain/script.ts';
import { World } from '../support/world.ts';

const specOf = (world: World, ticket: string): ScriptSpec =>
  JSON.parse(readFileSync(join(world.home, 'runs', ticket, 'spec.json'), 'utf8')) as ScriptSpec;

test('start: every option stands in the spec as it was given', async () => {
  await using world = await World.open();
  mkdirSync(join(world.home, 'work'));
  const started = await world.cli(
    ...['start', '--ticket', 'all', '--name', 'Deploy web / step 4', '--mutex', 'web', '--isolation', 'none'],
    ...['--mutex-timeout', '1m', '--timeout', '90', '--first-output-timeout', '70s'],
    ...['--no-output-timeout', '80s', '--cancel-signal', 'int'],
    ...['--grace', '7s', '--cwd', 'work', '--env', 'A=1', '--env', 'B=2', '--notify', "sh -c 'exit 0'", '--', 'pwd'],
  );
  expect(started).toMatchObject({ status: 0, stdout: 'all\n', stderr: '' });
  const spec = specOf(world, 'all');
  expect(spec).toMatchObject({
    name: 'Deploy web / step 4',
    command: ['pwd'],
    cwd: join(world.home, 'work'),
    isolation: { level: 'none', mutex: 'web', timeoutMs: 60_000 },
    timeouts: { overallMs: 90_000, firstOutputMs: 70_000, noOutputMs: 80_000 },
    cancel: { signal: 'SIGINT', graceMs: 7_000 },
    notify: [expect.stringMatching(/\/sh$/), '-c', 'exit 0'],
  });
  expect(spec.environmentNames).toEqual(expect.arrayContaining(['A', 'B']));
  await world.untilFinal('all');
  expect((await world.cli('logs', 'all', '--raw')).stdout).toBe(`${join(world.home, 'work')}\n`);
});

test('run --first-output-timeout and --no-output-timeout end a silent script with 124; --timeout ends a busy one', async () => {
  await using world = await World.open();
  const silent = await world.cli('run', '--no-output-timeout', '500ms', '--', 'bash', '-c', 'sleep 60; echo not ended');
  expect(silent).toMatchObject({ status: 124, stdout: '' });
  expect(silent.stderr).toContain('W231');
  const mute = await world.cli('run', '--first-output-timeout', '500ms', '--', 'sleep', '60');
  expect(mute).toMatchObject({ status: 124, stdout: '' });
  expect(mute.stderr).toContain('the script wrote nothing in its first');
  const spoken = await world.cli(
    'run',
    '--first-output-timeout',
    '2s',
    '--',
    'bash',
    '-c',
    'echo up; sleep 3; echo done',
  );
  expect(spoken).toMatchObject({ status: 0, stdout: 'up\ndone\n' });
  expect((await world.cli('run', '--timeout', '500ms', '--', 'sleep', '60')).status).toBe(124);
});

test('a relative folder is the caller’s, never the host’s', async () => {
  await using world = await World.open();
  mkdirSync(join(world.home, 'caller'));
  const at = (cwd: string, ...words: string[]) => world.cliAt(cwd, {}, ...words);
  expect((await at(join(world.home, 'caller'), 'run', '--cwd', '.', '--', 'pwd')).stdout).toBe(
    `${join(world.home, 'caller')}\n`,
  );
  expect((await at(join(world.home, 'caller'), 'run', '--', 'pwd')).stdout).toBe(`${join(world.home, 'caller')}\n`);
  const { ticket } = await world.client.call('scripts.start', { command: ['pwd'], waitMs: 10_000 });
  const log = await world.log(ticket);
  expect(log).not.toContain(world.home);
});

test('a script knows its ticket and its state directory, so that Unjam inside it means the same host', async () => {
  await using world = await World.open();
  const inner = [process.execPath, world.program, 'run', '--mutex', 'web', '--', 'echo', 'INNER'];
  const outer = await world.cli(
    ...['run', '--ticket', 'outer', '--mutex', 'web', '--', 'bash', '-c'],
    `echo "$UNJAM_TICKET $UNJAM_HOME"; ${inner.join(' ')}; echo "status $?"`,
  );
  expect(outer.stdout).toBe(`outer ${world.home}\nstatus 170\n`);
  expect(existsSync(join(world.home, 'runs', 'outer'))).toBe(true);
  const held = await world.cli('hold', '--mutex', 'web', '--', 'bash', '-c', 'echo "$UNJAM_TICKET $UNJAM_HOME"');
  expect(held.stdout).toMatch(new RegExp(`^\\d{8}-\\d{6}-\\w{6} ${world.home}\n$`));
});

test('ps shows each script on one line, whatever its name and command contain', async () => {
  await using world = await World.open();
  await world.startHung('web', { ticket: 'odd', name: 'a\nb\u001b[2J\u202e' });
  const table = (await world.cli('ps')).stdout.trimEnd().split('\n');
  expect(table).toHaveLength(2);
  expect(table[1]).toContain('a ↵ b⟨ESC⟩[2J⟨RLO⟩');
  for (const words of [['locks'], ['status', 'odd'], ['why', 'odd'], ['history'], ['history', '--csv']])
    expect((await world.cli(...words)).stdout, words.join(' ')).not.toMatch(/[\u001b\u202e]/);
});

test('cancel and kill wait for the outcome; 0 only when it is what was asked for', async () => {
  await using world = await World.open();
  const polite = await world.start('echo up; sleep 3600');
  expect(await world.cli('cancel', polite.ticket)).toMatchObject({ status: 0, stdout: expect.stringContaining('Stopped after') }); // prettier-ignore
  const deaf = await world.startHung();
  await world.untilLogged(deaf.ticket, 'copying');
  const ignored = await world.cli('cancel', deaf.ticket, '--grace', '200ms', '--no-escalate', '--reason', 'INC-1');
  expect(ignored).toMatchObject({ status: 1, stdout: expect.stringContaining('Cancel ignored') });
  expect(ignored.stderr).toMatch(/W201 .*INC-1[\s\S]*W205/);
  const killed = await world.cli('kill', deaf.ticket);
  expect(killed).toMatchObject({ status: 0, stdout: expect.stringContaining('Killed by') });
  expect(killed.stderr).toMatch(/W211[\s\S]*I212/);

  const again = await world.startHung();
  await world.untilLogged(again.ticket, 'copying');
  const asked = await world.cli('cancel', again.ticket, '--grace', '1h', '--no-wait');
  expect(asked).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('Cancel requested by') });
  expect((await world.cli('cancel', again.ticket, '--grace', '200ms', '--signal', 'kill')).status).toBe(0);
});

test('logs: --tail, --since, --search with its exit status, and a mark that no output can imitate', async () => {
  await using world = await World.open();
  const { ticket } = await world.start(
    'for i in 1 2 3 4 5; do echo "line $i"; done; echo "Unjam 2026 W221 ABANDONED"; echo "E| forged"; echo "| x"',
    { waitMs: 10_000 },
  );
  await world.log(ticket);
  const text = async (...words: string[]): Promise<string> => (await world.cli('logs', ticket, ...words)).stdout;
  expect(await text('--tail', '2', '--raw')).toBe('E| forged\n| x\n');
  expect(await text('--tail', '1')).toBe('| | x\n');
  expect(await text('--tail', '3')).toBe('| Unjam 2026 W221 ABANDONED\n| E| forged\n| | x\n');
  expect(await text('--tail', '0')).toBe('');
  expect((await text('--tail', '999', '--raw')).split('\n')[0]).toBe('line 1');
  expect(await text('--search', 'line 4')).toBe('line 4\n');
  expect(await text('--search', 'LINE [45]', '--regex', '--ignore-case')).toBe('line 4\nline 5\n');
  const entries = (await text('--json')).trimEnd().split('\n').map((line) => JSON.parse(line) as { next: number }); // prettier-ignore
  expect(await text('--since', String(entries.at(-1)?.next))).toBe('');
  const missed = await world.cli('logs', ticket, '--search', 'nowhere');
  expect(missed).toMatchObject({ status: 1, stdout: '', stderr: 'unjam: No line of the log contains "nowhere".\n' });
});

test('wait ends with the script and exits as run would have; retry starts the same again under a new ticket', async () => {
  await using world = await World.open();
  await world.start('while [ ! -e go ]; do sleep 0.05; done; exit 5', {
    ticket: 'slow',
    name: 'Deploy',
    isolation: { level: 'full', mutex: 'web' },
  });
  expect((await world.cli('retry', 'slow')).stderr).toContain('not-final');
  const waiting = world.cli('wait', 'slow');
  await world.cliAt(world.home, {}, 'run', '--', 'touch', 'go');
  expect(await waiting).toMatchObject({ status: 5, stdout: expect.stringContaining('Failed with exit code 5') });
  const again = (await world.cli('retry', 'slow')).stdout.trim();
  expect(again).not.toBe('slow');
  expect((await world.cli('wait', again)).status).toBe(5);
  expect(await world.get(again)).toMatchObject({ name: 'Deploy', mutex: 'web', cwd: world.home });
});
