/** Each way out, to real receivers on this machine: what they get, and what is said when they do not take it. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliver } from '../../app/alerts/deliver.ts';
import { type AlertMessage, bodyOf, messageOf, testMessage } from '../../app/alerts/message.ts';
import type { Target } from '../../app/alerts/target.ts';
import { AlertTargets } from '../../app/contract/alert-schemas.ts';
import { post } from '../../app/outgoing/post.ts';
import { type Certificate, makeCertificate, SmtpServer, WebhookServer } from './servers.ts';

let folder: string;
let certificate: Certificate;
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-alerts-'));
  certificate = makeCertificate(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const now = Date.parse('2026-11-20T12:00:00.000Z');
const known = {
  fact: { key: 'k', kind: 'stuck', ticket: 't1', script: 'Deploy <web> & "more"', mutex: 'web', text: 'Stuck: silent for 12 min.' },
  incident: 'abc',
  begunAt: now - 60_000,
  seenAt: now,
  told: [],
} as const; // prettier-ignore
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const message = messageOf(known, 'begin', { host: 'host1', now, traceparent });
const end = messageOf(known, 'end', { host: 'host1', now });
const ok = (_request: unknown, response: { end(): unknown }): void => void response.end();
const webhook = (url: string, more: object = {}): Target => {
  const [target] = AlertTargets.parse([{ to: 'webhook', name: 'hook', url, caFile: certificate.file, ...more }]);
  return target!;
};

describe('a webhook', () => {
  test('gets the message as JSON over TLS, with its id and a bearer token from a file', async () => {
    await using server = await WebhookServer.open(ok, certificate);
    const keyFile = file('token', 'opaque-token\n');
    expect(await deliver(webhook(server.url, { keyFile }), message)).toBeNull();
    const [{ headers, body } = { headers: {}, body: '' }] = server.got;
    expect(JSON.parse(body)).toEqual(message);
    expect(headers).toMatchObject({
      'idempotency-key': 'abc-begin',
      traceparent,
      authorization: 'Bearer opaque-token',
    });
  });

  test('with a certificate that nobody knows gets nothing', async () => {
    await using server = await WebhookServer.open(ok, certificate);
    const failure = await deliver(webhook(server.url, { caFile: undefined }), message);
    expect(failure).toMatch(/^localhost:\d+: self-signed certificate/);
    expect(server.got).toEqual([]);
  });

  test('of an address in a file: neither the log nor the outcome has its secret part', async () => {
    await using server = await WebhookServer.open((_request, response) => response.writeHead(403).end(), certificate);
    const urlFile = file('url', `${server.url}\n`);
    const target = webhook('', { url: undefined, urlFile, format: 'slack' });
    expect(await deliver(target, message)).toBe(`${new URL(server.url).host}: answered 403`);
    expect(server.got).toHaveLength(1);
  });

  test.each([301, 302, 307, 308])('that answers %i is not followed anywhere', async (status) => {
    await using other = await WebhookServer.open(ok, certificate);
    await using server = await WebhookServer.open(
      (_request, response) => response.writeHead(status, { location: other.url }).end(),
      certificate,
    );
    expect(await deliver(webhook(server.url), message)).toContain(`answered ${status}, and redirects are not followed`);
    expect([server.got.length, other.got.length]).toEqual([1, 0]);
  });

  test('that nobody serves is said so', async () => {
    const server = await WebhookServer.open(ok);
    const { url } = server;
    await server[Symbol.asyncDispose]();
    expect(await deliver(webhook(url), message)).toMatch(/ECONNREFUSED/);
  });

  test('that takes the request and never answers, or never ends its answer, is left in time', async () => {
    await using silent = await WebhookServer.open(() => undefined, certificate);
    expect(await post(silent.url, '{}', { ca: certificate.cert, boundMs: 300 })).toBe('did not answer within 0.3 s');
    await using endless = await WebhookServer.open((_request, response) => void response.writeHead(200).write('.'));
    expect(await post(endless.url, '{}')).toBeNull();
  });

  test('is https, or http to this machine; a missing file is said', async () => {
    const problems = (target: object): boolean =>
      AlertTargets.safeParse([{ to: 'webhook', name: 'hook', ...target }]).success;
    expect(problems({ url: 'http://example.org/' })).toBe(false);
    expect(problems({ url: 'ftp://localhost/' })).toBe(false);
    expect(problems({ url: 'http://127.0.0.1:9/' })).toBe(true);
    expect(problems({})).toBe(false);
    expect(problems({ url: 'https://a.example/', urlFile: '/a' })).toBe(false);
    expect(problems({ format: 'pagerduty' })).toBe(false);
    expect(problems({ format: 'pagerduty', keyFile: '/key' })).toBe(true);
    expect(await deliver(webhook('', { url: undefined, urlFile: join(folder, 'none') }), message)).toContain('ENOENT');
    expect(await deliver(webhook('', { url: undefined, urlFile: file('bad', 'hello') }), message)).toContain('holds no address'); // prettier-ignore
  });
});

describe('the shape for', () => {
  const shown = { ...message, lastOutput: 'out' };

  test('Slack is text in which no name makes a link or a mention', () => {
    expect(bodyOf(shown, 'slack', '')).toEqual({
      text: 'Stuck: Deploy &lt;web&gt; &amp; "more" on host1\nStuck: silent for 12 min.\nTicket: t1 · Mutex: web · Since: 2026-11-20T11:59:00.000Z\nout',
    });
  });

  test('Teams is an adaptive card of text runs, which know no Markdown', () => {
    const body = bodyOf(shown, 'teams', '') as { attachments: { contentType: string; content: { body: { type: string }[] } }[] }; // prettier-ignore
    const [{ contentType, content } = { contentType: '', content: { body: [] } }] = body.attachments;
    expect(contentType).toBe('application/vnd.microsoft.card.adaptive');
    expect(new Set(content.body.map(({ type }) => type))).toEqual(new Set(['RichTextBlock']));
    expect(JSON.stringify(content)).toContain('Deploy <web> & \\"more\\"');
  });

  test('PagerDuty triggers and resolves the same incident, with the key from a file', async () => {
    await using server = await WebhookServer.open((_request, response) => response.writeHead(202).end(), certificate);
    const target = webhook(server.url, { format: 'pagerduty', keyFile: file('key', 'R0UT1NGKEY') });
    for (const one of [message, end]) expect(await deliver(target, one)).toBeNull();
    const events = server.got.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(events.map((e) => [e['event_action'], e['dedup_key'], e['routing_key']])).toEqual([
      ['trigger', 'abc', 'R0UT1NGKEY'],
      ['resolve', 'abc', 'R0UT1NGKEY'],
    ]);
    expect(events[0]?.['payload']).toMatchObject({ source: 'host1', severity: 'critical', component: 'unjam' });
    expect(server.got[0]?.headers.authorization).toBeUndefined();
  });
});

describe('a command', () => {
  test('gets the message in its environment and on its standard input', async () => {
    const out = join(folder, 'told');
    const script = `{ cat; env | grep -E '^(UNJAM_|TRACEPARENT)' | sort; } > ${out}`;
    expect(await deliver({ to: 'command', name: 'c', command: ['sh', '-c', script] }, message)).toBeNull();
    const [json = '', ...variables] = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(json) as AlertMessage).toEqual(message);
    expect(variables).toEqual(expect.arrayContaining(['UNJAM_ALERT_ID=abc-begin', 'UNJAM_ALERT_KIND=stuck', 'UNJAM_ALERT_PHASE=begin', 'UNJAM_TICKET=t1', `TRACEPARENT=${traceparent}`])); // prettier-ignore
    expect(variables.join()).not.toContain('LAST_OUTPUT');
  });

  test('that reads nothing is fine, and one that fails or is not there is said', async () => {
    expect(await deliver({ to: 'command', name: 'c', command: ['true'] }, message)).toBeNull();
    expect(await deliver({ to: 'command', name: 'c', command: ['sh', '-c', 'exit 3'] }, message)).toContain(
      'exit code 3',
    );
    expect(await deliver({ to: 'command', name: 'c', command: ['/none'] }, message)).toContain('ENOENT');
  });
});

describe('mail', () => {
  const mail = (server: object | undefined, more: object = {}): Target => {
    const target = { to: 'mail', name: 'm', from: 'unjam@example.org', recipients: ['ops@example.org', 'kim@example.org'], ...more }; // prettier-ignore
    return AlertTargets.parse([{ ...target, ...(server === undefined ? {} : { server }) }])[0]!;
  };

  test('goes through STARTTLS with a password from a file; its end answers its beginning', async () => {
    await using server = await SmtpServer.open({ certificate });
    const target = mail({ host: 'localhost', port: server.port, user: 'kim', passwordFile: file('password', 's3cret\n'), caFile: certificate.file }); // prettier-ignore
    for (const one of [message, end]) expect(await deliver(target, one)).toBeNull();
    expect(server.got).toMatchObject([
      { isSecure: true, login: 'kim s3cret', from: 'unjam@example.org', to: ['ops@example.org', 'kim@example.org'] },
      { isSecure: true },
    ]);
    const [first = '', second = ''] = server.got.map(({ data }) => data);
    expect(first).toMatch(/^Subject: =\?UTF-8\?Q\?Stuck=3A_Deploy_=3Cweb=3E/m);
    expect(first).toContain('Message-ID: <abc-begin@unjam>\n');
    expect(first).toContain('Stuck: silent for 12 min.');
    expect(second).toContain('In-Reply-To: <abc-begin@unjam>\n');
  });

  test('to a server without TLS goes only where that is set, and never with a password', async () => {
    await using server = await SmtpServer.open({ isPlain: true });
    const plain = { host: 'localhost', port: server.port };
    expect(await deliver(mail(plain), message)).toBe(
      'localhost: Error upgrading connection with STARTTLS: 502 not implemented',
    );
    expect(server.got).toEqual([]);
    expect(await deliver(mail({ ...plain, tls: 'none' }), message)).toBeNull();
    expect(server.got).toMatchObject([{ isSecure: false, login: null }]);
    expect(() => mail({ ...plain, tls: 'none', user: 'kim', passwordFile: '/p' })).toThrow('no password without TLS');
  });

  test('that is refused, or whose server has a certificate that nobody knows, is said', async () => {
    await using server = await SmtpServer.open({ isPlain: true, recipient: '550 no such user' });
    expect(await deliver(mail({ host: 'localhost', port: server.port, tls: 'none' }), message)).toContain(
      '550 no such user',
    );
    await using unknown = await SmtpServer.open({ certificate });
    expect(await deliver(mail({ host: 'localhost', port: unknown.port }), message)).toMatch(/self-signed certificate/);
    expect(unknown.got).toEqual([]);
  });

  test('goes through a local sendmail, with its recipients as words of the command line', async () => {
    const [out, sendmail] = [join(folder, 'sent'), join(folder, 'sendmail')];
    writeFileSync(sendmail, `#!/bin/sh\n{ printf '%s\\n' "$*"; cat; } > ${out}\n`);
    chmodSync(sendmail, 0o755);
    expect(await deliver(mail(undefined, { sendmail }), testMessage('host1', now, 'x'))).toBeNull();
    const [words, ...letter] = readFileSync(out, 'utf8').split(/\r?\n/);
    expect(words).toBe('-i -f unjam@example.org -- ops@example.org kim@example.org');
    expect(letter.join('\n')).toContain('Subject: Test of the alerts of Unjam on host1\n');
    expect(letter.join('\n')).toContain('Auto-Submitted: auto-generated\n');
  });

  test('to an address with a line feed is none', () => {
    for (const recipients of [['ops@example.org\nBcc: x@example.org'], ['ops'], []])
      expect(() => mail(undefined, { recipients })).toThrow();
  });
});
