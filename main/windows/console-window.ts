/**
 * The console's window. Made on demand, hidden on close, destroyed a minute later: a hidden renderer costs more memory
 * than the rest of the application, and all state lives in main anyway.
 */
import type { BrowserWindow, WebContents } from 'electron';
import { type Greeting, handleWindowKeys } from './options.ts';
import type { WindowEvent } from '../../app/contract/window.ts';
import type { OpenRequest } from '../../app/contract/window.ts';
import { consoleUrl } from '../page/protocol.ts';

/** Long enough for "close, think again, reopen" to be instant. */
const keepHiddenMs = 60_000;
/** A page that crashes as soon as it is loaded must not be reloaded for ever. */
const crashPauseMs = 10_000;

export interface WindowParts {
  readonly create: () => BrowserWindow;
  readonly greeting: () => Greeting | null;
  readonly log: (line: string) => void;
}

export class ConsoleWindow {
  readonly #parts: WindowParts;
  #window: BrowserWindow | null = null;
  #loaded = false;
  #leaving = false;
  #waiting: OpenRequest | null = null;
  #destroyTimer: NodeJS.Timeout | undefined;
  #crashedAt = -Infinity;

  constructor(parts: WindowParts) {
    this.#parts = parts;
  }

  /** The living window, shown or hidden; null when there is none. */
  get window(): BrowserWindow | null {
    return this.#window !== null && !this.#window.isDestroyed() ? this.#window : null;
  }

  /** The window that a person sees, as parent for dialogs. */
  get visible(): BrowserWindow | null {
    const window = this.window;
    return window?.isVisible() === true ? window : null;
  }

  get contents(): WebContents | null {
    return this.window?.webContents ?? null;
  }

  /** Any number of calls, from clicks, double-clicks, second starts and toasts, end in one window in front. */
  show(request?: OpenRequest): void {
    clearTimeout(this.#destroyTimer);
    if (request !== undefined) this.#waiting = request;
    const window = this.window;
    if (window === null) {
      this.#create();
      return;
    }
    if (!this.#loaded) return;
    this.#deliver();
    this.#toFront(window);
  }

  /** Sends an event to the page; nothing happens when no page listens. */
  send(event: WindowEvent, payload: unknown): void {
    if (this.#loaded) this.contents?.send('event', event, payload);
  }

  /** From now on closing means closing: the application, or the user's session, ends. */
  leave(): void {
    this.#leaving = true;
    clearTimeout(this.#destroyTimer);
  }

  #create(): void {
    const window = this.#parts.create();
    this.#window = window;
    this.#loaded = false;
    window.once('ready-to-show', () => this.#toFront(window));
    handleWindowKeys(window);
    window.webContents.on('did-finish-load', () => {
      this.#loaded = true;
      const greeting = this.#parts.greeting();
      if (greeting !== null) this.send(greeting.event, greeting.payload);
      this.#deliver();
    });
    window.webContents.on('render-process-gone', (_event, details) => this.#crashed(window, details.reason));
    window.on('close', (event) => {
      if (this.#leaving) return;
      event.preventDefault();
      window.hide();
      this.#destroyTimer = setTimeout(() => window.destroy(), keepHiddenMs);
    });
    window.once('closed', () => {
      if (this.#window !== window) return;
      this.#window = null;
      this.#loaded = false;
    });
    window.loadURL(consoleUrl).catch((error: unknown) => this.#parts.log(`The console did not load: ${String(error)}`));
  }

  #deliver(): void {
    if (this.#waiting !== null) this.send('open', this.#waiting);
    this.#waiting = null;
  }

  #toFront(window: BrowserWindow): void {
    if (window.isMinimized()) window.restore();
    window.show();
    // Windows lets a background process only flash in the taskbar; being topmost for a moment gets around that.
    window.setAlwaysOnTop(true);
    window.setAlwaysOnTop(false);
    window.focus();
  }

  #crashed(window: BrowserWindow, reason: string): void {
    this.#parts.log(`The console's page is gone (${reason}). Scripts are not affected.`);
    const again = !window.isDestroyed() && window.isVisible() && performance.now() - this.#crashedAt > crashPauseMs;
    this.#crashedAt = performance.now();
    window.destroy();
    if (again) this.show();
  }
}
