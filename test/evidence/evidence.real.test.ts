/** Bundles of evidence of real scripts, through the command line and the API. */
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Output } from '../../app/contract/methods.ts';
import { unpack } from '../support/unpack.ts';
import { World } from '../support/world.ts';

type Saved = Output<'scripts.evidence'>;

const bundles = (world: World, ticket: string): string[] =>
  readdirSync(join(world.home, 'runs', ticket)).filter((name) => name.endsWith('.zip'));

const secret = 'hunter2-in-the-environment';

/** Hangs with an open file and a held lock, and has said more lines than a bundle takes. */
const hung = `exec 7>>"$PWD/half-written.txt"; flock -x 7
for i in $(seq 1200); do echo "line $i"; done; echo "connecting with password=${secret}"; echo "no answer" >&2
trap "" TERM INT; sleep 3600 --password ${secret} 2>/dev/null || sleep 3600`;

test('a bundle says what hung and why: tree, names of variables, waits, files, locks, stacks, the end of the log; no secret is in it', async () => {
  await using world = await World.open();
  const { ticket } = await world.client.call('scripts.start', {
    name: 'Deploy web',
    command: ['bash', '-c', hung],
    cwd: world.home,
    environment: { PATH: process.env['PATH'] ?? '', DB_PASSWORD: secret, DEPLOY_ENV: secret },
    isolation: { level: 'full', mutex: 'web' },
  });
  const waiter = await world.start('true', { name: 'Deploy api', isolation: { level: 'full', mutex: 'web' } });
  await world.untilLogged(ticket, 'no answer');
  const path = join(world.home, 'bundle.zip');
  const result = await world.cli('evidence', ticket, '--output', path, '--json');
  expect(result).toMatchObject({ status: 0, stderr: '' });
  const saved = JSON.parse(result.stdout) as Saved;
  expect(saved).toMatchObject({ ticket, collected: true, path });

  const files = unpack(path);
  const page = files['README.md'] ?? '';
  expect(page).toContain('# Deploy web');
  for (const part of [ticket, 'web (full, held)', `"Deploy api" (ticket ${waiter.ticket}`, 'sleep: sleeping'])
    expect(page).toContain(part);
  expect(files['environment-names.txt']).toMatch(/^DEPLOY_ENV$/m);
  expect(files['wait-reasons.txt']).toMatch(/nanosleep/);
  expect(files['kernel-stacks.txt']).toMatch(/hrtimer_nanosleep|do_wait/);
  expect(files['open-files.txt']).toMatch(/7 .*half-written\.txt \(writes, at byte 0\) · lock .*FLOCK/);
  expect(files['file-locks.txt']).toMatch(/FLOCK {2}ADVISORY {2}WRITE/);
  const log = (files['log.txt'] ?? '').trimEnd().split('\n');
  expect(log).toHaveLength(1_000);
  expect(log.join('\n')).toContain('line 1200');
  expect(log.join('\n')).toMatch(/ E no answer/);
  expect(files['timeline.txt']).toBeDefined();
  expect(files['journal.txt']).toContain('started');
  expect(JSON.stringify(files)).not.toContain(secret);

  expect(await world.log(ticket)).toMatch(/I261 Evidence was saved for .*: evidence-\d{8}-\d{6}\.zip, \d+ KB\./);
  const [entry] = (await world.client.call('history.list', { ticket })).filter((e) => e.kind === 'evidence');
  expect(entry).toMatchObject({ code: 'I261', via: 'cli' });
  expect((await world.get(ticket)).state).toBe('running');

  const again = await world.cli('evidence', ticket, '--output', path);
  expect(again).toMatchObject({ status: 2, stdout: '' });
  expect(again.stderr).toMatch(/--output: ".*bundle\.zip" cannot be written: it exists/);
});

test.skipIf(!existsSync('/usr/bin/gdb'))('a debugger of the host adds its stacks, and the process runs on (gdb)', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('echo up; exec sleep 3600');
  await world.untilLogged(ticket, 'up');
  const saved = await world.client.call('scripts.evidence', { ticket });
  expect(unpack(saved.path)['native-stacks.txt']).toMatch(/sleep \(gdb\)[^]*#0 /);
  const [root] = (await world.get(ticket)).processes;
  expect(root?.state).toBe('sleeping');
}); // prettier-ignore

test('a debugger that hangs holds a Force Kill up for no more than its time, and the bundle says so', async () => {
  await using world = await World.empty();
  const tools = join(world.home, 'tools');
  mkdirSync(tools);
  writeFileSync(join(tools, 'gdb'), '#!/bin/sh\ntrap "" TERM\necho begun\nexec sleep 3600\n');
  chmodSync(join(tools, 'gdb'), 0o755);
  await world.startHost({ PATH: `${tools}:${process.env['PATH']}` });
  await world.client.call('settings.set', { values: { evidenceBeforeEnd: true } });
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  expect((await world.cli('kill', ticket, '--reason', 'INC-1')).status).toBe(0);

  const [file] = bundles(world, ticket);
  const files = unpack(join(world.home, 'runs', ticket, file ?? ''));
  expect(files['README.md']).toMatch(/before Force Kill, while its processes were still there/);
  expect(files['README.md']).toMatch(/`native-stacks\.txt`: .*(not done in time|not ready in time)/);
  expect(files['processes.txt']).toContain('sleep 3600');
  const log = await world.log(ticket);
  expect(log.indexOf('I261 Evidence was saved before Force Kill')).toBeGreaterThan(-1);
  expect(log.indexOf('W211')).toBeGreaterThan(log.indexOf('I261'));
  // The debugger is gone with its time.
  await expect.poll(() => world.control.snapshot().filter((p) => p.identity.name === 'sleep' && p.parentPid === world.hostPid)).toEqual([]);

  // Who comes the next morning gets what was saved while the processes were there.
  const later = await world.cli('evidence', ticket);
  expect(later.stdout).toContain(file);
  expect(later.stdout).toContain('while the processes');
  expect(bundles(world, ticket)).toHaveLength(1);
}); // prettier-ignore

test('Abandon, and a Cancel that escalates, save evidence too when that is set; a Cancel that only asks does not', async () => {
  await using world = await World.open();
  await world.client.call('settings.set', { values: { evidenceBeforeEnd: true } });
  const { ticket, pid } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  await world.client.call('scripts.abandon', { ticket, confirmPid: pid ?? 0 });
  expect(bundles(world, ticket)).toHaveLength(1);
  expect(await world.log(ticket)).toContain('I261 Evidence was saved before Abandon');

  const asked = await world.startHung('api');
  await world.untilLogged(asked.ticket, 'copying');
  await world.client.call('scripts.cancel', { ticket: asked.ticket, graceMs: 10, escalate: false });
  await world.until(asked.ticket, ({ condition }) => condition.key === 'cancel-ignored');
  expect(bundles(world, asked.ticket)).toEqual([]);
  await world.client.call('scripts.cancel', { ticket: asked.ticket, graceMs: 10 });
  await world.untilFinal(asked.ticket);
  const log = await world.log(asked.ticket);
  expect(bundles(world, asked.ticket)).toHaveLength(1);
  expect(log.indexOf('I261 Evidence was saved before Cancel')).toBeGreaterThan(-1);
  expect(log.lastIndexOf('Cancel requested')).toBeGreaterThan(log.indexOf('I261'));
});

test('evidence is saved before a time limit, and the limit does not wait for it', async () => {
  await using world = await World.open();
  await world.client.call('settings.set', { values: { evidenceBeforeEnd: true } });
  const { stdout } = await world.cli('start', '--timeout', '10s', '--', 'bash', '-c', 'echo copying; sleep 3600');
  const ticket = stdout.trim();
  expect((await world.untilFinal(ticket)).verdict).toBe('timed-out');
  const [file, ...more] = bundles(world, ticket);
  expect(more).toEqual([]);
  const files = unpack(join(world.home, 'runs', ticket, file ?? ''));
  expect(files['README.md']).toMatch(/before its time limit, while its processes were still there/);
  expect(files['processes.txt']).toContain('sleep 3600');
  const log = await world.log(ticket);
  expect(log.indexOf('I261 Evidence was saved before its time limit')).toBeGreaterThan(-1);
  expect(log.indexOf('W231')).toBeGreaterThan(-1);
});

test('a bundle of a script that has ended holds its log, and says that no process is left', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('echo done; exit 3', { waitMs: 20_000 });
  await world.untilFinal(ticket);
  const saved = await world.client.call('scripts.evidence', { ticket });
  const files = unpack(saved.path);
  expect(files['README.md']).toContain('after the script had ended');
  expect(files['README.md']).toContain('no process of the script is left');
  expect(files['log.txt']).toContain('done');
});

test('only a bundle is handed out, and only of a script that is there', async () => {
  await using world = await World.open();
  const { ticket } = await world.startHung();
  await world.untilLogged(ticket, 'copying');
  await world.client.call('scripts.evidence', { ticket });
  for (const file of ['spec.json', '../../host.json', 'evidence-20261201-144501.zip/../spec.json'])
    expect((await world.refusal(world.client.call('evidence.read', { ticket, file }))).field).toBe('file');
  expect((await world.cli('evidence', 'nobody')).status).toBe(1);
});
