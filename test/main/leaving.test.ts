/** Leaving is honest about what goes on, closes the application, and never holds a shutdown back. */
import { EventEmitter } from 'node:events';
import type { App, BaseWindow, PowerMonitor } from 'electron';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { desktop } from '../../app/processes/desktop.ts';
import type { EngineState } from '../../app/host/engine.ts';
import { restartOnCrash } from '../../main/process/failure.ts';
import { createExit, exitDetail } from '../../main/process/exit.ts';
import { loginItem, becomeTheOnlyInstance, foreignSwitch, startsHidden } from '../../main/process/instance.ts';
import { watchPower, watchSessionEnd } from '../../main/process/system-events.ts';
import { FakeDialog } from './fakes.ts';
import { script, snapshot } from './fixtures.ts';

const online = (count: number, role: 'host' | 'client' = 'host'): EngineState => ({
  kind: 'online',
  role,
  snapshot: snapshot(Array.from({ length: count }, (_, i) => script({ ticket: `t${i}`, stuck: false }))),
});

describe('Exit', () => {
  class FakeApp extends EventEmitter {
    ended = false;
    /** As Electron: before-quit, then will-quit, which may hold it back. */
    quit(): void {
      this.emit('before-quit', {});
      let prevented = false;
      this.emit('will-quit', { preventDefault: () => (prevented = true) });
      this.ended = !prevented;
    }
    exit(): void {
      this.ended = true;
    }
  }
  let app: FakeApp;
  let closed: boolean;
  let left: boolean;
  beforeEach(() => {
    app = new FakeApp();
    closed = false;
    left = false;
  });
  const exit = (
    state: EngineState,
    dialog: FakeDialog,
    close: () => Promise<void> = async () => void (closed = true),
  ) =>
    createExit({
      app: app as unknown as App,
      dialog,
      engine: { state, close },
      parent: () => null,
      leave: () => (left = true),
    });

  test('says how many scripts keep running and that nobody watches them, with Go back as default', async () => {
    const dialog = new FakeDialog('Go back');
    await exit(online(5), dialog)();
    expect(dialog.last).toMatchObject({
      message: 'Exit Unjam?',
      detail: '5 scripts keep running. Nobody sees stuck scripts on this host until Unjam is started again.',
      buttons: ['Go back', 'Exit'],
      defaultId: 0,
      cancelId: 0,
    });
    expect([app.ended, closed]).toEqual([false, false]);
  });

  test('closes the application before the process ends', async () => {
    let finish = (): void => undefined;
    const close = () => new Promise<void>((resolve) => (finish = resolve));
    await exit(online(1), new FakeDialog('Exit'), close)();
    expect([app.ended, left]).toEqual([false, true]);
    finish();
    await expect.poll(() => app.ended).toBe(true);
  });

  test('asks nothing when nothing runs, or when another host goes on watching', async () => {
    for (const state of [online(0), online(5, 'client')]) {
      app = new FakeApp();
      const dialog = new FakeDialog();
      await exit(state, dialog)();
      await expect.poll(() => app.ended).toBe(true);
      expect(dialog.asked).toEqual([]);
    }
  });

  test('does not pretend to know when the engine is away', () => {
    expect(exitDetail({ kind: 'offline', since: 0, why: 'lost', last: null })).toBe(
      'Scripts that run keep running. Nobody sees stuck scripts on this host until Unjam is started again.',
    );
    expect(exitDetail(online(1))).toContain('1 script keeps running.');
  });

  test('asks only once at a time', async () => {
    const dialog = new FakeDialog();
    const ask = exit(online(2), dialog);
    void ask();
    await ask();
    expect(dialog.asked).toHaveLength(1);
  });

  test('is not what closing the last window does', async () => {
    exit(online(0), new FakeDialog());
    expect(app.listenerCount('window-all-closed')).toBe(1);
    app.emit('window-all-closed');
    expect(app.ended).toBe(false);
  });
});

describe('the end of the Windows session', () => {
  test('closes the application without holding the shutdown back', async () => {
    const window = new EventEmitter();
    const heard: string[] = [];
    watchSessionEnd(() => window as unknown as BaseWindow, {
      leave: () => heard.push('leave'),
      close: async () => void heard.push('close'),
      quit: () => heard.push('quit'),
      log: (line) => heard.push(line),
    });
    const preventDefault = vi.fn();
    window.emit('query-session-end', { reasons: ['logoff'], preventDefault });
    window.emit('session-end', { reasons: ['logoff'], preventDefault });
    await expect.poll(() => heard).toContain('quit');
    expect(preventDefault).not.toHaveBeenCalled();
    expect(heard).toContain('The session ends (logoff). Scripts of this session may end with it.');
  });

  test('is asked for by an installer that closes its hidden window, and happens once', async () => {
    const window = new EventEmitter();
    const heard: string[] = [];
    watchSessionEnd(() => window as unknown as BaseWindow, {
      leave: () => heard.push('leave'),
      close: async () => void heard.push('close'),
      quit: () => {
        heard.push('quit');
        window.emit('close', {}); // Electron closes every window when it quits
      },
      log: (line) => heard.push(line),
    });
    window.emit('close', {});
    await expect.poll(() => heard).toContain('quit');
    expect(heard.filter((one) => one !== 'leave')).toEqual(['close', 'quit']);
  });
});

test('sleep and wake reach the application and the toasts', () => {
  const monitor = new EventEmitter();
  const heard: string[] = [];
  watchPower(monitor as unknown as PowerMonitor, {
    power: (what) => heard.push(what),
    resumed: () => heard.push('quiet'),
  });
  monitor.emit('suspend');
  monitor.emit('resume');
  expect(heard.toSorted()).toEqual(['quiet', 'resume', 'suspend']);
});

describe('a bug', () => {
  const crash = (uptimeMs: number, error: unknown) => {
    const errors = new EventEmitter();
    const log: string[] = [];
    const seen = { relaunched: null as readonly string[] | null, exited: null as number | null };
    const app = {
      relaunch: (options?: { args?: string[] }) => (seen.relaunched = options?.args ?? []),
      exit: (code?: number) => (seen.exited = code ?? 0),
    };
    const argv = ['Unjam.exe', '--hidden', '--user-data-dir=D:\\x'];
    restartOnCrash(errors, app, { argv, uptimeMs: () => uptimeMs, log: (line) => log.push(line) });
    errors.emit('uncaughtException', error);
    return { ...seen, log: log.join('') };
  };

  test('is written down, and the tray comes back without a window in the way', () => {
    const { relaunched, exited, log } = crash(60_000, new Error('boom'));
    expect([relaunched, exited]).toEqual([['--user-data-dir=D:\\x', '--hidden'], 1]);
    expect(log).toContain('boom');
  });

  test('that comes at once does not start the program again and again', () => {
    expect(crash(59_000, 'boom')).toMatchObject({ relaunched: null, exited: 1 });
  });
});

describe('one instance', () => {
  const start = (first: boolean, argv: string[] = []) => {
    let shown = 0;
    let quits = 0;
    const app = Object.assign(new EventEmitter(), {
      requestSingleInstanceLock: () => first,
      quit: () => void quits++,
    });
    const only = becomeTheOnlyInstance(app as unknown as App, argv, () => shown++);
    return {
      only,
      second: (data: unknown) => (app.emit('second-instance', {}, [], '', data), shown),
      quits: () => quits,
    };
  };

  test('a second start shows the window of the first, and ends', () => {
    expect(start(true).second({ hidden: false })).toBe(1);
    expect(start(true).second(undefined)).toBe(1);
    expect(start(false).only).toBe(false);
  });

  test('--quit ends the first without a question and without its window, and never becomes the first itself', () => {
    const first = start(true);
    expect([first.second({ hidden: false, quit: true }), first.quits()]).toEqual([0, 1]);
    expect(start(true, ['Unjam.exe', '--quit']).only).toBe(false);
  });

  test.each([
    '--gpu-launcher=calc.exe',
    '--remote-debugging-port=9222',
    '--no-sandbox',
    '-inspect',
    '/load-extension=x',
  ])('a switch of Chromium (%s) is refused, whatever stands around it', (foreign) => {
    expect(foreignSwitch(['Unjam.exe', '--hidden', foreign, '--quit'])).toBe(foreign);
    expect(foreignSwitch(['Unjam.exe', '--hidden', '--quit', '-Embedding'])).toBeNull();
  });

  test('a second start by the sign-in item does not steal the focus', () => {
    expect(start(true).second({ hidden: true })).toBe(0);
  });

  test('--hidden is exactly that argument', () => {
    expect(startsHidden(['Unjam.exe', '--hidden'])).toBe(true);
    expect(startsHidden(['Unjam.exe', '--hidden-thing', 'C:\\--hidden\\x'])).toBe(false);
  });
});

describe('start at sign-in', () => {
  const item = (platform: NodeJS.Platform, packaged = true, enabled = true) => {
    let saved: object | undefined;
    const app = {
      getLoginItemSettings: (asked?: object) => ({
        openAtLogin: saved !== undefined && JSON.stringify(asked) === JSON.stringify(saved),
        executableWillLaunchAtLogin: enabled,
      }),
      setLoginItemSettings: ({ openAtLogin, ...entry }: { openAtLogin?: boolean }) =>
        (saved = openAtLogin === true ? entry : undefined),
    };
    return loginItem(app as unknown as App, {
      supported: packaged && desktop(platform).startsAtSignIn,
      executable: 'C:\\Program Files\\Unjam\\Unjam.exe',
    });
  };

  test('starts hidden, and reads back what it wrote', () => {
    const login = item('win32');
    expect(login.on()).toBe(false);
    login.set(true);
    expect(login.on()).toBe(true);
    login.set(false);
    expect(login.on()).toBe(false);
  });

  test('is off when Task Manager disabled it', () => {
    const login = item('win32', true, false);
    login.set(true);
    expect(login.on()).toBe(false);
  });

  test('is not offered where there is no such setting, nor for a build that is not installed', () => {
    expect([item('linux').on(), item('win32', false).on()]).toEqual([null, null]);
  });
});

afterEach(() => vi.restoreAllMocks());
