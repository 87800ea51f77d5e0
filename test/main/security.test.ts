/** Every door of Chromium that the console does not use is shut. */
import { EventEmitter } from 'node:events';
import type { App, Session } from 'electron';
import { beforeEach, describe, expect, test } from 'vitest';
import { lockPages, lockSession } from '../../main/page/security.ts';
import { backgroundColor, windowOptions } from '../../main/windows/options.ts';
import { FakeContents } from './fakes.ts';

describe('the session', () => {
  type Handlers = {
    request: Parameters<Session['setPermissionRequestHandler']>[0];
    check: Parameters<Session['setPermissionCheckHandler']>[0];
    device: Parameters<Session['setDevicePermissionHandler']>[0];
    display: Parameters<Session['setDisplayMediaRequestHandler']>[0];
    before: (details: { url: string }, callback: (answer: { cancel?: boolean }) => void) => void;
  };
  let handlers: Handlers;
  let session: EventEmitter;
  let proxy: string;

  beforeEach(() => {
    handlers = {} as Handlers;
    session = Object.assign(new EventEmitter(), {
      setPermissionRequestHandler: (handler: Handlers['request']) => (handlers.request = handler),
      setPermissionCheckHandler: (handler: Handlers['check']) => (handlers.check = handler),
      setDevicePermissionHandler: (handler: Handlers['device']) => (handlers.device = handler),
      setDisplayMediaRequestHandler: (handler: Handlers['display']) => (handlers.display = handler),
      setProxy: async (config: { proxyRules?: string }) => void (proxy = config.proxyRules ?? ''),
      webRequest: { onBeforeRequest: (handler: Handlers['before']) => (handlers.before = handler) },
    });
    lockSession(session as unknown as Session);
  });

  test('sends every connection to a proxy that is not there', () => {
    expect(proxy).toBe('127.0.0.1:9');
  });

  test.each([
    'media',
    'geolocation',
    'notifications',
    'clipboard-read',
    'display-capture',
    'fileSystem',
    'hid',
    'openExternal',
    'unknown',
  ] as const)('denies %s, asked or checked', (permission) => {
    let granted: boolean | undefined;
    handlers.request?.(undefined as never, permission, (answer) => (granted = answer), {
      requestingUrl: 'app://ui/index.html',
    } as never);
    expect(granted).toBe(false);
    expect(handlers.check?.(null, permission, 'app://ui/', {} as never)).toBe(false);
  });

  test('lets the console, and only the console, write to the clipboard', () => {
    expect(handlers.check?.(null, 'clipboard-sanitized-write', 'app://ui/', {} as never)).toBe(true);
    expect(handlers.check?.(null, 'clipboard-sanitized-write', 'https://example.com/', {} as never)).toBe(false);
  });

  test('gives no device and no screen', () => {
    let streams: unknown = 'not answered';
    handlers.display?.({} as never, (answer) => (streams = answer));
    expect(streams).toBeNull();
    expect(handlers.device?.({} as never)).toBe(false);
  });

  test.each([
    ['app://ui/index.html', false],
    ['data:image/png;base64,AAAA', false],
    ['https://example.com/', true],
    ['http://127.0.0.1:8080/', true],
    ['ws://127.0.0.1/', true],
    ['file:///etc/passwd', true],
    ['app://other/x.js', true],
    ['data:text/html,<script>', true],
  ])('request for %s is cancelled: %s', (url, cancelled) => {
    let cancel: boolean | undefined;
    handlers.before({ url }, (answer) => (cancel = answer.cancel));
    expect(cancel).toBe(cancelled);
  });

  test('downloads nothing', () => {
    expect(prevented((event) => session.emit('will-download', event))).toBe(true);
  });
});

describe('every page', () => {
  let contents: FakeContents;
  beforeEach(() => {
    const app = new EventEmitter();
    lockPages(app as unknown as App);
    contents = new FakeContents();
    app.emit('web-contents-created', {}, contents);
  });

  test.each(['will-navigate', 'will-redirect'])('stays where it is (%s)', (name) => {
    const goes = (url: string) => !prevented((event) => contents.emit(name, { ...event, url }));
    expect(goes('https://example.com/')).toBe(false);
    expect(goes('file:///C:/Windows/win.ini')).toBe(false);
    expect(goes('app://ui/index.html')).toBe(true);
  });

  test('has no frames', () => {
    const goes = (url: string, isMainFrame: boolean) =>
      !prevented((event) => contents.emit('will-frame-navigate', { ...event, url, isMainFrame }));
    expect(goes('app://ui/index.html', false)).toBe(false);
    expect(goes('https://example.com/', true)).toBe(false);
    expect(goes('app://ui/index.html', true)).toBe(true);
  });

  test('lets WebRTC send nothing past the proxy', () => {
    const contents = new FakeContents();
    const app = new EventEmitter();
    lockPages(app as unknown as App);
    app.emit('web-contents-created', {}, contents);
    expect(contents.rtcPolicy).toBe('disable_non_proxied_udp');
  });

  test('attaches no webview and opens no window', () => {
    expect(prevented((event) => contents.emit('will-attach-webview', event))).toBe(true);
    expect(contents.openHandler?.({} as never)).toEqual({ action: 'deny' });
  });
});

describe('the window', () => {
  const theme = { shouldUseDarkColors: false, inForcedColorsMode: false };
  const options = (devTools = false, kind: 'console' | 'log' = 'console') =>
    windowOptions({ kind, theme, preload: '/dist/main/preload.cjs', icon: '/assets/app.png', devTools });

  test('is sandboxed, isolated and without Node', () => {
    expect(options().webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      devTools: false,
    });
    expect(options().webPreferences).not.toHaveProperty('enableBlinkFeatures');
  });

  test('of a log is as closed as the console, and leaves the place of the console alone', () => {
    expect(options(false, 'log').webPreferences).toEqual(options().webPreferences);
    expect(options().name).toBe('console');
    expect(options(false, 'log')).not.toHaveProperty('name');
    expect(options(false, 'log')).not.toHaveProperty('windowStatePersistence');
  });

  test('is not shown before it is painted, and has the page’s colour until then', () => {
    expect(options().show).toBe(false);
    expect(backgroundColor(theme)).toBe('#F3F3F3');
    expect(backgroundColor({ ...theme, shouldUseDarkColors: true })).toBe('#202020');
    expect(backgroundColor({ shouldUseDarkColors: true, inForcedColorsMode: true })).toBe('#000000');
    expect(backgroundColor({ shouldUseDarkColors: false, inForcedColorsMode: true })).toBe('#FFFFFF');
  });
});

function prevented(emit: (event: { preventDefault: () => void }) => void): boolean {
  let was = false;
  emit({ preventDefault: () => (was = true) });
  return was;
}
