/** Only the console's own main frame is heard, for every method of the contract. */
import type { IpcMain, IpcMainInvokeEvent } from 'electron';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../app/contract/dispatcher.ts';
import { methods, type Reply } from '../../app/contract/methods.ts';
import { windowMethods } from '../../app/contract/window.ts';
import { openRpcDoor } from '../../main/page/door.ts';

type Sender = { id: number; url: string; origin: string; frame?: 'main' | 'sub' | 'gone' | 'throws' };
const consoleId = 7;
const logWindow = 9;
const good: Sender = { id: consoleId, url: 'app://ui/index.html', origin: 'app://ui' };

/** Everything that can reach `ipcMain` and is not the console. */
const hostile: Readonly<Record<string, Sender>> = {
  'another webContents': { ...good, id: 8 },
  'a frame inside the console': { ...good, frame: 'sub' },
  'a frame that is gone': { ...good, frame: 'gone' },
  'a frame whose properties throw': { ...good, frame: 'throws' },
  'a web page': { ...good, url: 'https://example.com/', origin: 'https://example.com' },
  'a file': { ...good, url: 'file:///C:/app/index.html', origin: 'file://' },
  'about:blank': { ...good, url: 'about:blank', origin: 'null' },
  'an empty url': { ...good, url: '', origin: '' },
  'an opaque origin at the right url': { ...good, origin: 'null' },
  'the right origin at another url': { ...good, url: 'https://example.com/' },
  'a look-alike host': { ...good, url: 'app://ui.evil/index.html', origin: 'app://ui.evil' },
};

type RpcHandler = (event: IpcMainInvokeEvent, method: unknown, input: unknown) => Promise<Reply>;

let rpc: RpcHandler;
let reached: { method: string; input: unknown; caller: Caller }[];
let log: string[];
let open: number | null;

beforeEach(() => {
  reached = [];
  log = [];
  open = consoleId;
  const ipcMain: Pick<IpcMain, 'handle'> = {
    handle: (channel, listener) => {
      expect(channel).toBe('rpc');
      rpc = listener as RpcHandler;
    },
  };
  openRpcDoor({
    ipcMain,
    pages: () => (open === null ? [] : [open, logWindow]),
    dispatch: async (method, input, caller) => {
      reached.push({ method, input, caller });
      return { ok: true, value: null };
    },
    user: 'CONTOSO\\kim',
    log: (line) => log.push(line),
  });
});

/** Those of the host and those of main itself. */
const allMethods = [...Object.keys(methods), ...Object.keys(windowMethods)];

describe.each(allMethods)('%s', (method) => {
  test('reaches the application from the console, in the name of the person at the window', async () => {
    expect(await rpc(event(good), method, { ticket: 'a' })).toEqual({ ok: true, value: null });
    expect(reached).toEqual([
      { method, input: { ticket: 'a' }, caller: { user: 'CONTOSO\\kim', via: 'window', role: 'owner' } },
    ]);
  });

  test('reaches it from the window of a log as well', async () => {
    expect(await rpc(event({ ...good, id: logWindow }), method, {})).toEqual({ ok: true, value: null });
  });

  test.each(Object.keys(hostile))('is refused from %s', async (name) => {
    const reply = await rpc(event(hostile[name] as Sender), method, { ticket: 'a' });
    expect(reply).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
    expect(reached).toEqual([]);
  });

  test('is refused while there is no window', async () => {
    open = null;
    expect(await rpc(event(good), method, {})).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
    expect(reached).toEqual([]);
  });
});

test('a method that is not a string reaches nothing', async () => {
  for (const method of [undefined, null, 1, {}, ['scripts.kill'], { toString: () => 'scripts.kill' }])
    expect(await rpc(event(good), method, {})).toMatchObject({ ok: false, error: { code: 'unknown-method' } });
  expect(reached).toEqual([]);
});

test('a page that floods the door does not flood the log', async () => {
  for (let i = 0; i < 1000; i++) await rpc(event(hostile['a web page'] as Sender), 'scripts.kill', {});
  expect(log).toHaveLength(1);
});

function event(sender: Sender): IpcMainInvokeEvent {
  const frame = {
    url: sender.url,
    origin: sender.origin,
    get parent() {
      if (sender.frame === 'throws') throw new Error('Render frame was disposed');
      return sender.frame === 'sub' ? {} : null;
    },
  };
  return {
    sender: { id: sender.id },
    senderFrame: sender.frame === 'gone' ? null : frame,
  } as unknown as IpcMainInvokeEvent;
}
