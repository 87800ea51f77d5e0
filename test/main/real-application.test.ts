/** The doors of main around the real application and real processes: what the page may do to a script, and what not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IpcMainInvokeEvent } from 'electron';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openApplication, type Application } from '../../app/application.ts';
import type { Reply, ScriptDetail, ScriptView } from '../../app/contract/methods.ts';
import { confirmed } from '../../main/confirm.ts';
import { Engine } from '../../app/engine.ts';
import { openRpcDoor } from '../../main/ipc.ts';
import { scriptWatch } from '../../main/script-watch.ts';
import { FakeDialog } from './fakes.ts';

let home: string;
let engine: Engine;
let application: Application;
let dialog: FakeDialog;
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
  engine = new Engine(
    async () => (application = await openApplication({ stateDirectory: home, log: () => undefined })),
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
    now: () => (clock += 10_000), // the rest between two questions is not what is tested here
  });
  openRpcDoor({
    ipcMain: { handle: (_channel, listener) => (rpc = listener as typeof rpc) },
    consoleId: () => 1,
    dispatch,
    user: 'kim',
    log: () => undefined,
  });
});

afterEach(async () => {
  for (const script of engine.snapshot?.scripts ?? [])
    if (script.state !== 'final' || script.orphan) await kill(script.ticket);
  await engine.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

test('a script that the page starts runs only after a person read its command', { timeout: 30_000 }, async () => {
  dialog.answers.push('Go back');
  expect(await call('scripts.start', hang)).toMatchObject({ ok: false, error: { code: 'wrong-confirmation' } });
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
  await application.dispatch('scripts.kill', { ticket }, { user: 'test', via: 'cli' });
  await expect
    .poll(
      async () => {
        const reply = await application.dispatch('scripts.get', { ticket }, { user: 'test', via: 'cli' });
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
