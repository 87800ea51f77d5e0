/**
 * The Electron shell, in the order in which it boots. What must precede `ready` stands before it, at the top level: an
 * ESM entry may not await `ready` itself, because Electron holds `ready` back until the entry has been evaluated.
 * The only file of main that imports Electron's objects; every other file gets what it needs from here.
 */
import * as electron from 'electron';
import { join } from 'node:path';
import { openApplication } from '../app/host/application.ts';
import { whichStateDirectory } from '../app/access/state-directory.ts';
import { desktop } from '../app/processes/desktop.ts';
import { currentUser, stateDirectory } from '../app/processes/index.ts';
import { appId, toastActivatorClsid, becomeTheOnlyInstance, foreignSwitch, startsHidden } from './process/instance.ts';
import { restartOnCrash, hostLog } from './process/failure.ts';
import { Engine } from '../app/host/engine.ts';
import { LogWindows } from './windows/log-windows.ts';
import { consoleScheme } from './page/protocol.ts';
import { runnerCommand } from '../app/processes/runner-command.ts';
import { lockPages } from './page/security.ts';
import { startShell } from './shell.ts';
import { greeting, windowOptions } from './windows/options.ts';
import { ConsoleWindow } from './windows/console-window.ts';

const { app } = electron;
const system = desktop();
const dist = join(import.meta.dirname, '..');
const assets = join(dist, '..', 'assets');
const home = await whichStateDirectory().catch(() => stateDirectory());
const log = hostLog(home);

// 0. Nobody may change our Chromium from the command line. A checkout is started with its folder and may be debugged.
const foreign = app.isPackaged ? foreignSwitch(process.argv) : null;
if (foreign !== null) {
  log(`W393 Not started: "${foreign}" is not an option of Unjam.`);
  process.exit(2);
}

// 1. Who we are to the operating system, and which doors of Chromium are shut for good.
app.enableSandbox();
app.setAppUserModelId(appId);
if (system.keepsToasts) app.setToastActivatorCLSID(toastActivatorClsid);
electron.protocol.registerSchemesAsPrivileged([consoleScheme]);
lockPages(app);
restartOnCrash(process, app, { argv: process.argv, uptimeMs: () => performance.now(), log });

// 2. The application itself, not opened yet, and the window, not made yet.
const place = { packaged: app.isPackaged, version: app.getVersion(), resources: process.resourcesPath, dist };
const engine = new Engine(
  async () => openApplication({ stateDirectory: home, runner: runnerCommand({ ...place, env: process.env }), log }),
  log,
);
const page = {
  theme: electron.nativeTheme,
  preload: join(dist, 'main', 'preload.cjs'),
  icon: join(assets, 'icons', 'app.png'),
  devTools: !app.isPackaged,
};
const window = new ConsoleWindow({
  create: () => new electron.BrowserWindow(windowOptions({ kind: 'console', ...page })),
  greeting: () => greeting(engine.state),
  log,
});
const logWindows = new LogWindows({
  create: () => new electron.BrowserWindow(windowOptions({ kind: 'log', ...page })),
  greeting: () => greeting(engine.state),
  log,
});

// 3. One tray per user; a second start shows the window of the first.
if (becomeTheOnlyInstance(app, process.argv, () => window.show())) {
  void app.whenReady().then(async () => {
    // 4. Doors, tray, toasts and system events; then the engine, which reports to all of them.
    const user = await currentUser();
    const parts = { engine, window, logWindows, user, stateDirectory: home, dist, assets, desktop: system, log };
    const { tray } = startShell(electron, parts);
    void engine.start();
    // 5. At sign-in nothing but the icon appears, unless there is no icon.
    if (!startsHidden(process.argv) || !tray.exists) window.show();
  });
} else {
  app.exit(0);
}
