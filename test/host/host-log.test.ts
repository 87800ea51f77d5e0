/** The log of the host: for people in host.log, for programs in host.jsonl. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pidsOf } from '../../app/domain/host-log.ts';
import { openHostLog } from '../../app/host/host-log.ts';
import { expectHarmless, hostile } from '../support/hostile.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const entries = (): unknown[] =>
  read('host.jsonl')
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

test('each line stands in both files, at the same time, with the level of its code', () => {
  const log = openHostLog(folder);
  const facts = { ticket: 'dep-1', name: 'Deploy', mutex: 'web', pids: [12, 13] };
  log('W205 Deploy [dep-1]: Cancel ignored.', facts);
  log('I310 The machine woke up.');
  log('W399 "x" failed: Error\n    at y');
  log('Cannot reach the host: it is away.', { ticket: null, pids: [] });
  const expected = [
    { level: 'WARN', code: 'W205', message: 'Deploy [dep-1]: Cancel ignored.', ...facts },
    { level: 'INFO', code: 'I310', message: 'The machine woke up.' },
    { level: 'ERROR', code: 'W399', message: '"x" failed: Error\n    at y' },
    { level: 'INFO', message: 'Cannot reach the host: it is away.' },
  ];
  const times = read('host.log').match(/^\S+Z/gm) ?? [];
  expect(entries()).toEqual(expected.map((entry, i) => ({ '@timestamp': times[i], logger: 'host', ...entry })));
  expect(
    read('host.log')
      .replaceAll(/^\S+Z /gm, '')
      .split('\n'),
  ).toEqual([
    'W205 Deploy [dep-1]: Cancel ignored.',
    'I310 The machine woke up.',
    'W399 "x" failed: Error |     at y',
    'Cannot reach the host: it is away.',
    '',
  ]);
});

test('neither file has a secret, or a character that a terminal obeys; a JSON parser gets the name back', () => {
  const name = hostile('name');
  openHostLog(folder)(`W201 ${name} password=hunter2-x`, { name, mutex: 'm password=hunter2-y' });
  for (const file of ['host.log', 'host.jsonl']) {
    expectHarmless(read(file), file);
    expect(read(file)).not.toContain('hunter2');
  }
  expect(entries()).toMatchObject([{ name }]);
});

test('a file of more than 2 MB is set aside, in place of the one before it', () => {
  const log = openHostLog(folder);
  for (const file of ['host.log', 'host.jsonl']) {
    writeFileSync(join(folder, `${file}.1`), 'older');
    writeFileSync(join(folder, file), 'x'.repeat(2_097_153));
  }
  log('I310 new');
  for (const file of ['host.log', 'host.jsonl']) expect([read(`${file}.1`)[0], read(file).length < 200]).toEqual(['x', true]); // prettier-ignore
});

test('whoever moves a file away gets a new one, and what host.log does not take is told elsewhere', () => {
  const told: string[] = [];
  const log = openHostLog(folder, (text) => told.push(text));
  log('first');
  renameSync(join(folder, 'host.jsonl'), join(folder, 'taken'));
  log('second');
  expect(entries()).toMatchObject([{ message: 'second' }]);
  rmSync(folder, { recursive: true });
  log('third');
  expect(told).toEqual([expect.stringMatching(/^\S+Z third\n$/)]);
});

test('the last line before a SIGKILL is there', async () => {
  const module = new URL('../../app/host/host-log.ts', import.meta.url).href;
  const source = `
    const { openHostLog } = await import(${JSON.stringify(module)});
    const log = openHostLog(${JSON.stringify(folder)});
    for (let i = 1; i <= 1000; i++) log('I310 line ' + i, { ticket: 't' });
    process.kill(process.pid, 'SIGKILL');`;
  const signal = await new Promise((resolve) =>
    execFile(process.execPath, ['--input-type=module', '-e', source], (error) => resolve(error?.signal)),
  );
  expect(signal).toBe('SIGKILL');
  expect(entries()).toHaveLength(1000);
  expect(entries().at(-1)).toMatchObject({ message: 'line 1000', ticket: 't' });
});

test('a line is about the processes that it names, else about the first one of its script', () => {
  const process = (pid: number) => ({
    machine: 'm',
    bootId: 'b',
    pidNamespace: 'n',
    pid,
    startTime: '1',
    startedAt: 0,
    name: 'sh',
  });
  const event = { at: 0, by: 'runner' } as const;
  expect(pidsOf({ ...event, type: 'waiting' }, null)).toEqual([]);
  expect(pidsOf({ ...event, type: 'waiting' }, 5)).toEqual([5]);
  expect(pidsOf({ ...event, type: 'cancel-ignored', left: [process(7)], of: 2 }, 5)).toEqual([7]);
  const survivors = [{ process: process(8), reason: 'kernel' as const, detail: 'state D' }];
  expect(pidsOf({ ...event, type: 'unkillable', survivors, ended: 1, of: 2 }, 5)).toEqual([8]);
});
