/** Joins the parts of the shell once Electron is ready. Nothing here decides; each part has its own file and test. */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type * as ElectronModule from 'electron';
import { signInText } from './page/confirm-text.ts';
import { confirmed } from './page/confirm.ts';
import { asker, oneQuestion, scriptWatch, wentBack } from './page/question.ts';
import type { Reply } from '../app/contract/methods.ts';
import type { Engine } from '../app/host/engine.ts';
import { createExit } from './process/exit.ts';
import { HostSettings, wishesOf } from './toasts/settings.ts';
import type { Desktop } from '../app/processes/desktop.ts';
import { incidentSummary } from '../app/domain/incident-summary.ts';
import { openRpcDoor, folderOpener, refuse, type WindowHandlers, withWindowMethods } from './page/door.ts';
import { type LoginItem, loginItem } from './process/instance.ts';
import type { LogWindows } from './windows/log-windows.ts';
import { Notifier } from './toasts/notifier.ts';
import { watchPower, watchSessionEnd } from './process/system-events.ts';
import { serveConsole } from './page/protocol.ts';
import { createSave } from './page/save.ts';
import { lockSession } from './page/security.ts';
import { trayFace, TrayIcon } from './tray/tray.ts';
import { trayMenu, troubledOf } from './tray/menu.ts';
import type { ConsoleWindow } from './windows/console-window.ts';

/** The Cancels of one press of a key arrive within this time: the page sends them at once. */
const gatherMs = 50;

export type ShellElectron = Pick<
  typeof ElectronModule,
  | 'app'
  | 'BaseWindow'
  | 'clipboard'
  | 'dialog'
  | 'ipcMain'
  | 'Menu'
  | 'nativeTheme'
  | 'Notification'
  | 'powerMonitor'
  | 'protocol'
  | 'session'
  | 'shell'
  | 'Tray'
>;

export interface ShellParts {
  readonly engine: Engine;
  readonly window: ConsoleWindow;
  readonly logWindows: LogWindows;
  /** The person at the window, as the system says it. */
  readonly user: string;
  readonly stateDirectory: string;
  /** Folder of the built program; the console is in `renderer` below it. */
  readonly dist: string;
  readonly assets: string;
  readonly desktop: Desktop;
  readonly log: (line: string) => void;
}

export function startShell(electron: ShellElectron, parts: ShellParts): { readonly tray: TrayIcon } {
  const { app, clipboard, dialog, Menu, nativeTheme: theme, Notification, Tray } = electron;
  const { engine, window, logWindows, user, assets, desktop, log } = parts;
  const open = window.show.bind(window);

  const settings = new HostSettings(engine.dispatch, user, Date.now);
  const notifier = new Notifier({
    supported: () => Notification.isSupported(),
    create: (options) => new Notification(options),
    open,
    wishes: () => wishesOf(settings.current),
    now: Date.now,
    log,
  });
  if (desktop.keepsToasts) Notification.handleActivation((details) => notifier.activated(details));

  const login = loginItem(app, {
    supported: app.isPackaged && desktop.startsAtSignIn,
    executable: process.execPath,
  });
  openDoors(electron, parts, login, {
    'window.testNotification': async () => {
      await settings.lookNow();
      return { ok: true, value: await notifier.test() };
    },
    'window.openFolder': folderOpener(electron.shell, parts.stateDirectory, Date.now),
  });

  const exit = createExit({ app, dialog, engine, parent: () => window.visible, leave: () => window.leave() });
  const tray = new TrayIcon(
    {
      create: (image) => new Tray(image),
      theme,
      iconFolder: join(assets, 'tray'),
      desktop,
      open: () => open(),
      buildMenu: (template) => Menu.buildFromTemplate(template),
      menu: () =>
        trayMenu(
          { engine: engine.state, pausedUntil: notifier.pausedUntil, startsAtLogin: login.on(), now: Date.now },
          {
            open,
            exit: () => void exit(),
            setLogin: login.set,
            pause: (until) => notifier.pause(until),
            copySummary: () => {
              if (engine.snapshot === null) return;
              const { machine, at, overview } = engine.snapshot;
              const troubled = troubledOf(engine.snapshot);
              const situation = [overview.sentence, overview.detail];
              void clipboard.writeText(incidentSummary({ machine, at, situation }, troubled));
            },
          },
        ),
      log,
    },
    trayFace(engine.state),
  );

  watchPower(electron.powerMonitor, { power: (what) => engine.power(what), resumed: () => notifier.resumed() });
  watchSessionEnd(() => new electron.BaseWindow({ show: false }), {
    leave: () => window.leave(),
    close: () => engine.close(),
    quit: () => app.quit(),
    log,
  });
  engine.subscribe((state) => {
    tray.update(trayFace(state));
    if (state.kind === 'offline') for (const pages of [window, logWindows]) pages.send('offline', null);
    if (state.kind !== 'online') return;
    // Nobody wants the toast of a setting that was not read yet.
    void settings.look().then(() => notifier.see(state.snapshot));
    window.send('snapshot', state.snapshot);
    logWindows.send('snapshot', state.snapshot);
  });
  return { tray };
}

/** The ways in for the page: its files, and its calls, each with its guard. */
function openDoors(
  { dialog, ipcMain, Menu, protocol, session }: ShellElectron,
  { engine, window, logWindows, user, dist, log }: ShellParts,
  login: LoginItem,
  ofSettings: Pick<WindowHandlers, 'window.testNotification' | 'window.openFolder'>,
): void {
  Menu.setApplicationMenu(null);
  lockSession(session.defaultSession);
  serveConsole(protocol, join(dist, 'renderer'));
  const parent = () => window.visible;
  const exclusively = oneQuestion(Date.now);
  const ask = asker({ dialog, parent });
  const save = createSave({ dispatch: engine.dispatch, dialog, parent, exclusively });
  const dispatch = confirmed({
    dispatch: engine.dispatch,
    dialog,
    parent,
    exclusively,
    machine: hostname(),
    watch: scriptWatch(engine),
    gathered: () => delay(gatherMs),
    now: Date.now,
  });
  openRpcDoor({
    ipcMain,
    pages: () => [...(window.contents === null ? [] : [window.contents.id]), ...logWindows.pages],
    dispatch: withWindowMethods(dispatch, {
      'window.openLog': ({ ticket }) =>
        logWindows.show(ticket)
          ? { ok: true, value: {} }
          : refuse('not-possible', 'Too many logs are open in windows of their own.', 'Close one of them.'),
      'window.saveLog': save.log,
      'window.saveEvidence': save.evidence,
      'window.saveText': save.text,
      'window.signIn': ({ on }) => {
        const set = (): Reply => {
          if (on !== undefined) login.set(on);
          return { ok: true, value: { on: login.on() } };
        };
        if (on !== false || login.on() !== true) return set();
        return exclusively(async () => ((await ask(signInText())) ? set() : wentBack('The change')));
      },
      ...ofSettings,
    }),
    user,
    log,
  });
}
