/** What every command prints with --json is what docs/json.md says, through the real command line on one host. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonDocuments, type JsonKind } from '../../app/contract/json-documents.ts';
import { jsonSchema } from '../../app/domain/json-document.ts';
import { root, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
  await world.startHung('web', { ticket: 'hung' });
  await world.start('echo out; echo err >&2', { ticket: 'done' });
  await world.untilFinal('done');
  writeFileSync(join(world.home, 'alerts'), JSON.stringify([{ to: 'command', name: 'true', command: ['true'] }]));
}, 60_000);
afterAll(async () => world[Symbol.asyncDispose]());

function check(kind: JsonKind, text: string): void {
  const whole = JSON.parse(text) as Record<string, unknown>;
  expect(Object.entries(whole)[0], kind).toEqual(['schema', jsonSchema]);
  const { schema: _schema, ...document } = whole;
  expect(jsonDocuments[kind].safeParse(document).error, kind).toBeUndefined();
}

/** In an order in which each has something to tell. */
const commands: readonly (readonly [Exclude<JsonKind, 'error'>, ...string[]])[] = [
  ['start', '--ticket', 'next', '--mutex', 'web', '--', 'true'],
  ['ps', '--all'],
  ['status', 'hung'],
  ['wait', 'done'],
  ['why', 'next'],
  ['logs', 'done'],
  ['agents'],
  ['locks'],
  ['cancel', 'hung', '--no-escalate', '--no-wait', '--grace', '1h'],
  ['take', 'hung'],
  ['evidence', 'done'],
  ['abandon', 'hung', '--hold-queue'],
  ['locks resume', 'web'],
  ['kill', 'hung'],
  ['history'],
  ['retry', 'done'],
  ['complete', 'done'],
  ['drill', '--minutes', '0.1'],
  ['access grant', 'daemon', 'viewer'],
  ['access list'],
  ['access revoke', 'daemon'],
  ['alerts set', 'alerts'],
  ['alerts list'],
  ['alerts test'],
  ['service status'],
  ['open'],
  ['doctor'],
];

test('each command with --json is tried here', () => {
  const here = Object.keys(jsonDocuments).filter((kind) => !kind.startsWith('fleet ')); // those: test/fleet
  expect([...commands.map(([kind]) => kind), 'error'].sort()).toEqual(here.sort());
});

test('every command prints its document', async () => {
  for (const [kind, ...words] of commands) {
    const { stdout, stderr } = await world.cliAt(world.home, {}, ...kind.split(' '), '--json', ...words);
    expect(stdout, `${kind}: ${stderr}`).not.toBe('');
    for (const text of kind === 'logs' ? stdout.trim().split('\n') : [stdout]) check(kind, text);
  }
}, 240_000);

test('a command that fails prints its error as a document', async () => {
  const { status, stdout, stderr } = await world.cli('status', 'nobody', '--json');
  expect([status, stdout]).toEqual([1, '']);
  check('error', stderr);
});

test('ps --watch prints a document in one line at each change', async () => {
  const watching = spawn(process.execPath, [world.program, 'ps', '--watch', '--json'], {
    env: { ...process.env, UNJAM_HOME: world.home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(watching, 'exit');
  const lines = createInterface({ input: watching.stdout })[Symbol.asyncIterator]();
  check('ps', String((await lines.next()).value));
  await world.start('sleep 3600', { ticket: 'later' });
  for (let line = ''; !line.includes('"later"');) {
    line = String((await lines.next()).value);
    check('ps', line);
  }
  watching.kill('SIGINT');
  await gone;
});

test('the lines of docs/json.md work as they stand', () => {
  const [, block = ''] = /^```\n([^]*?)^```/m.exec(readFileSync(join(root, 'docs/json.md'), 'utf8')) ?? [];
  const lines = block.trim().split('\n');
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    const command = line.replace(/^unjam/, `"${process.execPath}" "${world.program}"`);
    const done = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
      env: { ...process.env, UNJAM_HOME: world.home },
      encoding: 'utf8',
    });
    expect([line, done.status, done.stderr]).toEqual([line, 0, '']);
  }
});
