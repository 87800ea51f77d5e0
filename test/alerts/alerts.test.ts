/** What is to be told is told at least once, with its id, whatever happens to the host, the disk and the receiver. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Alerts } from '../../app/alerts/alerts.ts';
import type { Deliver } from '../../app/alerts/deliver.ts';
import type { AlertMessage } from '../../app/alerts/message.ts';
import type { Target } from '../../app/alerts/target.ts';
import type { ScriptView, Snapshot } from '../../app/contract/methods.ts';
import { giveUpAfterMs, overAfterMs } from '../../app/domain/alerts.ts';

let home: string;
let now: number;
let stuck: boolean;
let targets: Target[];
let got: { target: string; message: AlertMessage }[];
let said: string[];
let answer: (target: Target) => string | null | Promise<string | null>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'unjam-alerts-'));
  now = Date.parse('2026-11-20T12:00:00.000Z');
  stuck = false;
  targets = [{ to: 'command', name: 'ops', command: ['true'] }];
  got = [];
  said = [];
  answer = () => null;
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const script = () => ({
  ticket: 't1',
  name: 'Deploy --password hunter2',
  mutex: 'web',
  state: 'running',
  verdict: null,
  stuck,
  orphan: false,
  createdAt: '2026-11-20T11:00:00.000Z',
  endedAt: null,
  condition: { headline: stuck ? 'Stuck: silent for 12 min.' : 'Running.' },
});

const deliver: Deliver = async (target, message) => {
  got.push({ target: target.name, message });
  return answer(target);
};

const open = (): Alerts =>
  new Alerts({
    stateDirectory: home,
    settings: () => ({ alerts: targets, alertWaitMinutes: 30 }),
    look: () =>
      ({ machine: 'host1', scripts: [script()] as unknown as ScriptView[], mutexes: [] }) as unknown as Snapshot,
    lastOutput: () => 'the last line',
    deliver,
    now: () => now,
    log: (line) => said.push(line),
  });

const file = (): { outbox: unknown[] } => JSON.parse(readFileSync(join(home, 'alerts.json'), 'utf8')) as never;
/** A round, and what it sets going. */
async function round(alerts: Alerts, later = 0): Promise<void> {
  now += later;
  const before = got.length;
  await alerts.round();
  if (got.length > before) await expect.poll(() => alerts.view().targets.length && settled(alerts)).toBe(true);
}
let outcomes = 0;
/** True when each try has been noted. */
function settled(alerts: Alerts): boolean {
  const { delivered, failed } = alerts.counts;
  return delivered + failed === got.length - outcomes;
}
beforeEach(() => (outcomes = 0));

test('a stuck script is told once, and once that it is over; names have no secrets, and no output goes along', async () => {
  const alerts = open();
  await round(alerts);
  expect(got).toEqual([]);
  stuck = true;
  await round(alerts);
  await round(alerts, 5_000);
  expect(got).toHaveLength(1);
  expect(got[0]?.message).toMatchObject({
    phase: 'begin',
    kind: 'stuck',
    host: 'host1',
    ticket: 't1',
    script: 'Deploy --password [hidden]',
    title: 'Stuck: Deploy --password [hidden] on host1',
    text: 'Stuck: silent for 12 min.',
  });
  expect(JSON.stringify(got)).not.toMatch(/hunter2|the last line/);
  expect(alerts.view()).toMatchObject({
    targets: [{ name: 'ops', pending: 0, failure: null }],
    current: [{ kind: 'stuck' }],
  });
  stuck = false;
  await round(alerts, 5_000);
  expect(got).toHaveLength(1);
  await round(alerts, overAfterMs);
  expect(got[1]?.message).toMatchObject({ phase: 'end', title: 'Over: Stuck: Deploy --password [hidden] on host1' });
  expect(got[1]?.message.incident).toBe(got[0]?.message.incident);
  expect(got[1]?.message.id).not.toBe(got[0]?.message.id);
  expect(got[1]?.message.text).toBe('It lasted 1 min. Now: Running.');
  await alerts.close();
});

test('the last output goes only to who asks for it', async () => {
  targets = [
    { ...targets[0]!, lastOutput: true },
    { to: 'command', name: 'chat', command: ['true'] },
  ];
  stuck = true;
  const alerts = open();
  await round(alerts);
  expect(got.map(({ target, message }) => [target, message.lastOutput])).toEqual([['ops', 'the last line'], ['chat', undefined]]); // prettier-ignore
  await alerts.close();
});

test('a host that dies before its delivery is noted repeats the message with its id; one that noted it does not', async () => {
  stuck = true;
  const { promise, resolve } = Promise.withResolvers<string | null>();
  answer = () => promise;
  const killed = open();
  await killed.round();
  expect(got).toHaveLength(1);
  expect(file().outbox).toHaveLength(1);
  answer = () => null;
  outcomes = 1;
  const next = open();
  await round(next, 5_000);
  expect(got.map(({ message }) => message.id)).toEqual([got[0]?.message.id, got[0]?.message.id]);
  expect(file().outbox).toEqual([]);
  await next.close();
  outcomes = 2;
  const last = open();
  await round(last, 5_000);
  expect(got).toHaveLength(2);
  await last.close();
  resolve(null);
  await killed.close();
});

test('a receiver that refuses is asked again, later each time, in order, and what came of it is said once', async () => {
  stuck = true;
  answer = ({ name }) => (name === 'ops' ? 'answered 503' : null);
  targets = [...targets, { to: 'command', name: 'chat', command: ['true'] }];
  const alerts = open();
  await round(alerts);
  await round(alerts, 4_999);
  expect(got.map(({ target }) => target)).toEqual(['ops', 'chat']);
  stuck = false;
  await round(alerts, 1);
  await round(alerts, overAfterMs);
  expect(got.map(({ target }) => target)).toEqual(['ops', 'chat', 'ops', 'ops', 'chat']);
  expect(alerts.view().targets).toMatchObject([
    { pending: 2, failure: 'answered 503' },
    { pending: 0, failure: null },
  ]);
  expect(said).toEqual(['W341 An alert could not be delivered to "ops": answered 503. It is repeated.']);
  answer = () => null;
  await round(alerts, 3_600_000);
  await expect.poll(() => alerts.pending).toBe(0);
  const toOps = got.filter(({ target }) => target === 'ops').map(({ message }) => message.phase);
  expect(toOps).toEqual(['begin', 'begin', 'begin', 'begin', 'end']);
  expect(said.at(-1)).toBe('I341 Alerts are delivered to "ops" again.');
  await alerts.close();
});

test('a message is given up after a day, which is said', async () => {
  stuck = true;
  answer = () => 'answered 404';
  const alerts = open();
  await round(alerts);
  await round(alerts, giveUpAfterMs);
  expect(alerts.pending).toBe(0);
  expect(said.at(-1)).toBe('W342 An alert for "ops" was given up after a day: answered 404.');
  expect(alerts.counts).toEqual({ delivered: 0, failed: 2, givenUp: 1 });
  await alerts.close();
});

test('a disk that takes no note keeps no message back, and is complained of once', async () => {
  stuck = true;
  const alerts = open();
  rmSync(home, { recursive: true });
  await round(alerts);
  await round(alerts, 5_000);
  expect(got).toHaveLength(1);
  expect(said.filter((line) => line.startsWith('W396 What is to be told could not be written down'))).toHaveLength(1);
  await alerts.close();
});

test('without targets nothing is kept; who is added later hears of what is still so', async () => {
  stuck = true;
  const alerts = open();
  await round(alerts);
  const none = targets;
  targets = [];
  await round(alerts, 5_000);
  expect(existsSync(join(home, 'alerts.json'))).toBe(false);
  targets = [{ to: 'command', name: 'new', command: ['true'] }];
  await round(alerts, 5_000);
  targets = [...targets, ...none];
  await round(alerts, 5_000);
  expect(got.map(({ target }) => target)).toEqual(['ops', 'new', 'ops']);
  expect(new Set(got.slice(1).map(({ message }) => message.incident)).size).toBe(1);
  await alerts.close();
});

test('scripts that nobody watched for an hour are told of by the next host, and nothing of an old abandon', async () => {
  const first = open();
  await round(first);
  await first.close();
  now += 3_600_000;
  const next = open();
  await round(next);
  expect(got.map(({ message }) => message.kind)).toEqual(['unwatched']);
  expect(got[0]?.message.text).toContain('from 2026-11-20T12:00:00.000Z to 2026-11-20T13:00:00.000Z');
  await next.close();
});

test('a damaged file is as none, and is written anew', async () => {
  const first = open();
  await round(first);
  await first.close();
  for (const text of ['', '{', '{"schema":1}', '\0\0']) {
    writeFileSync(join(home, 'alerts.json'), text);
    const alerts = open();
    await round(alerts);
    expect(file().outbox).toEqual([]);
    await alerts.close();
  }
});

test('a test message goes to every target at once, or to one, and is not repeated', async () => {
  targets = [...targets, { to: 'command', name: 'chat', command: ['true'] }];
  answer = ({ name }) => (name === 'ops' ? 'answered 500' : null);
  const alerts = open();
  expect(await alerts.test(undefined)).toEqual({ outcomes: [{ target: 'ops', failure: 'answered 500' }, { target: 'chat', failure: null }] }); // prettier-ignore
  expect(await alerts.test('chat')).toEqual({ outcomes: [{ target: 'chat', failure: null }] });
  expect(await alerts.test('nobody')).toEqual({ outcomes: [] });
  expect(got.every(({ message }) => message.kind === 'test')).toBe(true);
  expect(alerts.pending).toBe(0);
  await alerts.close();
});
