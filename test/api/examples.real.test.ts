/** The clients of docs/examples do the main job: start, follow, end with the script's code. And how answers come. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { ScriptView } from '../../app/contract/methods.ts';
import { root, World } from '../support/world.ts';

const example = (name: string): string => join(root, 'docs', 'examples', name);
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

describe.each([
  ['deploy.sh', ['bash', example('deploy.sh')], ['curl', 'jq']],
  ['deploy.mjs', [process.execPath, example('deploy.mjs')], []],
  ['deploy.ts', [process.execPath, example('deploy.ts')], []],
  ['deploy.py', ['python3', example('deploy.py')], ['python3']],
] as const)('docs/examples/%s', (_name, [program, file], needs) => {
  test.skipIf(!needs.every(has))(
    'prints what the script prints and exits with its code; an error says the next step',
    async () => {
      await using world = await World.open();
      const run = async (...words: string[]) => {
        const child = spawn(program, [file, ...words], {
          cwd: world.home,
          env: { ...process.env, UNJAM_HOME: world.home },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const code = new Promise((resolve) => child.once('exit', resolve));
        const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
        return { code: await code, stdout, stderr };
      };
      const done = await run('web', 'bash', '-c', 'echo begun; sleep 0.1; echo "in $PWD" ; exit 7');
      expect(done).toMatchObject({ code: 7, stdout: `begun\nin ${world.home}\n` });
      const refused = await run('web', 'no-such-command-anywhere');
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('Check its spelling and PATH');
    },
  );
});

test.skipIf(!['curl', 'jq'].every(has))('the line of docs/api.md follows one script to its end', async () => {
  await using world = await World.open();
  const page = readFileSync(join(root, 'docs/api.md'), 'utf8');
  const [, line = ''] = /^```sh\n(.*)\n```/m.exec(page) ?? [];
  await world.start('until [ -e go ]; do sleep 0.01; done; exit 3', { ticket: 'followed' });
  await world.until('followed', (s) => s.state === 'running');
  const curl = spawn('bash', ['-c', line.replace('TICKET', 'followed')], {
    env: { ...process.env, UNJAM_HOME: world.home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let seen = '';
  curl.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (seen === '') writeFileSync(join(world.home, 'go'), '');
    seen += text;
  });
  await once(curl, 'close');
  const events = [...seen.matchAll(/^event: script\nid: (.*)\ndata: (.*)\n\n/gm)].map(([, mark, data]) => ({
    mark,
    script: JSON.parse(data ?? '') as ScriptView,
  }));
  expect(events[0]?.script).toMatchObject({ ticket: 'followed', state: 'running' });
  expect(events.at(-1)?.script).toMatchObject({ state: 'final', exitCode: 3 });

  // Who comes again has missed nothing, or what has come since.
  const again = (mark = '') => ask(world, '/scripts/FOLLOWED/events', { 'last-event-id': mark });
  expect(await again(events.at(-1)?.mark)).toMatchObject({ status: 204 });
  const missed = await again(events[0]?.mark);
  expect(missed.body.toString()).toContain(`id: ${events.at(-1)?.mark}\n`);
  expect(await ask(world, '/scripts/nobody/events', {})).toMatchObject({ status: 404 });
});

function ask(world: World, path: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    const { address, token } = world.hostFile();
    const asked = request(
      { socketPath: address, path, method: body === undefined ? 'GET' : 'POST', headers: { ...headers, authorization: `Bearer ${token}` } },
      (answer) => {
        buffer(answer).then((bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }), reject);
      },
    ); // prettier-ignore
    asked.on('error', reject);
    asked.end(body);
  });
}

test('an error is a problem of RFC 9457 for who accepts it, and a large answer is compressed for who accepts that', async () => {
  await using world = await World.open();
  const call = (headers: Record<string, string>) => ask(world, '/rpc/scripts.get', headers, '{"ticket":"none"}');
  const problem = await call({ accept: 'application/problem+json' });
  expect(problem.status).toBe(404);
  expect(problem.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(JSON.parse(problem.body.toString())).toMatchObject({
    type: 'urn:unjam:error:unknown-ticket',
    title: 'unknown-ticket',
    status: 404,
    detail: expect.any(String) as string,
    next: expect.any(String) as string,
  });
  expect(JSON.parse((await call({})).body.toString())).toMatchObject({ ok: false, error: { code: 'unknown-ticket' } });

  const plain = await ask(world, '/openapi.json', {});
  const zipped = await ask(world, '/openapi.json', { 'accept-encoding': 'gzip' });
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(zipped.headers['content-encoding']).toBe('gzip');
  expect(zipped.body.length).toBeLessThan(plain.body.length);
  expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
  expect(
    (await ask(world, '/rpc/host.info', { 'accept-encoding': 'gzip' }, '{}')).headers['content-encoding'],
  ).toBeUndefined();
});
