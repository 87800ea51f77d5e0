/** A host of another version, or one whose answer was damaged: a clear error that names the field, and never a crash. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpClient } from '../../app/api/http-client.ts';
import { hostAddress } from '../../app/processes/index.ts';
import { script, snapshot } from '../main/fixtures.ts';

let answer: (response: ServerResponse, path: string) => void;
const server = createServer((request, response) => {
  request.resume();
  answer(response, request.url ?? '');
});
let folder: string;
let client: HttpClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-answer-'));
  const address = hostAddress(folder);
  await new Promise<void>((resolve) => server.listen(address, resolve));
  client = new HttpClient({ address, token: 't', actor: { user: 'kim', via: 'api' }, timeoutMs: 20_000 });
});
afterEach(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const answersWith = (body: unknown): void => {
  answer = (response) => response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
const failure = (call: Promise<unknown>): Promise<unknown> => call.then(() => null, (error: unknown) => error); // prettier-ignore

test('what an older host does not send is named', async () => {
  const { blocks: _missing, ...older } = script();
  answersWith({ ok: true, value: [script(), older] });
  expect(await failure(client.call('scripts.list', {}))).toMatchObject({
    code: 'version-mismatch',
    field: '1.blocks',
    message: expect.stringContaining('The answer of the host to "scripts.list"') as string,
    next: expect.stringContaining('unjam serve --take-over') as string,
  });
});

test('a command that was carried out is not reported as if it had not been', async () => {
  answersWith({ ok: true, value: { ...script(), state: 'vanishing' } });
  const error = await failure(client.call('scripts.cancel', { ticket: 'web-eu-4' }));
  expect(error).toMatchObject({ code: 'version-mismatch', field: 'state' });
  expect(String(error)).toContain('"scripts.cancel" was carried out');
});

test('what a newer host sends in addition is passed over', async () => {
  const newer = { ...script(), mood: 'fine', condition: { ...script().condition, colour: 'red' } };
  answersWith({ ok: true, value: [newer] });
  expect(await client.call('scripts.list', {})).toEqual([newer]);
});

test('a host of any version can be asked who it is', async () => {
  answersWith({ ok: true, value: { name: 'unjam', version: '0.0.9', pid: 7, house: 'blue' } });
  expect(await client.call('host.info', {})).toMatchObject({ version: '0.0.9', pid: 7 });
  answersWith({ ok: true, value: { name: 'unjam', version: 9 } });
  expect(await failure(client.call('host.info', {}))).toMatchObject({ code: 'version-mismatch', field: 'version' });
});

test('a refusal of another version keeps its words; its code, when unknown here, counts as internal', async () => {
  answersWith({ ok: false, error: { code: 'too-many-moons', message: 'No.', next: 'Wait.', moons: 3 } });
  expect(await failure(client.call('scripts.list', {}))).toMatchObject({
    code: 'internal',
    message: 'No.',
    next: 'Wait.',
  });
});

test.each([
  ['', 'is not JSON'],
  ['<html>', 'is not JSON'],
  ['{"ok":true,"val', 'is not JSON'],
  ['null', '"input"'],
  ['{}', '"ok"'],
  ['{"ok":"yes"}', '"ok"'],
  ['{"ok":true}', '"value"'],
  ['{"ok":false}', '"error"'],
  ['{"ok":false,"error":{"code":7}}', '"error.code"'],
])('the damaged answer %j is an error', async (text, named) => {
  answersWith(text);
  const error = await failure(client.call('scripts.list', {}));
  expect(error).toMatchObject({ name: 'UnjamError', code: 'version-mismatch' });
  expect(String(error)).toContain(named);
});

test('a connection that breaks inside the answer is no answer', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"ok":true', () => response.destroy());
  };
  expect(await failure(client.call('scripts.list', {}))).toMatchObject({ code: 'host-unreachable' });
});

test('a host of this version has checked its answers itself; JSON they must be all the same', async () => {
  const same = new HttpClient({
    address: hostAddress(folder),
    token: 't',
    version: '1.2.3',
    actor: { user: 'kim', via: 'api' },
    timeoutMs: 20_000,
  });
  answer = (response) => response.setHeader('x-unjam-version', '1.2.3').end('{"ok":true,"value":[]}');
  expect(await same.call('scripts.list', {})).toEqual([]);
  answer = (response) => response.setHeader('x-unjam-version', '1.2.3').end('{"ok":true,"val');
  expect(await failure(same.call('scripts.list', {}))).toMatchObject({ code: 'version-mismatch' });
  for (const other of [undefined, '1.2.4']) {
    answer = (response) => {
      if (other !== undefined) response.setHeader('x-unjam-version', other);
      response.end('{"ok":true,"value":[{}]}');
    };
    expect(await failure(same.call('scripts.list', {}))).toMatchObject({ field: '0.ticket' });
  }
  same.close();
});

const event = (payload: unknown) =>
  `event: snapshot\nid: 1\ndata: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`;

test.each([
  ['is not JSON', '{"sequence":'],
  ['"overview.sentence"', { ...snapshot(), overview: {} }],
])('an event that cannot be read ends the events, and says why: %s', async (named, payload) => {
  answer = (response) => response.write(event(snapshot()) + event(payload) + event(snapshot()));
  const heard: unknown[] = [];
  const why = await new Promise<string>((resolve) => client.on('snapshot', (s) => heard.push(s), resolve));
  expect(why).toContain(named);
  expect(heard).toEqual([snapshot()]);
});

test('whoever listens learns once that the connection broke', async () => {
  const said: string[] = [];
  answer = (response) => response.write(event(snapshot()), () => response.destroy());
  await new Promise<void>((resolve) => {
    client.on('snapshot', () => undefined, (why) => {
      said.push(why);
      resolve();
    }); // prettier-ignore
  });
  await failure(client.call('scripts.list', {})); // one more round
  expect(said).toEqual(['The connection to the host broke.']);
});
