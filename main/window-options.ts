/** How the windows are made: a pure function, so that a test holds every flag. */
import type { BrowserWindowConstructorOptions, NativeTheme } from 'electron';

export type Theme = Pick<NativeTheme, 'shouldUseDarkColors' | 'inForcedColorsMode'>;

export function windowOptions(given: {
  readonly theme: Theme;
  readonly preload: string;
  readonly icon: string;
  /** False in the shipped application: developer tools could call the bridge for a person who is talked into it. */
  readonly devTools: boolean;
  /** `log`: one of several windows beside the console; where it stood is not remembered. */
  readonly kind: 'console' | 'log';
}): BrowserWindowConstructorOptions {
  return {
    // The name under which Electron keeps the bounds, checked against the screens that exist then. One window may have it.
    ...(given.kind === 'console' ? { name: 'console', windowStatePersistence: true } : {}),
    title: 'Unjam',
    icon: given.icon,
    show: false,
    width: 1280,
    height: 800,
    minWidth: 320,
    minHeight: 400,
    backgroundColor: backgroundColor(given.theme),
    autoHideMenuBar: true,
    webPreferences: {
      preload: given.preload,
      // Defaults of Electron 45 as well; written down because each of them is load-bearing.
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
      plugins: false,
      webgl: false,
      enableWebSQL: false,
      disableDialogs: true,
      // Chromium would fetch dictionaries from the network.
      spellcheck: false,
      devTools: given.devTools,
    },
  };
}

/** The first paint before the page's own: the wrong colour here is the flash that people see (electron/electron#29853). */
export function backgroundColor(theme: Theme): string {
  if (theme.inForcedColorsMode) return theme.shouldUseDarkColors ? '#000000' : '#FFFFFF';
  return theme.shouldUseDarkColors ? '#202020' : '#F3F3F3';
}
