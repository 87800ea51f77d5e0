/** The whole shell, joined as main.ts joins it, around stand-ins for Electron: from the double-click to the reply. */
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { IpcMainInvokeEvent, MenuItemConstructorOptions, NotificationConstructorOptions } from 'electron';
import { beforeEach, describe, expect, test } from 'vitest';
import { desktop } from '../../app/processes/desktop.ts';
import type { Application } from '../../app/host/application.ts';
import type { Reply, Settings, Snapshot } from '../../app/contract/methods.ts';
import { Engine } from '../../app/host/engine.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { LogWindows } from '../../main/windows/log-windows.ts';
import { startShell, type ShellElectron } from '../../main/shell.ts';
import { ConsoleWindow } from '../../main/windows/console-window.ts';
import { FakeDialog, FakeMenu, FakeNotification, FakeTheme, FakeTray, FakeWindow } from './fakes.ts';
import { detail, script, snapshot } from './fixtures.ts';

class World {
  readonly trays: FakeTray[] = [];
  readonly windows: FakeWindow[] = [];
  readonly logWindows: FakeWindow[] = [];
  readonly toasts: FakeNotification[] = [];
  readonly dialog = new FakeDialog();
  readonly app = Object.assign(new EventEmitter(), { isPackaged: true, ended: false, quit: () => undefined });
  readonly opened: string[] = [];
  readonly power = new EventEmitter();
  readonly sessionWindow = new EventEmitter();
  readonly calls: { method: string; input: unknown; via: string }[] = [];
  readonly powered: string[] = [];
  copied = '';
  settings: Settings = defaultSettings;
  atLogin = false;
  rpc: (event: IpcMainInvokeEvent, method: unknown, input: unknown) => Promise<Reply> = () =>
    Promise.reject(new Error('no rpc'));
  serve: (request: { url: string; method: string }) => Promise<Response> = () =>
    Promise.reject(new Error('no protocol'));
  emit: (seen: Snapshot) => void = () => undefined;
  readonly engine: Engine;
  readonly window: ConsoleWindow;

  constructor(isBroken = false) {
    this.engine = new Engine(
      async () => {
        if (isBroken) throw new Error('the disk is full');
        return this.#application();
      },
      () => undefined,
    );
    this.window = new ConsoleWindow({
      create: () => {
        const window = new FakeWindow();
        this.windows.push(window);
        return window.asWindow;
      },
      greet: () => {
        if (this.engine.snapshot !== null) this.window.send('snapshot', this.engine.snapshot);
        else if (this.engine.state.kind === 'offline') this.window.send('offline', null);
      },
      log: () => undefined,
    });
    const logWindows = new LogWindows({
      create: () => {
        const window = new FakeWindow();
        this.logWindows.push(window);
        return window.asWindow;
      },
      greeting: () => ({ event: 'snapshot', payload: this.engine.snapshot }),
      log: () => undefined,
    });
    startShell(this.#electron(), {
      engine: this.engine,
      window: this.window,
      logWindows,
      user: 'CONTOSO\\kim',
      stateDirectory: '/state',
      dist: join(import.meta.dirname, 'no-such-folder'),
      assets: 'assets',
      desktop: desktop('win32'),
      log: () => undefined,
    });
  }

  /** A call as the page's own main frame makes it. */
  call(method: string, input: unknown): Promise<Reply> {
    const id = this.windows.at(-1)?.webContents.id;
    const frame = { url: 'app://ui/index.html', origin: 'app://ui', parent: null };
    return this.rpc({ sender: { id }, senderFrame: frame } as unknown as IpcMainInvokeEvent, method, input);
  }

  openWindow(): FakeWindow {
    this.trays[0]?.emit('double-click');
    const window = this.windows.at(-1);
    if (window === undefined) throw new Error('no window');
    window.finishLoading();
    return window;
  }

  menu(): MenuItemConstructorOptions[] {
    this.trays[0]?.emit('right-click');
    return this.trays[0]?.menu?.template ?? [];
  }

  #application(): Application {
    return {
      role: 'host',
      dispatch: async (method, input, caller) => {
        if (method === 'settings.set')
          this.settings = { ...this.settings, ...(input as { values: Partial<Settings> }).values };
        if (method.startsWith('settings.')) return { ok: true, value: { values: this.settings } };
        this.calls.push({ method, input, via: caller.via });
        return { ok: true, value: method === 'scripts.get' ? detail() : null };
      },
      subscribe: (listener) => {
        this.emit = listener;
        listener(snapshot());
        return () => undefined;
      },
      power: (what) => this.powered.push(what),
      close: async () => undefined,
    };
  }

  #electron(): ShellElectron {
    const { trays, toasts, sessionWindow } = this;
    const session = Object.assign(new EventEmitter(), {
      setPermissionRequestHandler: () => undefined,
      setPermissionCheckHandler: () => undefined,
      setDevicePermissionHandler: () => undefined,
      setDisplayMediaRequestHandler: () => undefined,
      setProxy: async () => undefined,
      webRequest: { onBeforeRequest: () => undefined },
    });
    const fake = {
      app: Object.assign(this.app, {
        getLoginItemSettings: () => ({ openAtLogin: this.atLogin, executableWillLaunchAtLogin: this.atLogin }),
        setLoginItemSettings: ({ openAtLogin }: { openAtLogin: boolean }) => void (this.atLogin = openAtLogin),
      }),
      BaseWindow: function BaseWindow() {
        return sessionWindow;
      },
      clipboard: { writeText: (text: string) => void (this.copied = text) },
      dialog: this.dialog,
      ipcMain: { handle: (_channel: string, handler: World['rpc']) => (this.rpc = handler) },
      Menu: {
        setApplicationMenu: () => undefined,
        buildFromTemplate: (template: MenuItemConstructorOptions[]) => new FakeMenu(template),
      },
      nativeTheme: new FakeTheme(),
      Notification: Object.assign(
        function Notification(options: NotificationConstructorOptions) {
          const toast = new FakeNotification(options);
          toasts.push(toast);
          return toast;
        },
        { isSupported: () => true, handleActivation: () => undefined },
      ),
      powerMonitor: this.power,
      protocol: { handle: (_scheme: string, handler: World['serve']) => (this.serve = handler) },
      session: { defaultSession: session },
      shell: { openPath: async (path: string) => (this.opened.push(path), '') },
      Tray: function Tray(image: string) {
        const tray = new FakeTray(image);
        trays.push(tray);
        return tray;
      },
    };
    return fake as unknown as ShellElectron;
  }
}

let world: World;
beforeEach(async () => {
  world = new World();
  await world.engine.start();
});

test('nothing but the icon exists until somebody asks for the window', () => {
  world.emit(snapshot([script()]));
  expect([world.trays.length, world.windows.length]).toEqual([1, 0]);
  expect(world.trays[0]?.image).toBe(join('assets', 'tray', 'stuck-light.ico'));
});

test('the page is told when no host answers, also one that is opened later', async () => {
  const broken = new World(true);
  const window = broken.openWindow();
  await broken.engine.start();
  expect(window.webContents.sent.map((message) => message.event)).toEqual(['offline']);
  window.pressClose();
  window.destroy();
  const later = broken.openWindow();
  expect(later.webContents.sent.map((message) => message.event)).toEqual(['offline']);
  await broken.engine.close();
});

test('a double-click opens one window, which hears every snapshot from the first on', () => {
  world.trays[0]?.emit('click');
  const window = world.openWindow();
  world.emit(snapshot([script()]));
  expect(world.windows).toHaveLength(1);
  expect(window.webContents.sent.map((message) => message.event)).toEqual(['snapshot', 'snapshot']);
});

describe('a call of the page', () => {
  test('reaches the application in the name of the window', async () => {
    world.openWindow();
    expect(await world.call('scripts.list', {})).toEqual({ ok: true, value: null });
    expect(world.calls).toEqual([{ method: 'scripts.list', input: {}, via: 'window' }]);
  });

  test('that ends something is asked natively first', async () => {
    world.openWindow();
    world.dialog.answers.push('Go back');
    expect(await world.call('scripts.kill', { ticket: 'web-eu-4' })).toMatchObject({
      ok: false,
      error: { code: 'not-confirmed' },
    });
    expect(world.calls.some((call) => call.method === 'scripts.kill')).toBe(false);
  });

  test('from a page of an earlier window is refused', async () => {
    const old = world.openWindow();
    const id = old.webContents.id;
    old.destroy();
    world.openWindow();
    const frame = { url: 'app://ui/index.html', origin: 'app://ui', parent: null };
    const reply = await world.rpc(
      { sender: { id }, senderFrame: frame } as unknown as IpcMainInvokeEvent,
      'scripts.list',
      {},
    );
    expect(reply).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
  });
});

describe('a log in a window of its own', () => {
  test('opens at the asking of the page, hears snapshots, and may call', async () => {
    world.openWindow();
    expect(await world.call('window.openLog', { ticket: 'web-eu-4' })).toEqual({ ok: true, value: {} });
    const [log] = world.logWindows;
    expect(log?.url).toBe('app://ui/index.html#log/web-eu-4');
    log?.finishLoading();
    world.emit(snapshot([script()]));
    expect(log?.webContents.sent.map((message) => message.event)).toEqual(['snapshot', 'snapshot']);
    const frame = { url: log?.url, origin: 'app://ui', parent: null };
    const event = { sender: { id: log?.webContents.id }, senderFrame: frame } as unknown as IpcMainInvokeEvent;
    expect(await world.rpc(event, 'scripts.list', {})).toMatchObject({ ok: true });
    log?.pressClose();
    expect(await world.rpc(event, 'scripts.list', {})).toMatchObject({ error: { code: 'unauthorized' } });
  });

  test('is never a call of the host, and wants a ticket', async () => {
    world.openWindow();
    for (const input of [{}, { ticket: '' }, { ticket: 7 }, { ticket: 'a', url: 'https://evil.example' }])
      expect(await world.call('window.openLog', input)).toMatchObject({ error: { code: 'bad-input' } });
    expect([world.logWindows, world.calls]).toEqual([[], []]);
  });
});

test('a toast opens the window at its script', async () => {
  world.emit(snapshot([script()]));
  await expect.poll(() => world.toasts.length).toBe(1); // what toasts are wanted is asked first
  world.toasts[0]?.press('Cancel…');
  const window = world.windows[0];
  window?.finishLoading();
  expect(window?.webContents.sent.at(-1)).toEqual({
    event: 'open',
    payload: { view: 'script', ticket: 'web-eu-4', dialog: 'cancel' },
  });
});

test('a test notification is shown at the asking of the page, and wants no input', async () => {
  world.openWindow();
  const answer = world.call('window.testNotification', {});
  await expect.poll(() => world.toasts.length).toBe(1); // the settings are read first
  world.toasts[0]?.emit('show');
  expect(await answer).toEqual({ ok: true, value: { shown: true, text: 'The system has shown it.' } });
  expect(await world.call('window.testNotification', { title: 'x' })).toMatchObject({ error: { code: 'bad-input' } });
  expect(world.toasts).toHaveLength(1);
});

test('start at sign-in is read and set at the asking of the page, the same as in the menu', async () => {
  world.openWindow();
  expect(await world.call('window.signIn', {})).toEqual({ ok: true, value: { on: false } });
  expect(await world.call('window.signIn', { on: true })).toEqual({ ok: true, value: { on: true } });
  expect(world.menu().find((item) => item.label === 'Start when I sign in')?.checked).toBe(true);
  for (const input of [{ on: 1 }, { on: null }, { on: true, path: 'C:\\evil.exe' }])
    expect(await world.call('window.signIn', input)).toMatchObject({ error: { code: 'bad-input' } });
  expect(world.atLogin).toBe(true);
});

test('the state directory is shown at the asking of the page, and no folder that the page names', async () => {
  world.openWindow();
  for (const input of [{ path: 'C:\\Windows\\System32\\calc.exe' }, '/etc', ['/etc']])
    expect(await world.call('window.openFolder', input)).toMatchObject({ error: { code: 'bad-input' } });
  expect(world.opened).toEqual([]);
  expect(await world.call('window.openFolder', {})).toEqual({ ok: true, value: { text: '' } });
  expect(world.opened).toEqual(['/state']);
});

test('the menu shows the present state and copies a summary for the incident', () => {
  world.emit(snapshot([script()]));
  const items = world.menu();
  expect(items[0]?.label).toBe('1 stuck');
  items
    .find((item) => item.label === 'Copy incident summary')
    ?.click?.(undefined as never, undefined, undefined as never);
  expect(world.copied).toContain('WEB-01');
  expect(world.copied).toContain('Deploy web-eu / step 4 on WEB-01, ');
  expect(world.copied).toContain('\nTicket: web-eu-4\nPID: 7312\n');
});

test('sleep reaches the application', () => {
  world.power.emit('suspend');
  world.power.emit('resume');
  expect(world.powered).toEqual(['suspend', 'resume']);
});

test('the end of the session closes the application and lets the window close', async () => {
  const window = world.openWindow();
  world.sessionWindow.emit('query-session-end', { reasons: ['shutdown'] });
  window.pressClose();
  expect(window.destroyed).toBe(true);
});

test('a console that was not built is answered with 404, not with a crash', async () => {
  expect((await world.serve({ url: 'app://ui/index.html', method: 'GET' })).status).toBe(404);
});
