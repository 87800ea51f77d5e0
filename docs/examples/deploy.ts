// As deploy.mjs, with types and client made from the description of the API. Needs Node 24 and openapi-fetch.
// Once: curl --unix-socket "$(jq -r .address host.json)" http://unjam/openapi.json >openapi.json
//       npx openapi-typescript openapi.json -o unjam-api.ts
// Usage: node deploy.ts MUTEX COMMAND [ARGUMENT...]
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import createClient from 'openapi-fetch';
import type { paths } from './unjam-api.ts';

const state =
  process.env['UNJAM_HOME'] ??
  (process.platform === 'win32'
    ? join(process.env['LOCALAPPDATA'] ?? '', 'Unjam')
    : join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'unjam'));
const host = JSON.parse(readFileSync(join(state, 'host.json'), 'utf8')) as { address: string; token: string };

/** The host listens on a Unix socket or a named pipe, which fetch does not reach. */
async function fetchLocally(asked: Request): Promise<Response> {
  const body = Buffer.from(await asked.arrayBuffer());
  return new Promise((resolve, reject) => {
    const { method, headers } = asked;
    request(
      { socketPath: host.address, path: new URL(asked.url).pathname, method, headers: Object.fromEntries(headers) },
      (answer) => {
        buffer(answer).then((bytes) => resolve(new Response(bytes, { status: answer.statusCode ?? 500 })), reject);
      },
    )
      .on('error', reject)
      .end(body);
  });
}

const client = createClient<paths>({
  baseUrl: 'http://unjam',
  headers: { authorization: `Bearer ${host.token}` },
  fetch: fetchLocally,
});

type Refusal =
  { error: { message: string; next: string; code: string } } | { detail: string; next: string; code: string }; // where the call accepts application/problem+json

/** What was answered; the error of the host as one sentence with its next step. */
function answered<T>({ data, error }: { data?: { value: T } | undefined; error?: Refusal | undefined }): T {
  if (data !== undefined) return data.value;
  if (error === undefined) throw new Error('The host has given no answer.');
  const { code, next, ...said } = 'error' in error ? error.error : error;
  throw new Error(`${'detail' in said ? said.detail : said.message} ${next} (${code})`);
}

const [mutex = '', ...command] = process.argv.slice(2);
// The same ticket never runs twice: the call may be repeated when its answer was lost.
const ticket = `example-${randomUUID()}`;
answered(
  await client.POST('/rpc/scripts.start', {
    body: { ticket, command, cwd: process.cwd(), isolation: { level: 'full', mutex } },
  }),
);
for (let from = 0, complete = false; !complete;) {
  const page = answered(await client.POST('/rpc/logs.read', { body: { ticket, from, waitMs: 20_000 } }));
  for (const { stream, text } of page.entries) if (stream !== 'unjam') process[stream].write(text);
  ({ next: from, complete } = page);
}
const script = answered(await client.POST('/rpc/scripts.get', { body: { ticket } }));
console.error(script.condition.headline);
process.exitCode = script.verdict === 'exited' ? (script.exitCode ?? 1) : 1;
