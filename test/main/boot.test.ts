/**
 * main.ts itself, as Electron runs it on Windows. The one test that replaces the module `electron`: its binary cannot be
 * started by plain Node, and the order of the boot is main.ts's own promise.
 */
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { appId, toastActivatorClsid } from '../../main/process/instance.ts';
import { FakeMenu, FakeTheme, FakeTray, FakeWindow } from './fakes.ts';

let home: string;
let calls: string[];
const homes = mkdtempSync(join(tmpdir(), 'unjam-boot-'));
let windows: FakeWindow[];
let trays: FakeTray[];
let activate: ((details: { type: string }) => void) | null;
let app: EventEmitter;
let isFirst: boolean;
let isPackaged: boolean;
let makeReady: () => void;
const [argv, platform] = [process.argv, process.platform];

beforeEach(() => {
  home = mkdtempSync(join(homes, 'home-'));
  [calls, windows, trays, activate, isFirst, isPackaged] = [[], [], [], null, true, false];
  vi.stubEnv('UNJAM_HOME', home);
  Object.defineProperty(process, 'platform', { value: 'win32' });
  app = new EventEmitter();
  vi.resetModules();
  vi.doMock('electron', fakeElectron);
});
afterEach(() => {
  app.emit('will-quit', { preventDefault: () => undefined }); // closes the engine
  process.argv = argv;
  Object.defineProperty(process, 'platform', { value: platform });
  for (const event of ['uncaughtException', 'unhandledRejection'])
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (/crashed/.test(listener.name)) process.off(event, listener);
  vi.unstubAllEnvs();
  vi.doUnmock('electron');
});
// An application that was still opening may write after its test has ended.
afterAll(() => rmSync(homes, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));

function fakeElectron(): Record<string, unknown> {
  const note =
    (name: string, answer?: unknown) =>
    (...args: unknown[]) => {
      calls.push(`${name}(${args.filter((one) => typeof one === 'string').join(', ')})`);
      return answer;
    };
  const ready = new Promise<void>((resolve) => (makeReady = resolve));
  const session = Object.assign(new EventEmitter(), {
    setPermissionRequestHandler: note('permissions'),
    setPermissionCheckHandler: () => undefined,
    setDevicePermissionHandler: () => undefined,
    setDisplayMediaRequestHandler: () => undefined,
    setProxy: async () => undefined,
    webRequest: { onBeforeRequest: () => undefined },
  });
  return {
    app: Object.assign(app, {
      isPackaged,
      getVersion: () => '0.0.0',
      enableSandbox: note('enableSandbox'),
      setAppUserModelId: note('setAppUserModelId'),
      setToastActivatorCLSID: note('setToastActivatorCLSID'),
      requestSingleInstanceLock: () => isFirst,
      whenReady: () => ready,
      getLoginItemSettings: () => ({}),
      exit: note('exit'),
      quit: () => undefined,
      relaunch: () => undefined,
    }),
    BaseWindow: class extends EventEmitter {},
    BrowserWindow: function BrowserWindow() {
      const window = new FakeWindow();
      windows.push(window);
      return window;
    },
    clipboard: {},
    dialog: {},
    ipcMain: { handle: note('handle') },
    Menu: { setApplicationMenu: note('setApplicationMenu'), buildFromTemplate: (all: []) => new FakeMenu(all) },
    nativeTheme: new FakeTheme(),
    Notification: { isSupported: () => true, handleActivation: (handler: typeof activate) => (activate = handler) },
    powerMonitor: new EventEmitter(),
    protocol: { registerSchemesAsPrivileged: note('registerSchemesAsPrivileged'), handle: note('protocol.handle') },
    session: { defaultSession: session },
    shell: {},
    Tray: function Tray(image: string) {
      const tray = new FakeTray(image);
      trays.push(tray);
      return tray;
    },
  };
}

async function boot(...args: string[]): Promise<void> {
  process.argv = ['Unjam.exe', ...args];
  await import('../../main/main.ts');
}

test('who it is to Windows and which doors are shut is settled before Electron is ready', async () => {
  await boot();
  expect(calls).toEqual([
    'enableSandbox()',
    `setAppUserModelId(${appId})`,
    `setToastActivatorCLSID(${toastActivatorClsid})`,
    'registerSchemesAsPrivileged()',
  ]);
  expect(toastActivatorClsid).toMatch(/^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/);
  expect(app.listenerCount('web-contents-created')).toBe(1);
  makeReady();
  await expect.poll(() => windows.length).toBe(1);
  // The page's ways in are guarded before there is a page.
  expect(calls.slice(4)).toEqual(['setApplicationMenu()', 'permissions()', 'protocol.handle(app)', 'handle(rpc)']);
});

test('--hidden makes the icon and no window; a toast of an earlier run brings the window', async () => {
  await boot('--hidden');
  makeReady();
  await expect.poll(() => trays.length).toBe(1);
  await new Promise((resolve) => setImmediate(resolve)); // the rest of the boot runs in the same turn as the icon
  expect(windows).toHaveLength(0);
  activate?.({ type: 'click' });
  expect(windows).toHaveLength(1);
});

test('a second start ends at once, without an icon', async () => {
  isFirst = false;
  await boot();
  makeReady();
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls.at(-1)).toBe('exit()');
  expect([trays, windows]).toEqual([[], []]);
});

test('the shipped program ends at once, before it is anything to Electron, when it is given a switch of Chromium', async () => {
  isPackaged = true;
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  await expect(boot('--no-sandbox')).rejects.toThrow('exit 2');
  exit.mockRestore();
  expect([calls, trays, windows]).toEqual([[], [], []]);
  expect(readFileSync(join(home, 'host.log'), 'utf8')).toContain('W393 Not started: "--no-sandbox" is not an option');
});
