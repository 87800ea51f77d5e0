/**
 * A real host whose doors are asked random and mutated requests: by nobody in particular, a stranger, a viewer, an
 * operator and an owner over its sockets, with and without a session in its console, and by a page that was taken over
 * before a desktop application whose person always goes back.
 */
import { type ChildProcess, fork } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { HttpClient } from '../../app/api/http-client.ts';
import type { UnjamError } from '../../app/contract/errors.ts';
import type { Method, ScriptView, SettingKey } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { keyOf } from '../support/console-key.ts';
import { World } from '../support/world.ts';
import { HostilePage, isSet } from './fuzz-page.ts';
import { wrongAnswer, wrongReply } from './fuzz-oracle.ts';
import { Dice } from './dice.ts';
import { anyMethod, bytesOf, mutatedRequest, type Request, validInput, validRequest } from './fuzz-requests.ts';
import { mutated } from './fuzz-requests.ts';
import type { Answered, Order } from './fuzz-sender.ts';

export interface FuzzReport {
  readonly seed: number;
  readonly requests: Readonly<Record<string, number>>;
  /** Requests that were answered with a value. */
  readonly carriedOut: number;
  /** The host ended, or something failed inside of it or of the bridge. */
  readonly crashes: readonly string[];
  /** What somebody brought about who may not. */
  readonly effects: readonly string[];
  /** Answers that are none of the contract. */
  readonly malformed: readonly string[];
  /** The host’s memory after each round, MB: what the system counts, and what is in use. */
  readonly memory: readonly number[];
  readonly inUse: readonly number[];
  /** Descriptors that the host had open after the first round and after the last. */
  readonly descriptors: readonly [number, number];
}

/** The others are an administrator’s alone. */
const changeable = (Object.keys(defaultSettings) as SettingKey[]).filter((key) => !key.startsWith('disable'));
const isRoot = process.getuid?.() === 0;
const [viewer, operator, stranger] = [61_102, 61_101, 61_103];
const hung = { command: ['sh', '-c', 'trap "" TERM INT; echo up; sleep 3600 & wait; sleep 3600'], cwd: '/' };

/** More than this is not on its way all at once. */
const socketBufferBytes = 50_000;

/** One account that sends: this one, or another user of the machine. */
class Sender {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: string | null) => void>();
  #last = 0;

  constructor(uid: number) {
    this.#child = fork(join(import.meta.dirname, 'fuzz-sender.ts'), [], {
      serialization: 'advanced',
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      execArgv: [],
      ...(isRoot ? { uid, gid: uid } : {}),
    });
    this.#child.on('message', ({ id, answer }: Answered) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    this.#child.once('exit', () => {
      for (const answered of this.#waiting.values()) answered(null);
    });
  }

  send(address: string | number, bytes: Uint8Array, ends: boolean): Promise<string | null> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, address, bytes, ends } satisfies Order);
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await gone;
  }
}

interface Asker {
  readonly name: string;
  readonly sender: Sender;
  readonly address: string | number;
  readonly headers: () => Readonly<Record<string, string>>;
  /** Of 100 requests, how many are changed. */
  readonly mutated: number;
  /** What stays as it is, whatever is asked. */
  readonly keeps: 'everything' | 'settings and scripts' | 'nothing';
  /** Refused by its head: the connection is closed on a body that is still on its way, and the answer may be lost. */
  readonly isUnread?: true;
  readonly without?: readonly Method[];
}

export async function fuzz(
  wanted: number,
  { seed = Date.now() % 2 ** 31, perRound = 1_500, goesOn = (_requests: number): boolean => true } = {},
): Promise<FuzzReport> {
  const dice = new Dice(seed);
  const counts: Record<string, number> = {};
  const [crashes, effects, malformed]: [string[], string[], string[]] = [[], [], []];
  const memory: number[] = [];
  const inUse: number[] = [];
  const descriptors: number[] = [];
  let carriedOut = 0;
  let roundBegan = 0;
  const failed = (error: unknown): void => void crashes.push(String((error as Error).stack ?? error));
  process.on('unhandledRejection', failed).on('uncaughtException', failed);

  const base = mkdtempSync(join(tmpdir(), 'unjam-fuzz-'));
  chmodSync(base, 0o755);
  const world = await World.empty();
  const record = join(base, 'etc', 'host.json');
  const door = join(base, 'run', 'host.sock');
  mkdirSync(join(base, 'etc'), { mode: 0o755 });
  writeFileSync(record, JSON.stringify({ schema: 1, stateDirectory: world.home, door, account: 'uid:0' }), {
    mode: 0o644,
  });
  const heap = join(base, 'heap');
  const environment = {
    NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'fuzz-heap.ts')).href}`,
    UNJAM_FUZZ_HEAP: heap,
    ...(isRoot ? { UNJAM_MACHINE_FILE: record } : {}),
  };
  await world.startHost(environment, '--console', '--no-open', '--port', '0');
  const { address, token, host } = world.hostFile();
  // What is looked at between the requests may take its time on a busy machine.
  const client = new HttpClient({ address, token, actor: { user: 'kim', via: 'api' }, timeoutMs: 600_000 });
  const page = await HostilePage.open();
  const origin = new URL(/http:\S+/.exec(world.hostOutput)?.[0] ?? '');
  const console_ = await signIn(origin);
  const [self, ...others] = [process.getuid?.() ?? 0, viewer, operator, stranger].map((uid) => new Sender(uid));
  const atConsole = { host: origin.host, origin: origin.origin };
  const port = Number(origin.port);
  const askers: Asker[] = [
    { name: 'console without a session', sender: self!, address: port, headers: () => atConsole, mutated: 70, keeps: 'everything', isUnread: true },
    { name: 'console with a cookie alone', sender: self!, address: port, headers: () => ({ ...atConsole, cookie: console_.cookie }), mutated: 70, keeps: 'everything', isUnread: true },
    { name: 'console from another page', sender: self!, address: port, headers: () => ({ ...console_, ...atConsole, ...dice.of([{ origin: 'http://evil.example' }, { host: 'evil.example' }, { origin: 'null' }, { host: `localhost:${port}` }]) }), mutated: 0, keeps: 'everything', isUnread: true },
    ...(isRoot ? [
      { name: 'stranger', sender: others[2]!, address: door, headers: () => ({ host: 'unjam', ...(dice.chance(30) ? { authorization: `Bearer ${token}` } : {}) }), mutated: 50, keeps: 'everything' as const, isUnread: true as const },
      { name: 'session of another user', sender: others[2]!, address: port, headers: () => ({ ...atConsole, ...console_ }), mutated: 30, keeps: 'everything' as const, isUnread: true as const },
      { name: 'viewer', sender: others[0]!, address: door, headers: () => ({ host: 'unjam' }), mutated: 60, keeps: 'everything' as const },
      { name: 'operator', sender: others[1]!, address: door, headers: () => ({ host: 'unjam' }), mutated: 60, keeps: 'settings and scripts' as const },
    ] : []),
    { name: 'owner', sender: self!, address, headers: () => ({ host: 'unjam', authorization: `Bearer ${token}` }), mutated: 70, keeps: 'nothing', without: ['host.retire'] },
    { name: 'console with a session', sender: self!, address: port, headers: () => ({ ...atConsole, ...console_ }), mutated: 70, keeps: 'nothing', without: ['host.retire'] },
  ]; // prettier-ignore
  const settings = { access: [{ who: `uid:${viewer}`, role: 'viewer' as const }, { who: `uid:${operator}`, role: 'operator' as const }] }; // prettier-ignore

  /** Nothing of what was started before is left, and the scene is as it was at first. */
  async function setTheScene(): Promise<void> {
    roundBegan = Date.now();
    await client.call('settings.set', { reset: changeable });
    if (isRoot) await client.call('settings.set', { values: settings });
    for (const mutex of await client.call('locks.list', {}))
      if (mutex.paused) await client.call('locks.resume', { name: mutex.name });
    for (;;) {
      const living = (await client.call('scripts.list', { all: true })).filter((s) => s.state !== 'final' || s.orphan);
      if (living.length === 0) break;
      // What ended meanwhile, or is being ended, refuses.
      await Promise.all(living.map(({ ticket }) => client.call('scripts.kill', { ticket }).catch(() => undefined)));
      await Promise.all(living.map(({ ticket }) => over(ticket)));
    }
    for (const { ticket } of await client.call('scripts.list', { all: true }))
      await client.call('scripts.complete', { ticket }).catch((error: unknown) => {
        // One that was promised to go has gone meanwhile.
        if ((error as UnjamError).code !== 'unknown-ticket') throw error;
      });
    const isolation = { level: 'full', mutex: 'web' } as const;
    await client.call('scripts.start', { ...hung, ticket: 'holder', isolation });
    await client.call('scripts.start', { ...hung, ticket: 'waiter', isolation });
    await client.call('scripts.start', { command: ['true'], cwd: '/', ticket: 'done', waitMs: 60_000 });
    for (let log = ''; !log.includes('up');) {
      const { entries } = await client.call('logs.read', { ticket: 'holder', stream: 'stdout', waitMs: 5_000 });
      log = entries.map((entry) => entry.text).join('');
    }
    await until(isSet);
  }

  /** Its process has gone, and perhaps the script: a Complete that was promised to an orphan is carried out then. */
  const over = (ticket: string): Promise<void> =>
    until((scripts) => scripts.every((s) => s.ticket !== ticket || (s.state === 'final' && !s.orphan)));

  function until(isSo: (scripts: readonly ScriptView[]) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = client.on(
        'snapshot',
        ({ scripts }) => {
          if (!isSo(scripts)) return;
          stop();
          resolve();
        },
        () => reject(new Error('The host went away.')),
      );
    });
  }

  /** Bytes, of this and the rounds before. */
  async function measured(round: number): Promise<number> {
    process.kill(host.pid, 'SIGUSR2');
    for (;;) {
      const lines = existsSync(heap) ? readFileSync(heap, 'utf8').split('\n') : [];
      if (lines.length > round + 1) return Number(lines[round]);
      if (world.control.liveness(host) !== 'alive') return NaN;
      await delay(5);
    }
  }

  async function whatMatters(keeps: Asker['keeps']): Promise<string> {
    if (keeps === 'nothing') return '';
    const { values } = await client.call('settings.get', {});
    const all = (await client.call('scripts.list', { all: true })).filter((s) => !/drill/i.test(s.name));
    const tickets = all.map((s) => s.ticket).toSorted();
    if (keeps === 'settings and scripts') return JSON.stringify({ values, tickets });
    const scripts = all.map((s) => [s.ticket, s.state, s.verdict, s.pid, s.orphan, s.holdsMutex].join());
    const paused = (await client.call('locks.list', {})).filter((m) => m.paused).map((m) => m.name);
    // Verbs show in the scripts; their entries come from the runners, and may be late.
    const entries = await client.call('history.list', { sinceMs: roundBegan, limit: 10_000 });
    const acts = entries.filter(({ kind }) => /^(start|complete|settings|retire|drill)$/.test(kind)).length;
    return JSON.stringify({ values, scripts: scripts.toSorted(), paused, acts });
  }

  async function ask({
    name,
    sender,
    address: at,
    headers,
    mutated: percent,
    isUnread,
    without,
  }: Asker): Promise<void> {
    const plain = validRequest(anyMethod(dice, without), headers(), dice);
    const request = dice.chance(percent) ? mutatedRequest(plain, dice) : plain;
    if (without?.some((method) => request.path.toLowerCase().includes(method))) return;
    counts[name] = (counts[name] ?? 0) + 1;
    const answer = await sender.send(at, bytesOf(request), !request.wellFormed);
    const isLost = answer === '' && isUnread === true && request.body.length > socketBufferBytes;
    const wrong = answer === null ? 'no answer' : isLost ? null : wrongAnswer(request, answer);
    if (wrong !== null) malformed.push(`${name}: ${wrong}: ${shown(request)} -> ${answer?.slice(0, 500)}`);
    if (answer?.startsWith('HTTP/1.1 200') === true) carriedOut += 1;
  }

  async function askBridge(): Promise<void> {
    counts['page behind the bridge'] = (counts['page behind the bridge'] ?? 0) + 1;
    const method = anyMethod(dice);
    const input = dice.chance(50) ? validInput(method, dice) : mutated(validInput(method, dice), dice, page.strange);
    const named = dice.chance(95)
      ? method
      : dice.of([...page.strange, 'window.openLog', 'window.saveText', 'window.x']);
    const reply = await page.call(named, input, dice.chance(90));
    const wrong = wrongReply(String(named), reply);
    if (wrong !== null) malformed.push(`bridge: ${wrong}: ${String(named)}`);
  }

  try {
    for (let sent = 0; sent < wanted && goesOn(sent); sent = Object.values(counts).reduce((a, b) => a + b, 0)) {
      await setTheScene();
      const each = Math.ceil(perRound / (askers.length + 1));
      for (const asker of askers) {
        const before = await whatMatters(asker.keeps);
        await inParallel(each, () => ask(asker));
        const after = await whatMatters(asker.keeps);
        if (before !== after) effects.push(`${asker.name}: ${before} became ${after}`);
      }
      await inParallel(each, askBridge);
      effects.push(...(await page.effects()).map((effect) => `page behind the bridge: ${effect}`));
      if (world.control.liveness(host) !== 'alive') {
        crashes.push(`The host ended: ${world.hostLog.slice(-2_000)}`);
        break;
      }
      inUse.push((await measured(inUse.length)) / 1_048_576);
      memory.push(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))?.[1]) / 1_024);
      descriptors.push(readdirSync(`/proc/${host.pid}/fd`).length);
    }
    crashes.push(...world.hostLog.split('\n').filter((line) => line.includes(' W399 ')), ...page.failures);
  } finally {
    for (const sender of [self!, ...others]) await sender.close();
    client.close();
    await page.close();
    await world[Symbol.asyncDispose]();
    rmSync(base, { recursive: true, force: true });
    process.off('unhandledRejection', failed).off('uncaughtException', failed);
  }
  return { seed, requests: counts, carriedOut, crashes, effects, malformed, memory, inUse, descriptors: [descriptors[0] ?? 0, descriptors.at(-1) ?? 0] }; // prettier-ignore
}

const shown = ({ verb, path, headers, body }: Request): string =>
  `${verb} ${path.slice(0, 200)} ${JSON.stringify(headers).slice(0, 300)} ${body.toString('latin1').slice(0, 600)}`;

async function signIn(url: URL): Promise<{ cookie: string; 'x-unjam-key': string }> {
  const login = await fetch(url);
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return { cookie, 'x-unjam-key': keyOf(await login.text()) };
}

/** As many at the same time as a busy console has. */
async function inParallel(times: number, act: () => Promise<void>): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await act();
  };
  await Promise.all(Array.from({ length: 12 }, worker));
}
