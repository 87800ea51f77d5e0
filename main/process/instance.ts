/**
 * Who this process is to the system: its names, its switches, its start at sign-in, and that it is alone.
 * One tray per user: a second start shows the window of the first and ends. Which process hosts the scripts of the
 * machine is another question, and the application answers it.
 */
import type { App } from 'electron';

/** False: another instance runs and was told, or there is nothing to end; this process must end at once. */
export function becomeTheOnlyInstance(
  app: Pick<App, 'requestSingleInstanceLock' | 'on' | 'quit'>,
  argv: readonly string[],
  show: () => void,
): boolean {
  const told: Told = { hidden: startsHidden(argv), quit: argv.includes(quitFlag) };
  if (!app.requestSingleInstanceLock(told) || told.quit) return false;
  app.on('second-instance', (_event, _argv, _cwd, data) => {
    // What another process sends is only data; an older version sends no `quit`.
    const { hidden = false, quit = false } = isRecord(data) ? data : {};
    if (quit === true) app.quit();
    // The sign-in start may come after a start by hand; it must not steal the focus then.
    else if (hidden !== true) show();
  });
  return true;
}

interface Told extends Record<string, unknown> {
  readonly hidden: boolean;
  /** The installer ends the tray so: it closes the application first, and asks nothing. */
  readonly quit: boolean;
}

/** The whole argument and nothing like it: an argument that merely contains the word must not hide the window. */
export function startsHidden(argv: readonly string[]): boolean {
  return argv.includes(hiddenFlag);
}

/**
 * The first argument that Chromium would take as a switch and Unjam does not know: `--gpu-launcher=…` runs a program,
 * `--remote-debugging-port` lets others into the page. `-Embedding` is how Windows starts the answer to a toast.
 */
export function foreignSwitch(argv: readonly string[]): string | null {
  const own = [hiddenFlag, quitFlag, '-Embedding', '-ToastActivated'];
  return argv.slice(1).find((argument) => /^[-/]/.test(argument) && !own.includes(argument)) ?? null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * AppUserModelID; changing it loses pinned icons and toast history. Must equal `appId` in electron-builder.yml: the installer writes that one into the Start-menu
 * shortcut, and Windows drops toasts whose id has no shortcut.
 */
export const appId = 'Unjam.Desktop';

/** Without a fixed id Electron makes a random one per run, and toasts in the Action Center outlive the run that can answer them. */
export const toastActivatorClsid = '{6C1B3B52-7C0E-4D7B-9E2F-2A3F5D0C9A41}';

/** Started by Windows at sign-in: nothing but the tray icon may appear. */
export const hiddenFlag = '--hidden';

/** `Unjam.exe --quit`: ends the tray of this session, as its Exit does but without a question. */
const quitFlag = '--quit';

type LoginApp = Pick<App, 'getLoginItemSettings' | 'setLoginItemSettings'>;

/** Start at sign-in, in the user's Run key. */
export interface LoginItem {
  /** Null where the system has no such setting, or the program is not installed. */
  readonly on: () => boolean | null;
  readonly set: (on: boolean) => void;
}

export function loginItem(
  app: LoginApp,
  given: { readonly supported: boolean; readonly executable: string },
): LoginItem {
  const { supported } = given;
  // Read back with the same path and arguments, or Electron answers for another entry.
  const entry = { path: given.executable, args: [hiddenFlag] };
  return {
    on: () => {
      if (!supported) return null;
      const settings = app.getLoginItemSettings(entry);
      // Task Manager's "disabled" wins over the entry.
      return settings.openAtLogin && settings.executableWillLaunchAtLogin;
    },
    set: (on) => {
      if (supported) app.setLoginItemSettings({ openAtLogin: on, ...entry });
    },
  };
}
