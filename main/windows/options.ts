/** How the windows are made, as a pure function, so that a test holds every flag; and which keys they take. */
import type { BrowserWindowConstructorOptions, NativeTheme, BrowserWindow } from 'electron';
import type { WindowEvent } from '../../app/contract/window.ts';
import type { EngineState } from '../../app/host/engine.ts';

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

/** Levels of Chromium: each is a factor of 1.2, so these are 69 % and 207 %. */
const zoom = { min: -2, max: 4, step: 0.5 } as const;

/** The keys that a menu would have, and there is none: Ctrl+W closes a window; Ctrl+Plus, Ctrl+Minus and Ctrl+0 zoom. */
export function handleWindowKeys(window: BrowserWindow): void {
  const { webContents: page } = window;
  const zoomBy = (step: number): void => {
    page.setZoomLevel(Math.min(zoom.max, Math.max(zoom.min, page.getZoomLevel() + step)));
  };
  page.on('before-input-event', (event, { type, key, control, meta, alt, shift }) => {
    if (type !== 'keyDown' || alt || !(control || meta)) return;
    const action = {
      w: shift ? undefined : () => window.close(),
      '+': () => zoomBy(zoom.step),
      '=': () => zoomBy(zoom.step),
      '-': () => zoomBy(-zoom.step),
      '0': shift ? undefined : () => page.setZoomLevel(0),
    }[key.toLowerCase()];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

/** What a page that has just loaded hears first. */
export interface Greeting {
  readonly event: WindowEvent;
  readonly payload: unknown;
}

/** Null while the engine is starting: the page waits for what comes then. */
export function greeting(engine: EngineState): Greeting | null {
  if (engine.kind === 'starting') return null;
  return engine.kind === 'online'
    ? { event: 'snapshot', payload: engine.snapshot }
    : { event: 'offline', payload: null };
}
