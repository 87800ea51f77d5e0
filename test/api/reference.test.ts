/** docs/api.md is what the contract says. After a change: `npx vitest run --project unit test/api/reference -u`. */
import { expect, test } from 'vitest';
import { statusOf } from '../../app/api/http-server.ts';
import { openApi } from '../../app/api/open-api.ts';
import { errorCodes, type ErrorCode } from '../../app/contract/errors.ts';
import { examples } from '../../app/contract/examples.ts';
import { type Method, methods } from '../../app/contract/methods.ts';
import { contractProtocol } from '../../app/contract/protocol.ts';
import { roleFor } from '../../app/contract/roles.ts';
import { fields, json, named, nameOf } from '../support/schema-tables.ts';

/** Which error a method can answer besides those of every method; from the fields that it takes, and what it does. */
function errorsOf(method: Method): ErrorCode[] {
  const input = Object.keys(json(methods[method].input, 'input').properties ?? {});
  const own: Partial<Record<Method, readonly ErrorCode[]>> = {
    'scripts.start': ['bad-ticket', 'bad-mutex-name', 'missing-command', 'command-not-found', 'folder-not-found', 'too-large', 'state-directory', 'start-failed'], // prettier-ignore
    'scripts.follow': ['busy'],
    'scripts.cancel': ['not-possible'],
    'scripts.kill': ['not-possible'],
    'scripts.abandon': ['not-possible', 'not-confirmed', 'wrong-confirmation', 'state-directory'],
    'scripts.complete': ['not-final', 'delete-failed'],
    'locks.resume': ['unknown-mutex', 'not-paused'],
    'observed.cancel': ['not-possible', 'other-process'],
    'observed.kill': ['not-possible', 'other-process'],
    'settings.set': ['not-possible', 'state-directory'],
    'host.retire': ['not-possible'],
    'drill.start': ['not-possible'],
    'console.open': ['not-possible'],
  };
  return [
    ...(input.includes('id') || (input.includes('ticket') && method !== 'scripts.start' && method !== 'history.list')
      ? (['unknown-ticket'] as const)
      : []),
    ...(input.includes('version') ? (['stale-version', 'other-process'] as const) : []),
    ...(own[method] ?? []),
  ];
}

function section(method: Method): string[] {
  const { kind, about, input, output } = methods[method];
  const errors = errorsOf(method);
  return [
    `### ${method}`,
    '',
    `${about.charAt(0).toUpperCase()}${about.slice(1)}. A ${kind}; it needs the role ${roleFor(method)}${roleFor(method) === 'owner' ? '' : ' or a higher one'}.`,
    '',
    ...fields(json(input, 'input')),
    `Answers ${nameOf(output)}.${errors.length === 0 ? '' : ` Errors of its own: ${errors.map((code) => `\`${code}\``).join(', ')}.`}`,
    '',
    '```',
    `POST /rpc/${method}`,
    JSON.stringify(examples[method]),
    '```',
    '',
  ];
}

test('docs/api.md is current', async () => {
  const everyMethod = Object.keys(methods) as Method[];
  const text = [
    '# The API',
    '',
    'Made from the contract; a test holds it current. `GET /openapi.json` says the same for programs, and [examples](examples/) has clients:',
    '`deploy.sh` (curl and jq), `deploy.mjs` (Node), `deploy.ts` (Node, a client that openapi-typescript makes) and `deploy.py` (Python) are run by',
    'the tests; `deploy.ps1` (PowerShell) and `Deploy.cs` (C#) are parsed by them, and have never been executed.',
    '',
    '## How to call',
    '',
    '- The host listens on a Unix socket or a named pipe; `host.json` in the state directory has its `address` and, for owners, its `token`.',
    '- A method is called with `POST /rpc/METHOD` and one JSON object. The answer is `{"ok":true,"value":…}`, or `{"ok":false,"error":{"code","message","next","field"}}`',
    '  with the status below. With `Accept: application/problem+json` an error comes as RFC 9457 has it (`type`, `title`, `status`, `detail`, and `code`, `next`, `field`).',
    '- Who calls is found out by the host, from the system. Where the system says nothing, send `Authorization: Bearer TOKEN`.',
    `- \`x-unjam-protocol: ${contractProtocol}\` makes a host of another protocol refuse with 426, and so does a path such as \`/v${contractProtocol}/rpc/METHOD\`. \`host.info\` tells version, protocol and capabilities, and is answered in every protocol.`,
    '- A start with a `ticket` of your own may be repeated: the same ticket never runs twice.',
    '- To have the output of a script as it comes, call `logs.read` with `waitMs` again and again: each answer is held until there is something new or the script is final.',
    '- `GET /events` streams whole snapshots (server-sent events, `event: snapshot`), at most four a second.',
    '- A status 503 has `Retry-After`. Answers of 64 KB and more come compressed when `Accept-Encoding` has gzip.',
    '',
    '## Waiting for one script',
    '',
    '`scripts.follow` with `waitMs` is held until the script is not as it was: give the `mark` of the last answer as `since`, and stop when `complete` is true.',
    'A mark is the same after a restart of the host.',
    '',
    '`GET /scripts/TICKET/events` streams the same as server-sent events: `event: script`, `id:` with the mark, `data:` with a ScriptView. The stream begins',
    'with the script as it is, and ends when the script is final. Who comes again with `Last-Event-ID` gets only what is new, and 204 when there is nothing',
    'more to come, so an `EventSource` stops. A lost role ends the stream. At most 256 callers wait at the same time; one more gets 503 (`busy`).',
    '',
    '```sh',
    'curl --no-buffer --unix-socket "$(jq -r .address "$UNJAM_HOME/host.json")" http://unjam/scripts/TICKET/events',
    '```',
    '',
    '## Errors',
    '',
    'Every method can answer `bad-input`, `unauthorized`, `forbidden`, `version-mismatch`, `system` and `internal`.',
    '',
    '| Code | Status |',
    '|---|---|',
    ...(Object.keys(errorCodes) as ErrorCode[]).map((code) => `| \`${code}\` | ${statusOf({ code })} |`),
    '',
    '## Methods',
    '',
    ...everyMethod.flatMap(section),
    '## Types',
    '',
    ...[...named].flatMap(([type, name]) => [`### ${name}`, '', ...fields(json(type, 'output'))]),
  ];
  await expect(`${text.join('\n').trimEnd()}\n`).toMatchFileSnapshot('../../docs/api.md');
});

test('every method has an example that it takes', () => {
  for (const method of Object.keys(methods) as Method[])
    expect([method, methods[method].input.safeParse(examples[method]).success]).toEqual([method, true]);
});

/** Not a literal: its own types pull in those of packages that are not here. */
const validator: string = '@seriousme/openapi-schema-validator';
interface Validators {
  readonly Validator: new () => { validate(document: object): Promise<{ valid: boolean; errors?: unknown }> };
}

test('openapi.json is an OpenAPI document, as a public validator has it', async () => {
  const { Validator } = (await import(validator)) as Validators;
  const result = await new Validator().validate(JSON.parse(JSON.stringify(openApi('0.0.0'))) as object);
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
});
