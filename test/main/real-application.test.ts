/** The doors of main around the real application and real processes: what the page may do to a script, and what not. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IpcMainInvokeEvent } from 'electron';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApplication, type Application } from '../../app/host/application.ts';
import type { Reply, ScriptDetail, ScriptView, SettingsView } from '../../app/contract/methods.ts';
import { confirmed } from '../../main/page/confirm.ts';
import { scriptWatch, oneQuestion } from '../../main/page/question.ts';
import { Engine } from '../../app/host/engine.ts';
import { openRpcDoor, withWindowMethods } from '../../main/page/door.ts';
import { createSave } from '../../main/page/save.ts';
import { FakeDialog, FakeSaveDialog } from './fakes.ts';

let home: string;
let engine: Engine;
let application: Application;
let dialog: FakeDialog;
let saveDialog: FakeSaveDialog;
/** What the registry has when the application opens. */
let policy: Record<string, unknown> = {};
let rpc: (event: IpcMainInvokeEvent, method: string, input: unknown) => Promise<Reply>;

/** A call as the page's own main frame makes it. */
const call = (method: string, input: unknown) =>
  rpc(
    {
      sender: { id: 1 },
      senderFrame: { url: 'app://ui/index.html', origin: 'app://ui', parent: null },
    } as unknown as IpcMainInvokeEvent,
    method,
    input,
  );

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'unjam-main-'));
  policy = {};
  await open();
});

async function open(): Promise<void> {
  engine = new Engine(
    async () =>
      (application = await openApplication({
        stateDirectory: home,
        policies: { machineFile: null, distrust: () => null, registry: { read: async () => policy } },
        log: () => undefined,
      })),
    () => undefined,
  );
  await engine.start();
  dialog = new FakeDialog();
  let clock = 0;
  const dispatch = confirmed({
    dispatch: engine.dispatch,
    dialog,
    parent: () => null,
    machine: 'here',
    watch: scriptWatch(engine),
    gathered: () => Promise.resolve(),
    now: Date.now,
    exclusively: oneQuestion(() => (clock += 10_000)), // the rest between two questions is not what is tested here
  });
  saveDialog = new FakeSaveDialog();
  const save = createSave({
    dispatch: engine.dispatch,
    dialog: saveDialog,
    parent: () => null,
    exclusively: (work) => work(),
  });
  openRpcDoor({
    ipcMain: { handle: (_channel, listener) => (rpc = listener as typeof rpc) },
    pages: () => [1],
    dispatch: withWindowMethods(dispatch, {
      'window.openLog': () => ({ ok: true, value: {} }),
      'window.saveLog': save.log,
      'window.saveEvidence': save.evidence,
      'window.saveText': save.text,
      'window.testNotification': () => ({ ok: true, value: {} }),
      'window.signIn': () => ({ ok: true, value: {} }),
      'window.openFolder': () => ({ ok: true, value: {} }),
    }),
    user: 'kim',
    log: () => undefined,
  });
}

/** With what the administrator has set, as after a restart. */
async function reopen(rules: Record<string, unknown>): Promise<void> {
  await engine.close();
  policy = rules;
  await open();
}

afterEach(async () => {
  await reopen({});
  for (const script of engine.snapshot?.scripts ?? [])
    if (script.state !== 'final' || script.orphan) await kill(script.ticket);
  await engine.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

test('a script that the page starts runs only after a person read its command', { timeout: 30_000 }, async () => {
  dialog.answers.push('Go back');
  expect(await call('scripts.start', hang)).toMatchObject({ ok: false, error: { code: 'not-confirmed' } });
  expect(await value<ScriptView[]>(call('scripts.list', { all: true }))).toEqual([]);
  const script = await start();
  expect(dialog.last.detail).toContain(process.execPath);
  expect(script.state).toBe('running');
});

test(
  'Force Kill from the page ends the process after End, and nothing after Go back',
  { timeout: 30_000 },
  async () => {
    const { ticket, pid } = await start();
    dialog.answers.push('Go back');
    expect(await call('scripts.kill', { ticket })).toMatchObject({ ok: false });
    expect(lives(pid)).toBe(true);
    dialog.answers.push('End 1 process');
    expect(await call('scripts.kill', { ticket })).toMatchObject({ ok: true });
    await expect.poll(async () => (await get(ticket)).verdict, { timeout: 20_000 }).toBe('killed');
    expect(lives(pid)).toBe(false);
  },
);

test(
  'the window is of the host’s own account: it may look at a fleet as who is logged in',
  { timeout: 30_000 },
  async () => {
    expect(await call('fleet.scripts', {})).toMatchObject({ ok: false, error: { code: 'fleet-not-joined' } });
  },
);

test('Abandon from the page frees the mutex and ends nothing', { timeout: 30_000 }, async () => {
  const { ticket, pid } = await start();
  dialog.answers.push('Abandon');
  expect(await call('scripts.abandon', { ticket, confirmPid: pid ?? undefined })).toMatchObject({ ok: true });
  expect(await get(ticket)).toMatchObject({ verdict: 'abandoned', orphan: true, holdsMutex: false });
  expect(lives(pid)).toBe(true);
});

test('the question closes when the script ends while it is open', { timeout: 30_000 }, async () => {
  const { ticket, pid } = await start();
  const asked = call('scripts.kill', { ticket });
  await expect.poll(() => dialog.asked.length).toBe(2);
  process.kill(pid ?? -1, 'SIGKILL');
  expect(await asked).toMatchObject({ ok: false, error: { code: 'not-possible' } });
});

test('what an administrator has switched off is not asked about, and not done', { timeout: 60_000 }, async () => {
  const { ticket, pid } = await start();
  await reopen({ DisableForceKill: 1, DisableAbandon: 1 });
  const asked: [string, unknown][] = [
    ['scripts.kill', { ticket }],
    ['scripts.abandon', { ticket, confirmPid: pid }],
    ['scripts.cancel', { ticket, escalate: true }],
    ['scripts.cancel', { ticket, signal: 'SIGKILL' }],
  ];
  for (const [method, input] of asked)
    expect(await call(method, input)).toMatchObject({
      ok: false,
      error: {
        code: 'not-possible',
        message: expect.stringContaining('switched off on this host by its administrator') as string,
      },
    });
  expect(dialog.asked).toEqual([]);
  expect(lives(pid)).toBe(true);
  expect((await get(ticket)).verbs).toMatchObject({ kill: { possible: false }, abandon: { possible: false } });
  const { entries } = await value<SettingsView>(call('settings.get', {}));
  const managed = Object.fromEntries(entries.map(({ key, managed: by }) => [key, by]));
  expect(managed['disableForceKill']).toBe('Set by your administrator (policy DisableForceKill)');
  expect(managed['disableAbandon']).toBe('Set by your administrator (policy DisableAbandon)');
  // The page cannot undo it.
  for (const key of ['disableForceKill', 'disableAbandon'])
    expect(await call('settings.set', { values: { [key]: false } })).toMatchObject({ error: { code: 'not-possible' } });
  // Nor can what the person at the window has put into their own file.
  expect(await call('settings.set', { reset: ['disableForceKill'] })).toMatchObject({ ok: false });
});

test('a reason that an administrator wants is wanted before the question', { timeout: 60_000 }, async () => {
  const { ticket, pid } = await start();
  await reopen({ RequireReason: 1 });
  expect(await call('scripts.kill', { ticket })).toMatchObject({ error: { code: 'bad-input', field: 'reason' } });
  expect(await call('scripts.cancel', { ticket })).toMatchObject({ error: { code: 'bad-input', field: 'reason' } });
  expect(dialog.asked).toEqual([]);
  dialog.answers.push('End 1 process');
  expect(await call('scripts.kill', { ticket, reason: 'INC-7' })).toMatchObject({ ok: true });
  await expect.poll(async () => (await get(ticket)).verdict, { timeout: 20_000 }).toBe('killed');
  expect(lives(pid)).toBe(false);
});

describe('Save', () => {
  const bytes = Buffer.from('one \u001b[31mred\u001b[0m\ntwo \u0000\ufffd\n', 'utf8');
  const write = `process.stdout.write(Buffer.from('${bytes.toString('base64')}', 'base64')); process.stderr.write('bad\\n')`;

  async function finished(): Promise<string> {
    dialog.answers.push('Run');
    const { ticket } = await value<ScriptView>(
      call('scripts.start', { command: [process.execPath, '-e', write], waitMs: 20_000 }),
    );
    await expect.poll(async () => (await get(ticket)).state, { timeout: 20_000 }).toBe('final');
    return ticket;
  }

  test(
    'writes the bytes of a log as the script wrote them, into the file that a person chose',
    { timeout: 30_000 },
    async () => {
      const ticket = await finished();
      saveDialog.path = join(home, 'saved.log');
      expect(await value(call('window.saveLog', { ticket, stream: 'stdout' }))).toEqual({
        file: 'saved.log',
        bytes: bytes.length,
      });
      expect(readFileSync(saveDialog.path)).toEqual(bytes);
      expect(saveDialog.asked[0]).toMatchObject({
        defaultPath: `${ticket}.stdout.log`,
        filters: [{ extensions: ['log'] }],
      });
      expect(await value(call('window.saveLog', { ticket }))).toMatchObject({ bytes: bytes.length + 4 });
      expect(readFileSync(saveDialog.path, 'utf8')).toContain('bad');
    },
  );

  test('writes nothing after Go back, and nothing of a script that it does not know', { timeout: 30_000 }, async () => {
    const ticket = await finished();
    expect(await value(call('window.saveLog', { ticket }))).toEqual({ file: null, bytes: 0 });
    saveDialog.path = join(home, 'nobody.log');
    expect(await call('window.saveLog', { ticket: 'nobody' })).toMatchObject({ error: { code: 'unknown-ticket' } });
    expect(existsSync(saveDialog.path)).toBe(false);
  });
});

const hang = {
  command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
  isolation: { level: 'full', mutex: 'M' },
};

async function start(): Promise<ScriptDetail> {
  dialog.answers.push('Run');
  const { ticket } = await value<ScriptView>(call('scripts.start', hang));
  await expect.poll(async () => (await get(ticket)).state, { timeout: 20_000 }).toBe('running');
  return get(ticket);
}

const get = (ticket: string) => value<ScriptDetail>(call('scripts.get', { ticket }));

/** As the CLI would, past main. */
async function kill(ticket: string): Promise<void> {
  await application.dispatch('scripts.kill', { ticket, reason: 'end' }, { user: 'test', via: 'cli', role: 'owner' });
  await expect
    .poll(
      async () => {
        const reply = await application.dispatch(
          'scripts.get',
          { ticket },
          { user: 'test', via: 'cli', role: 'owner' },
        );
        const script = (reply as Reply<ScriptDetail>).ok ? (reply as { value: ScriptDetail }).value : null;
        return script === null || (script.state === 'final' && !script.orphan);
      },
      { timeout: 20_000 },
    )
    .toBe(true);
}

async function value<T>(reply: Promise<Reply>): Promise<T> {
  const answer = await reply;
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer.value as T;
}

function lives(pid: number | null): boolean {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
}
