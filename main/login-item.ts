/** Start at sign-in, in the user's Run key. */
import type { App } from 'electron';
import { hiddenFlag } from './app-identity.ts';

type LoginApp = Pick<App, 'getLoginItemSettings' | 'setLoginItemSettings'>;

export interface LoginItem {
  /** Null where the system has no such setting, or the program is not installed. */
  readonly on: () => boolean | null;
  readonly set: (on: boolean) => void;
}

export function loginItem(
  app: LoginApp,
  given: { readonly platform: NodeJS.Platform; readonly packaged: boolean; readonly executable: string },
): LoginItem {
  const supported = given.packaged && given.platform === 'win32';
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
