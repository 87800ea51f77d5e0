/** Requests for the doors of a host: valid ones of every method, and what becomes of them under random changes. */
import { methods, type Method } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import type { Dice } from './dice.ts';

export interface Request {
  verb: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
  /** False once it is no HTTP any more: it may be hung up on. */
  wellFormed: boolean;
}

const tickets = ['holder', 'waiter', 'done', 'own', 'nothing'] as const;

/** Valid inputs of each method; what they start is harmless. `host.retire` would end what is tested. */
const inputs: { readonly [M in Method]: (dice: Dice) => unknown } = {
  'host.info': () => ({}),
  'host.retire': () => ({}),
  'alerts.get': () => ({}),
  'alerts.test': (d) => ({ target: d.of(tickets) }),
  'overview.get': () => ({}),
  'scripts.list': (d) => ({ all: d.chance(50) }),
  'scripts.get': (d) => ({ ticket: d.of(tickets) }),
  'scripts.follow': (d) => ({ ticket: d.of(tickets), since: '3/running/0/0/', waitMs: 10 }),
  'scripts.why': (d) => ({ ticket: d.of(tickets) }),
  'scripts.start': (d) => ({
    ticket: d.chance(60) ? d.of(tickets) : `own-${d.below(1e9)}`,
    name: 'Deploy web',
    command: d.chance(70) ? ['true'] : ['sleep', '3600'],
    cwd: '/',
    environment: { PATH: '/usr/bin:/bin', SECRET: 'hunter2' },
    isolation: { level: d.of(['full', 'none']), mutex: d.of(['web', 'db']), timeoutMs: 60_000 },
    timeoutMs: 600_000,
    cancelSignal: d.of(['SIGTERM', 'SIGINT', 'SIGKILL']),
    graceMs: 100,
    notify: ['true'],
    cleanup: { command: ['true'], timeoutMs: 1_000 },
    waitMs: 0,
  }),
  'scripts.cancel': (d) => ({
    ticket: d.of(tickets),
    signal: d.of(['SIGTERM', 'SIGINT', 'SIGKILL']),
    graceMs: 100,
    escalate: d.chance(50),
    reason: 'hangs',
  }),
  'scripts.kill': (d) => ({ ticket: d.of(tickets), reason: 'hangs', version: d.below(5) }),
  'scripts.endProcess': (d) => ({ ticket: d.of(tickets), process: { pid: 1 + d.below(99), startTime: '1' } }),
  'scripts.take': (d) => ({ ticket: d.of(tickets), release: d.chance(50) }),
  'scripts.abandon': (d) => ({ ticket: d.of(tickets), holdQueue: d.chance(50), confirmPid: 1 + d.below(99) }),
  'scripts.complete': (d) => ({ ticket: d.of(tickets) }),
  'scripts.evidence': (d) => ({ ticket: d.of(tickets) }),
  'evidence.read': (d) => ({ ticket: d.of(tickets), file: 'evidence-20261201-144501.zip', from: 0 }),
  'logs.read': (d) => ({ ticket: d.of(tickets), from: 0, maxBytes: 4096, raw: d.chance(50), waitMs: 10 }),
  'logs.lines': (d) => ({
    ticket: d.of(tickets),
    count: 20,
    streams: ['stdout'],
    matching: { text: '(a+)+$', regex: true },
    waitMs: 10,
  }),
  'logs.search': (d) => ({ ticket: d.of(tickets), text: 'up', regex: d.chance(50), count: 5, near: 1, waitMs: 10 }),
  'logs.line': (d) => ({ ticket: d.of(tickets), line: 1, from: 0 }),
  'locks.list': () => ({}),
  'locks.abandon': (d) => ({ ticket: d.of(tickets), reason: 'hangs', holdQueue: true }),
  'locks.resume': (d) => ({ name: d.of(['web', 'db', 'WEB']) }),
  'history.list': (d) => ({ ticket: d.of(tickets), mutex: 'web', before: 100, limit: 1 + d.below(50) }),
  'metrics.get': () => ({}),
  'settings.get': () => ({}),
  'settings.set': (d) => ({
    values: Object.fromEntries([d.of(Object.entries(defaultSettings)), ['requireReason', d.chance(50)]]),
    reset: [d.of(Object.keys(defaultSettings))],
  }),
  'agents.list': () => ({}),
  'observed.list': () => ({}),
  'observed.get': (d) => ({ id: `o-${d.below(9)}-0` }),
  'observed.why': (d) => ({ id: `o-${d.below(9)}-0` }),
  'observed.log': (d) => ({ id: `o-${d.below(9)}-0` }),
  'observed.cancel': (d) => ({ id: `o-${d.below(9)}-0`, reason: 'hangs' }),
  'observed.kill': (d) => ({ id: `o-${d.below(9)}-0`, reason: 'hangs' }),
  'observed.take': (d) => ({ id: `o-${d.below(9)}-0`, release: d.chance(50) }),
  'observed.evidence': (d) => ({ id: `o-${d.below(9)}-0` }),
  'foreignLocks.list': () => ({}),
  'drill.start': () => ({ minutes: 0.1 }),
  'fleet.get': () => ({}),
  'fleet.scripts': () => ({}),
  'console.open': () => ({}),
};

/** What takes long, or starts processes: seldom asked for. */
const costly: readonly Method[] = ['scripts.why', 'observed.why', 'scripts.evidence', 'scripts.start', 'drill.start'];

const hostile: readonly unknown[] = [
  null, true, -1, 0, 1, 1.5, 2 ** 31, 2 ** 53, 1e308, '', ' ', '.', '..', '../../etc/passwd', '/', '%00', 'holder\0', 'HOLDER',
  '\u001b[2J\u001b[1;1H', '\u009b2J', '\u202egnp.exe', 'a\nW221 ABANDONED by root', '=1+1', '\ud800', '\u{1f512}', '__proto__',
  'constructor', 'toString', 'x'.repeat(129), 'x'.repeat(70_000), '$(reboot)', 'CON', 'nul.txt', '-rf', [], [[]], {}, { length: 1e9 },
  { toJSON: 1 }, { then: 'x' }, ['__proto__'],
]; // prettier-ignore

export function validInput(method: Method, dice: Dice): unknown {
  return inputs[method](dice);
}

export function anyMethod(dice: Dice, without: readonly Method[] = []): Method {
  for (;;) {
    const method = dice.of(Object.keys(methods) as Method[]);
    if (without.includes(method) || (costly.includes(method) && dice.chance(85))) continue;
    return method;
  }
}

/** A copy in which something, somewhere, is another thing. */
export function mutated(value: unknown, dice: Dice, strange: readonly unknown[] = hostile): unknown {
  if (typeof value !== 'object' || value === null || dice.chance(10)) return dice.of(strange);
  if (Array.isArray(value)) {
    const copy: unknown[] = [...(value as unknown[])];
    const at = dice.below(copy.length + 1);
    copy[at] = mutated(copy[at], dice, strange);
    return copy;
  }
  const entries = Object.entries(value);
  const at = dice.below(entries.length + 1);
  const [key, old] = entries[at] ?? [dice.of(['__proto__', 'constructor', 'extra', 'ticket', 'reason', '']), undefined];
  // An own key, also when it is called __proto__.
  const copy = Object.fromEntries(entries.filter(([name]) => name !== key));
  if (!dice.chance(25)) Object.defineProperty(copy, key, { value: mutated(old, dice, strange), enumerable: true });
  return copy;
}

export function validRequest(method: Method, headers: Readonly<Record<string, string>>, dice: Dice): Request {
  return {
    verb: 'POST',
    path: `/rpc/${method}`,
    headers: { ...headers },
    body: Buffer.from(JSON.stringify(validInput(method, dice))),
    wellFormed: true,
  };
}

const paths = ['/', '/events', '/openapi.json', '/login?t=', '/login?t=x', '/login.js', '/index.html', '/..%2f..%2fetc/passwd', '/assets/%2e%2e/%2e%2e/token', '//rpc/host.info', '/rpc/', '/rpc/__proto__', '/rpc/constructor', '/rpc/%E0%A4%A', '/rpc/host.info%00', '/rpc/window.openFolder', '/RPC/host.info', '/rpc//host.info', '/rpc/host.info/../scripts.kill', '/?key=', '*', 'http://evil/rpc/host.info', 'http://[']; // prettier-ignore
const verbs = ['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE'];
/** No verbs of HTTP: Node answers them by their first line and closes, and the answer is lost on a body that still comes. */
const notVerbs = ['post', 'BREW'];
const headerNames = ['host', 'origin', 'cookie', 'x-unjam-key', 'authorization', 'x-unjam-user', 'x-unjam-via', 'x-unjam-protocol', 'content-type', 'referer', 'sec-fetch-site', 'x-forwarded-for', 'range', 'accept-encoding', 'last-event-id']; // prettier-ignore
const headerValues = ['', 'null', 'evil.example', 'http://evil.example', 'http://127.0.0.1', '127.0.0.1', 'localhost:1', 'Bearer ', 'Bearer x', 'root', '%E0%A4%A', '%1b%5b2J', '%0aW221', 'unjam', 'window', '0', '-1', '9e9', '1', 'NaN', '__proto__', 'x'.repeat(4_000), '\u00e9\u00ff', 'unjam-1=; unjam-2=x']; // prettier-ignore
/** What breaks the framing of HTTP itself. */
const broken: readonly ((request: Request, dice: Dice) => void)[] = [
  (r, d) => (r.headers['content-length'] = d.of(['-1', '1e3', '99999999999999999999', '0x10', '1, 2', String(r.body.length + 50)])),
  (r, d) => (r.headers['transfer-encoding'] = d.of(['chunked', 'gzip, chunked', 'identity', 'xchunked'])),
  (r, d) => (r.headers['expect'] = d.of(['100-continue', 'x'])),
  (r, d) => Object.assign(r.headers, { upgrade: d.of(['websocket', 'h2c']), connection: 'upgrade' }),
  (r, d) => (r.verb = d.of(['', 'CONNECT', 'GET /rpc/host.info HTTP/1.1\r\n\r\nPOST', '\x16\x03\x01', 'PRI'])),
  (r, d) => (r.path = d.of(['', ' ', '/ HTTP/1.1\r\nhost: x\r\n\r\n', '/\0', '/\u00ff', '\\', 'x'.repeat(40_000)])),
  (r, d) => (r.headers[d.of(['a b', 'x\0', 'content-length ', '\u00ff'])] = '1'),
  (r, d) => (r.headers['x'] = d.of(['\n\nx', '\r\nhost: evil', '\0', 'x'.repeat(60_000)])),
]; // prettier-ignore

const deep = (opening: string, closing: string, levels: number): string =>
  `${opening.repeat(levels)}1${closing.repeat(levels)}`;

const changes: readonly ((request: Request, dice: Dice) => void)[] = [
  (r, d) => (r.path = d.of(paths)),
  (r, d) => (r.path = `${r.path}${d.of(['?x=1', '#x', '%20', '/', '.', '?', ';x', '%2e'])}`),
  (r, d) => {
    r.verb = d.of([...verbs, ...notVerbs]);
    if (notVerbs.includes(r.verb)) r.wellFormed = false;
  },
  (r, d) => {
    const name = d.of(Object.keys(r.headers));
    delete r.headers[name];
    // Node answers before the body has come, and closes: the answer may be lost.
    if (name === 'host') r.wellFormed = false;
  },
  (r, d) => (r.headers[d.of(headerNames)] = d.of(headerValues)),
  (r, d) => (r.headers[d.of(headerNames)] = d.of(headerValues)),
  (r, d) => (r.body = r.body.subarray(0, d.below(r.body.length))),
  (r, d) => (r.body = Buffer.from(d.of(['', '{', '[]', 'null', '"x"', '\ufeff{}', '{"ticket":"a","ticket":"b"}', '{}{}', 'NaN']))),
  (r, d) => (r.body = Buffer.from(Array.from({ length: 1 + d.below(200) }, () => d.below(256)))),
  (r, d) => (r.body = Buffer.from(d.of([deep('[', ']', 5_000), deep('{"a":', '}', 20_000), deep('{"values":', '}', 3_000)]))),
  (r, d) => (r.body = Buffer.alloc(d.chance(10) ? 1_100_000 : 9_000, d.of(['[', ' ', '1', '{"a":']))),
]; // prettier-ignore

/** Mostly its body is changed, now and then what carries it. */
export function mutatedRequest(request: Request, dice: Dice): Request {
  for (let times = 1 + dice.below(3); times > 0; times -= 1) {
    if (dice.chance(55)) request.body = Buffer.from(changedJson(request.body, dice));
    else if (dice.chance(85)) dice.of(changes)(request, dice);
    else {
      dice.of(broken)(request, dice);
      request.wellFormed = false;
    }
  }
  return request;
}

function changedJson(body: Buffer, dice: Dice): string {
  try {
    return JSON.stringify(mutated(JSON.parse(body.toString()), dice)) ?? 'null';
  } catch {
    return body.toString('latin1'); // no JSON any more
  }
}

/** As it goes over the connection, which ends with the answer. */
export function bytesOf({ verb, path, headers, body }: Request): Buffer {
  const all = { 'content-length': String(body.length), connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${verb} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), body]);
}
