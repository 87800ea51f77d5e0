/** What the Tentacle-shaped door reads, writes and launches, without a host. */
import { mkdtempSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTentacle } from '../../app/api/tentacle.ts';
import { openEntry, outputsOf } from '../../app/api/tentacle-log.ts';
import { camelCased, StartCommand } from '../../app/api/tentacle-schemas.ts';
import { launchOf, TentacleWorkspaces } from '../../app/api/tentacle-workspaces.ts';
import type { Caller } from '../../app/contract/dispatcher.ts';
import type { LogEntry, Reply } from '../../app/contract/methods.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'unjam-test-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const entry = (stream: LogEntry['stream'], text: string, seq = 0): LogEntry => ({
  ...{ seq, next: seq + text.length, stream, text },
  at: '2026-11-20T03:12:41.000Z',
  code: stream === 'unjam' ? 'I101' : null,
});
const textsOf = (...entries: LogEntry[]) => outputsOf(entries).map(({ Source, Text }) => [Source, Text]);

test('each line is an entry, without its line feed, with the number of its stream', () => {
  expect(textsOf(entry('stdout', 'a\r\nb\n\n'), entry('stderr', 'c\n'), entry('unjam', 'Started.'))).toEqual([
    [0, 'a'],
    [0, 'b'],
    [0, ''],
    [1, 'c'],
    [2, 'I101 Started.'],
  ]);
});

test('a line that came in parts is one, also when the other stream spoke in between', () => {
  expect(textsOf(entry('stdout', 'a\nbe'), entry('stderr', 'x\n'), entry('stdout', 'gun\nc'))).toEqual([
    [0, 'a'],
    [1, 'x'],
    [0, 'begun'],
    [0, 'c'],
  ]);
});

test('an unfinished line waits for the next answer for a second, and is shown then', () => {
  const [done, open] = [entry('stdout', 'a\n'), entry('stdout', 'Password: ', 2)];
  const at = Date.parse('2026-11-20T03:12:41.000Z');
  expect(openEntry([done, open], at + 999)).toBe(open);
  expect(openEntry([done, open], at + 1_000)).toBeNull();
  expect(openEntry([open, done], at)).toBeNull();
  expect(openEntry([], at)).toBeNull();
});

test('fields are read as .NET writes them and in camel case, and TimeSpans in ms', () => {
  const read = (value: object) => StartCommand.parse(camelCased(value));
  const one = { scriptBody: 'x', isolation: 1, scriptTicket: { taskId: 'T' }, durationToWaitForScriptToFinish: '00:00:05' }; // prettier-ignore
  const two = { ScriptBody: 'x', Isolation: 1, ScriptTicket: { TaskId: 'T' }, DurationToWaitForScriptToFinish: '00:00:05' }; // prettier-ignore
  expect(read(two)).toEqual(read(one));
  expect(read(two)).toMatchObject({ durationToWaitForScriptToFinish: 5_000, scriptIsolationMutexTimeout: 0 });
  expect(read({ ...two, ScriptIsolationMutexTimeout: '1.02:03:04' })).toMatchObject({ scriptIsolationMutexTimeout: 93_784_000 }); // prettier-ignore
  for (const name of ['..', 'a/b', 'a\\b', 'c:d', 'bootstrap.SH', ''])
    expect(() => read({ ...two, Files: [{ Name: name, Contents: '' }] })).toThrow('file name');
});

test('a body is launched as Tentacle launches it', () => {
  const body = { scriptBody: 'any', scripts: { bash: 'echo a\r\necho b' }, arguments: ["it's", '’$x'] };
  expect(launchOf('linux', '/w', body)).toEqual({
    bootstrap: { name: 'Bootstrap.sh', contents: 'echo a\necho b' },
    words: ['/bin/bash', '/w/Bootstrap.sh', "it's", '’$x'],
  });
  expect(launchOf('win32', 'C:\\w', body)).toEqual({
    bootstrap: { name: 'Bootstrap.ps1', contents: '\uFEFFany' },
    words: [
      ...['powershell.exe', '-NonInteractive', '-NoProfile', '-NoLogo', '-ExecutionPolicy', 'Unrestricted', '-Command'],
      "$ErrorActionPreference = 'Stop'; . {. 'C:\\w\\Bootstrap.ps1' 'it''s' '’’$x'; if ((test-path variable:global:lastexitcode)) { exit $LastExitCode }}",
    ],
  });
});

const caller: Caller = { user: 'kim', via: 'api', role: 'viewer' };
/** A host that knows no script, and answers a start with `started`. */
const hostWith = (refused: Record<string, string>, started: Reply, calls: string[] = []) =>
  createTentacle((method) => {
    calls.push(method);
    const info: Reply = { ok: true, value: { platform: 'linux', you: { user: 'kim', role: 'viewer', refused } } };
    const unknown: Reply = { ok: false, error: { code: 'unknown-ticket', message: 'Unknown.', next: 'Look.' } };
    return Promise.resolve(method === 'host.info' ? info : method === 'scripts.start' ? started : unknown);
  }, new TentacleWorkspaces(home));
const startOf = (TaskId: string) => ({ ScriptBody: 'echo', Isolation: 0, ScriptTicket: { TaskId } });
const forbidden: Reply = { ok: false, error: { code: 'forbidden', message: 'Only owners start.', next: 'Ask one.' } };

test('nothing is written for a caller who may not start, and the contract refuses and records it', async () => {
  const calls: string[] = [];
  const tentacle = hostWith({ 'scripts.start': 'Only owners start.' }, forbidden, calls);
  await expect(tentacle('StartScript', startOf('a'), caller)).rejects.toMatchObject({ code: 'forbidden' });
  expect(calls).toContain('scripts.start');
  expect(readdirSync(home)).toEqual([]);
});

test('no ticket leads out of the folder', async () => {
  const bad: Reply = { ok: false, error: { code: 'bad-ticket', message: 'A ticket.', next: 'Another.' } };
  for (const ticket of ['../out', '..', 'a/b'])
    await expect(hostWith({}, bad)('StartScript', startOf(ticket), caller)).rejects.toMatchObject({ code: 'bad-ticket' }); // prettier-ignore
  expect(readdirSync(home)).toEqual([]);
});

test('what could not be started leaves no folder', async () => {
  const failed: Reply = { ok: false, error: { code: 'start-failed', message: 'No.', next: 'Again.' } };
  await expect(hostWith({}, failed)('StartScript', startOf('a'), caller)).rejects.toMatchObject({ code: 'start-failed' }); // prettier-ignore
  expect(readdirSync(join(home, 'tentacle'))).toEqual([]);
});

test('a folder is its owner’s alone, and goes when its run directory has gone', async () => {
  const workspaces = new TentacleWorkspaces(home);
  await workspaces.make('Kept', [{ name: 'Bootstrap.sh', contents: 'old' }]);
  await workspaces.make('Kept', [{ name: 'Bootstrap.sh', contents: 'new' }]); // the first was cut off by a crash
  await workspaces.make('gone', []);
  await workspaces.make('begun', []);
  mkdirSync(join(home, 'runs', 'kept'), { recursive: true });
  await workspaces.sweep((key) => key === 'begun');
  expect(readdirSync(join(home, 'tentacle')).toSorted()).toEqual(['begun', 'kept']);
  const path = workspaces.pathOf('Kept');
  expect(readFileSync(join(path, 'Bootstrap.sh'), 'utf8')).toBe('new');
  expect([statSync(path).mode & 0o777, statSync(join(path, 'Bootstrap.sh')).mode & 0o777]).toEqual([0o700, 0o600]);
  await expect(workspaces.make('twice', [{ name: 'a', contents: '' }, { name: 'a', contents: '' }])).rejects.toMatchObject({ code: 'state-directory' }); // prettier-ignore
  expect(existsSync(path)).toBe(true);
});
