/** The whole shell, joined as main.ts joins it, around stand-ins for Electron. */
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { IpcMainInvokeEvent, MenuItemConstructorOptions, NotificationConstructorOptions } from 'electron';
import { desktop } from '../../app/processes/desktop.ts';
import type { Application } from '../../app/host/application.ts';
import type { Reply, Settings, Snapshot } from '../../app/contract/methods.ts';
import { Engine } from '../../app/host/engine.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { LogWindows } from '../../main/windows/log-windows.ts';
import { startShell, type ShellElectron } from '../../main/shell.ts';
import { ConsoleWindow } from '../../main/windows/console-window.ts';
import { greeting } from '../../main/windows/options.ts';
import { FakeDialog, FakeMenu, FakeNotification, FakeTheme, FakeTray, FakeWindow } from './fakes.ts';
import { detail, snapshot } from './fixtures.ts';

export interface ShellWorldOptions {
  readonly open?: () => Promise<Application>;
  /** Folder of the built program. */
  readonly dist?: string;
}

export class ShellWorld {
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

  /** `open` is what opens the application; without it, it is simulated. */
  constructor({ open, dist = join(import.meta.dirname, 'no-such-folder') }: ShellWorldOptions = {}) {
    this.engine = new Engine(open ?? (async () => this.application()), () => undefined);
    this.window = new ConsoleWindow({
      create: () => {
        const window = new FakeWindow();
        this.windows.push(window);
        return window.asWindow;
      },
      greeting: () => greeting(this.engine.state),
      log: () => undefined,
    });
    const logWindows = new LogWindows({
      create: () => {
        const window = new FakeWindow();
        this.logWindows.push(window);
        return window.asWindow;
      },
      greeting: () => greeting(this.engine.state),
      log: () => undefined,
    });
    startShell(this.#electron(), {
      engine: this.engine,
      window: this.window,
      logWindows,
      user: 'CONTOSO\\kim',
      stateDirectory: '/state',
      dist,
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

  /** The simulated one. */
  application(): Application {
    return {
      lost: new Promise(() => undefined),
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
      ipcMain: { handle: (_channel: string, handler: ShellWorld['rpc']) => (this.rpc = handler) },
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
      protocol: { handle: (_scheme: string, handler: ShellWorld['serve']) => (this.serve = handler) },
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
