/** Whatever a name, a reason, a folder or a process is called: no command line of Unjam obeys it, or lets it forge a line. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HttpClient } from '../../app/api/http-client.ts';
import { createProgram } from '../../app/cli/program.ts';
import { expectHarmless, hostile } from '../support/hostile.ts';
import { World } from '../support/world.ts';
import { untilFile } from '../support/wreck.ts';

let world: World;
const name = hostile('name');
const mutex = `=cmd|'/C calc'!A0`; // a mutex has a name without control characters
const isRoot = process.getuid?.() === 0;

/** Two scripts, the second behind the first, of a person, in a folder, by a program, all with such names; a third has ended. */
beforeAll(async () => {
  world = await World.open();
  const folder = join(world.home, hostile('folder').replaceAll(/[/\0]/g, '_'));
  mkdirSync(folder);
  const program = join(folder, '\u001b[2J\u202esleep');
  copyFileSync('/bin/sleep', program);
  const { address, token } = world.hostFile();
  const evil = new HttpClient({ address, token, actor: { user: hostile('person'), via: 'api' }, timeoutMs: 20_000 });
  const isolation = { level: 'full' as const, mutex };
  const long = 'x'.repeat(10_000);
  try {
    await evil.call('scripts.start', { ticket: 'a', name, command: [program, '3600'], cwd: folder, isolation });
    await evil.call('scripts.start', {
      ticket: 'b',
      name,
      command: ['true', hostile('word').replaceAll('\0', ''), long],
      cwd: folder,
      isolation,
    });
    const prints = String.raw`printf '\033[2J\033]0;owned\007\302\2331A found\r\n'; echo found`;
    const notify = ['bash', '-c', 'env -0 > told.tmp; mv told.tmp told'];
    await evil.call('scripts.start', { ticket: 'c', name, command: ['bash', '-c', prints], cwd: world.home, notify }); // prettier-ignore
    await world.untilFinal('c');
    await untilFile(join(world.home, 'told'));
  } finally {
    evil.close();
  }
}, 60_000);
afterAll(async () => world[Symbol.asyncDispose]());

const evilWords = (tag: string): string => hostile(tag).replaceAll('\0', '');

/** Every command, in an order in which each has something to tell. */
const commands: Record<string, string[][]> = {
  ps: [['ps'], ['ps', '--all'], ['ps', '--json']],
  status: [
    ['status', 'a'],
    ['status', 'b'],
    ['status', 'a', '--json'],
    ['status', evilWords('ticket')],
  ],
  why: [
    ['why', 'a'],
    ['why', 'b'],
    ['why', 'a', '--json'],
  ],
  locks: [['locks'], ['locks', '--json'], ['locks', 'resume', mutex]],
  logs: [
    ['logs', 'b'],
    ['logs', 'b', '--json'],
    ['logs', 'c', '--json'],
    ['logs', 'c', '--search', evilWords('search')],
  ],
  alerts: [['alerts', 'set', evilWords('file')], ['alerts', 'list'], ['alerts', 'test', '--target', evilWords('target')]], // prettier-ignore
  agents: [['agents'], ['agents', '--json']],
  metrics: [['metrics']],
  open: [
    ['open', '--print'],
    ['open', '--json'],
  ],
  take: [
    ['take', 'a'],
    ['take', evilWords('ticket')],
  ],
  evidence: [
    ['evidence', 'a', '--output', 'evidence.zip'],
    ['evidence', 'a', '--output', 'none/x.zip'],
  ],
  completion: [['completion', evilWords('shell')]],
  doctor: [['doctor'], ['doctor', '--json']],
  hold: [['hold', '--mutex', mutex, '--mutex-timeout', '10ms', '--name', evilWords('hold'), '--', 'true']],
  'check-fence': [['check-fence']],
  start: [['start', '--ticket', evilWords('ticket'), '--', 'true'], ['start', '--', evilWords('command')], ['start', '--name', 'x'.repeat(10_000), '--', 'true']], // prettier-ignore
  run: [['run', '--mutex', mutex, '--mutex-timeout', '10ms', '--name', evilWords('run'), '--', 'true']],
  access: [['access', 'grant', evilWords('who'), 'viewer'], ['access', 'list'], ['access', 'list', '--json'], ['access', 'revoke', evilWords('other')], ['access', 'revoke', evilWords('who')]], // prettier-ignore
  cancel: [
    ['cancel', 'a', '--no-wait', '--grace', '1h', '--reason', evilWords('cancel')],
    ['cancel', 'a', '--signal', evilWords('signal')],
  ],
  kill: [
    ['kill', 'b', '--reason', evilWords('kill')],
    ['kill', 'a'],
  ],
  abandon: [['abandon', 'a', '--hold-queue', '--reason', evilWords('abandon')]],
  wait: [
    ['wait', 'a'],
    ['wait', 'b'],
  ],
  retry: [['retry', 'c']],
  complete: [
    ['complete', 'a'],
    ['complete', evilWords('ticket')],
  ],
  history: [['history'], ['history', '--csv'], ['history', '--json'], ['history', '--since', evilWords('since')]],
  service: [
    ['service', 'status'],
    ['service', 'status', '--json'],
  ],
  serve: [['serve', '--port', evilWords('port')]],
  drill: [['drill', '--minutes', evilWords('minutes')]],
  fleet: [
    ['fleet', 'init', '--engine', evilWords('engine')],
    ['fleet', 'invite', evilWords('name'), '--engine', 'postgresql://x@127.0.0.1:1/x', '--out', evilWords('out')],
    ['fleet', 'join', evilWords('file')],
    ['fleet', 'leave'],
    ['fleet', 'restored', '--reason', evilWords('reason')],
    ['fleet', 'doctor', '--json'],
    ['fleet', 'hosts', '--as', evilWords('as')],
    ['fleet', 'ps', '--as', evilWords('as')],
    ['fleet', 'abandon', evilWords('mutex'), evilWords('script'), '--reason', evilWords('reason')],
  ],
};

test('each command of the command line is tried here', () => {
  expect(Object.keys(commands).sort()).toEqual(
    createProgram()
      .commands.map((c) => c.name())
      .sort(),
  );
});

describe('what a command prints is harmless', () => {
  test.each(Object.entries(commands))('unjam %s', async (_, lines) => {
    for (const words of lines) {
      const { stdout, stderr } = await world.cli(...words);
      expect(`${stdout}${stderr}`, words.join(' ')).not.toBe('');
      // A table of CSV ends its lines as RFC 4180 wants it.
      expectHarmless(words.includes('--csv') ? stdout.replaceAll('\r\n', '\n') : stdout, words.slice(0, 2).join(' '));
      expectHarmless(stderr, `${words.slice(0, 2).join(' ')} (stderr)`);
      if (words.includes('--json') && stdout !== '')
        expect(stdout.trim().split(/\n(?=\{)/).map((part) => typeof JSON.parse(part))).not.toContain('string'); // prettier-ignore
    }
  });
});

test('JSON has the very values: nothing of them is lost', async () => {
  const { stdout } = await world.cli('status', 'b', '--json');
  const { name: told, command } = JSON.parse(stdout) as { name: string; command: string[] };
  expect(told).toBe(name);
  expect(command[2]).toHaveLength(10_000);
});

test('no cell of the history as CSV begins as a formula', async () => {
  const { stdout } = await world.cli('history', '--csv');
  expect(stdout).toContain(`'=cmd|`);
  expect(stdout.split(/\r\n/).filter((line) => /(^|,)"?=/.test(line))).toEqual([]);
});

test.each([
  ['logs', 'c'],
  ['logs', 'c', '--search', 'found'],
])('on a terminal "unjam %s %s %s" keeps colours alone of what a script printed', async (...words) => {
  const command = [process.execPath, world.program, ...words].map((w) => `'${w}'`).join(' ');
  const shown = await new Promise<string>(
    (resolve) =>
    execFile('script', ['-qec', command, '/dev/null'], { env: { ...process.env, UNJAM_HOME: world.home } }, (_e, stdout) => resolve(stdout)), // prettier-ignore
  );
  expect(shown).toContain('found');
  expectHarmless(shown.replaceAll('\r\n', '\n').replaceAll('\r', ''), words.join(' '));
});

test('the host’s log, and a notify command’s environment, have one line for each name', async () => {
  expectHarmless(world.hostLog, 'host.log');
  expect(world.hostLog).toContain('=cmd|');
  const json = readFileSync(join(world.home, 'host.jsonl'), 'utf8');
  expectHarmless(json, 'host.jsonl');
  const entries = json.trimEnd().split('\n').map((line) => JSON.parse(line) as object); // prettier-ignore
  expect(entries).toContainEqual(expect.objectContaining({ name, mutex, ticket: 'b', level: 'INFO' }));
  for (const variable of readFileSync(join(world.home, 'told'), 'utf8').split('\0'))
    if (variable.startsWith('UNJAM_') && !variable.startsWith('UNJAM_LAST_OUTPUT')) expectHarmless(variable, 'notify', true); // prettier-ignore
});

test.skipIf(!isRoot)('a machine with such a name is told harmlessly', async () => {
  const inner = `hostname "$(printf '\\033[2Jm')" && "$0" "$1" ps; "$0" "$1" doctor`;
  const shown = await new Promise<string>(
    (resolve) =>
    execFile('unshare', ['--uts', 'bash', '-c', inner, process.execPath, world.program], { env: { ...process.env, UNJAM_HOME: world.home } }, (_e, stdout, stderr) => resolve(stdout + stderr)), // prettier-ignore
  );
  expectHarmless(shown, 'ps on that machine');
});
