/** Policies and thresholds in a real host: whatever door a command comes through, they hold. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openApplication, type Application } from '../../app/host/application.ts';
import type { Input, Method, Output, Reply } from '../../app/contract/methods.ts';
import { Journal, type JournalEntry } from '../../app/journal/journal.ts';
import { limits } from '../../app/domain/limits.ts';
import type { Actor } from '../../app/domain/script.ts';
import type { PolicySource } from '../../app/settings/policy-source.ts';

let home: string;
let application: Application;
let policy: Record<string, unknown>;
let said: string[];
const kim: Actor = { user: 'kim', via: 'api' };

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'unjam-settings-'));
  policy = {};
  said = [];
});
afterEach(async () => {
  policy = {};
  await application.close();
  application = await openApplication({ stateDirectory: home, policies: source(), log: () => undefined });
  for (const script of await call('scripts.list', { all: true }))
    if (script.state !== 'final' || script.orphan) await call('scripts.kill', { ticket: script.ticket, reason: 'end' });
  await expect.poll(async () => (await call('scripts.list', {})).length, { timeout: 15_000 }).toBe(0);
  await application.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

const source = (): PolicySource => ({
  machineFile: null,
  distrust: () => null,
  registry: { read: async () => policy },
});
async function open(rules: Record<string, unknown> = {}, keepBytes: number = limits.keepBytes): Promise<void> {
  policy = rules;
  const log = (line: string) => said.push(line);
  application = await openApplication({ stateDirectory: home, policies: source(), keepBytes, log });
}
async function ask(method: Method, input: unknown, caller = kim): Promise<Reply> {
  return application.dispatch(method, input, { ...caller, role: 'owner' });
}
async function call<M extends Method>(method: M, input: Input<M>): Promise<Output<M>> {
  const reply = await ask(method, input);
  if (!reply.ok) throw new Error(reply.error.message);
  return reply.value as Output<M>;
}
const message = (reply: Reply): string => (reply.ok ? 'it was done' : `${reply.error.code}: ${reply.error.message}`);
const hung: Input<'scripts.start'> = {
  ticket: 'hung',
  name: 'Deploy',
  command: ['bash', '-c', 'trap "" TERM INT; echo up; while :; do sleep 0.1; done'],
  isolation: { level: 'full', mutex: 'M' },
};

it('DisableForceKill and DisableAbandon hold for every door, and the view of the script says so', async () => {
  await open({ DisableForceKill: 1, DisableAbandon: 1 });
  await call('scripts.start', hung);
  for (const via of ['cli', 'api', 'window', 'browser'] as const) {
    const caller = { user: 'kim', via };
    expect(message(await ask('scripts.kill', { ticket: 'hung' }, caller))).toContain('policy DisableForceKill');
    expect(message(await ask('scripts.abandon', { ticket: 'hung' }, caller))).toContain('policy DisableAbandon');
  }
  expect(message(await ask('locks.abandon', { ticket: 'hung' }))).toContain('policy DisableAbandon');
  const { verbs } = await call('scripts.get', { ticket: 'hung' });
  expect(verbs.kill).toEqual({ possible: false, text: expect.stringContaining('policy DisableForceKill') as string });
  expect(verbs.abandon.possible).toBe(false);
  expect(verbs.cancel.possible).toBe(true);
});

it('DisableForceKill leaves no way round through Cancel', async () => {
  await open({ DisableForceKill: 1 });
  await call('scripts.start', hung);
  // Its first line comes after the trap: before that a Cancel would end it.
  await expect
    .poll(async () => (await call('logs.read', { ticket: 'hung' })).entries.map((e) => e.text).join(''))
    .toContain('up');
  expect(message(await ask('scripts.cancel', { ticket: 'hung', escalate: true }))).toContain('DisableForceKill');
  expect(message(await ask('scripts.cancel', { ticket: 'hung', signal: 'SIGKILL' }))).toContain('DisableForceKill');
  await call('scripts.cancel', { ticket: 'hung', graceMs: 100 });
  await expect
    .poll(async () => (await call('scripts.get', { ticket: 'hung' })).condition.key, { timeout: 10_000 })
    .toBe('cancel-ignored');
});

it('AbandonNeedsCancel refuses Abandon before a Cancel was ignored, and says so beforehand', async () => {
  await open({ AbandonNeedsCancel: 1 });
  await call('scripts.start', hung);
  await call('scripts.start', { ...hung, ticket: 'waiter' });
  const abandon = async (): Promise<(typeof verbs)['abandon']> =>
    (await call('scripts.get', { ticket: 'hung' })).verbs.abandon;
  const { verbs } = await call('scripts.get', { ticket: 'hung' });
  expect(verbs.abandon).toEqual({ possible: false, text: expect.stringContaining('abandonNeedsCancel') as string });
  expect(message(await ask('scripts.abandon', { ticket: 'hung' }))).toContain('Nothing was done');
  await expect
    .poll(async () => (await call('logs.read', { ticket: 'hung' })).entries.map((e) => e.text).join(''))
    .toContain('up');
  await call('scripts.cancel', { ticket: 'hung', escalate: false, graceMs: 100 });
  await expect.poll(async () => (await abandon()).possible, { timeout: 10_000 }).toBe(true);
  expect((await call('scripts.abandon', { ticket: 'hung' })).verdict).toBe('abandoned');
  expect((await call('scripts.abandon', { ticket: 'hung' })).verdict).toBe('abandoned');
});

it('no page takes a mutex from a command under "unjam hold": nothing would ask the person', async () => {
  await open();
  for (const via of ['window', 'browser'] as const)
    expect(message(await ask('locks.abandon', { ticket: 'any' }, { user: 'kim', via }))).toContain(
      'in a terminal only',
    );
  expect(message(await ask('locks.abandon', { ticket: 'any' }))).toContain('unknown-ticket');
  await call('scripts.start', { ticket: 'hung', command: ['true'], waitMs: 20_000 });
  expect(message(await ask('locks.abandon', { ticket: 'hung' }))).toContain('unknown-ticket');
});

it('RequireReason refuses each verb without one, and takes it with one', async () => {
  await open({ RequireReason: 1 });
  await call('scripts.start', hung);
  for (const verb of ['scripts.cancel', 'scripts.kill', 'scripts.abandon'] as const) {
    const reply = await ask(verb, { ticket: 'hung' });
    expect(message(reply)).toContain('bad-input: This host requires a reason');
  }
  expect((await call('scripts.abandon', { ticket: 'hung', reason: 'INC-1' })).verdict).toBe('abandoned');
});

it('a threshold that is changed holds for the next look, without a restart', async () => {
  await open();
  await call('scripts.start', hung);
  await call('scripts.start', { ...hung, ticket: 'waiter', name: 'Waiter' });
  const against = async (): Promise<string> =>
    (await call('scripts.get', { ticket: 'hung' })).evidence.against.join(' ');
  expect(await against()).toContain('limit 10 min');
  await call('settings.set', { values: { silentAfterMinutes: 7 } });
  expect(await against()).toContain('limit 7 min');
});

it('a rule for a script’s name gives it limits of its own, at once, and names the field that is wrong', async () => {
  await open();
  await call('scripts.start', hung);
  await call('scripts.start', { ...hung, ticket: 'other', name: 'Backup sql-02', isolation: undefined });
  const limit = async (ticket: string): Promise<string | undefined> =>
    /limit [^)]+/.exec((await call('scripts.get', { ticket })).evidence.against.join(' '))?.[0];
  await call('settings.set', { values: { scriptRules: [{ name: 'backup*', silentAfterMinutes: 120 }] } });
  expect([await limit('hung'), await limit('other')]).toEqual(['limit 10 min', 'limit 2 h 00 min']);
  const wrong = async (rule: Record<string, unknown>): Promise<string> =>
    message(await ask('settings.set', { values: { scriptRules: [{ name: 'a', overdueFactor: 2 }, rule] } }));
  expect(await wrong({ name: 'b', silentAfterMinutes: 0 })).toContain('"values.scriptRules.1.silentAfterMinutes"');
  expect(await wrong({ name: '', overdueFactor: 2 })).toContain('"values.scriptRules.1.name"');
  expect(await wrong({ name: 'b' })).toContain('sets silentAfterMinutes, overdueFactor or both');
  expect(await limit('other')).toBe('limit 2 h 00 min');
});

it('finished scripts beyond what is kept are removed', async () => {
  await open({ KeepFinishedCount: 10 });
  for (let n = 0; n < 13; n += 1)
    await call('scripts.start', { ticket: `done-${n}`, command: ['true'], waitMs: 20_000 });
  await expect
    .poll(async () => (await call('scripts.list', { all: true })).map((s) => s.ticket), { timeout: 25_000 })
    .toHaveLength(10);
  const left = (await call('scripts.list', { all: true })).map((s) => s.ticket);
  expect(left).not.toContain('done-0');
  expect(left).toContain('done-12');
  // A busy machine removes them in more than one round.
  for (const ticket of ['done-0', 'done-1', 'done-2'])
    expect(said.join('\n')).toMatch(new RegExp(`I322 .*\\b${ticket}\\b.*: more than 10 were kept\\.`));
});

it('finished scripts that take too much space are removed, the oldest first, but none whose end was not told yet', async () => {
  await open({}, 1e8);
  const go = join(home, 'go');
  const large = (ticket: string): Input<'scripts.start'> => ({
    ticket,
    command: ['head', '-c', '45000000', '/dev/zero'],
    waitMs: 20_000,
  });
  const left = async (): Promise<string[]> => (await call('scripts.list', { all: true })).map((s) => s.ticket).sort();
  await call('scripts.start', {
    ...large('untold'),
    notify: ['bash', '-c', `until [ -e "${go}" ]; do sleep 0.1; done`],
  });
  await call('scripts.start', large('old'));
  await call('scripts.start', {
    ...hung,
    isolation: undefined,
    command: [...hung.command.slice(0, 2), 'head -c 200000000 /dev/zero; sleep 1000'],
  });
  await call('scripts.start', large('newer'));
  await call('scripts.start', large('newest'));
  await expect.poll(left, { timeout: 25_000 }).toEqual(['hung', 'newer', 'newest', 'untold']);
  expect(said.join('\n')).toContain('I322 Removed a finished script with logs (old): more than 0.1 GB were kept.');
  writeFileSync(go, '');
  await expect.poll(left, { timeout: 25_000 }).toEqual(['hung', 'newer', 'newest']);
});

it('the script that ended last is kept, however large it is', async () => {
  await open({}, 1e8);
  await call('scripts.start', { ticket: 'small', command: ['true'], waitMs: 20_000 });
  await call('scripts.start', { ticket: 'huge', command: ['head', '-c', '120000000', '/dev/zero'], waitMs: 20_000 });
  await expect
    .poll(async () => (await call('scripts.list', { all: true })).map((s) => s.ticket), { timeout: 25_000 })
    .toEqual(['huge']);
});

it('what the journal holds beyond the days that are set is removed when a host starts', async () => {
  const journal = new Journal(join(home, 'journal.sqlite'), () => undefined);
  const before = (days: number, text: string): JournalEntry => ({
    at: Date.now() - days * 86_400_000,
    ticket: null,
    name: null,
    mutex: null,
    who: 'kim',
    via: 'cli',
    kind: 'cancel',
    code: null,
    text,
    source: null,
    data: null,
  });
  journal.append(before(32, 'old'));
  journal.append(before(29, 'young'));
  journal.close();
  await open({ KeepHistoryDays: 30 });
  expect((await call('history.list', {})).map(({ text }) => text)).toEqual(['young']);
});

it('a managed value cannot be changed over the API', async () => {
  await open({ SilentAfterMinutes: 3 });
  expect(message(await ask('settings.set', { values: { silentAfterMinutes: 30 } }))).toContain(
    'set by your administrator',
  );
  expect((await call('settings.get', {})).values.silentAfterMinutes).toBe(3);
});
