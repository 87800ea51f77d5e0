/**
 * Logs in windows of their own: one per script, a second request brings it to the front. They are pages like the
 * console's, with its guards; closed is gone, because the log is in the files.
 */
import type { BrowserWindow } from 'electron';
import { type Greeting, handleWindowKeys } from './options.ts';
import { consoleUrl } from '../page/protocol.ts';

/** A page that was taken over could open them for ever; a person who reads more logs at once than this has the console. */
const windowsMax = 8;

export interface LogWindowsParts {
  readonly create: () => BrowserWindow;
  readonly greeting: () => Greeting | null;
  readonly log: (line: string) => void;
}

interface LogWindow {
  readonly window: BrowserWindow;
  loaded: boolean;
}

export class LogWindows {
  readonly #parts: LogWindowsParts;
  /** By ticket; tickets are compared without regard to case. */
  readonly #open = new Map<string, LogWindow>();

  constructor(parts: LogWindowsParts) {
    this.#parts = parts;
  }

  /** Ids of the pages that may call. */
  get pages(): readonly number[] {
    return this.#living().map(({ window }) => window.webContents.id);
  }

  /** False when too many are open. */
  show(ticket: string): boolean {
    const key = ticket.toLowerCase();
    const open = this.#open.get(key);
    if (open !== undefined && !open.window.isDestroyed()) {
      if (open.loaded) toFront(open.window);
      return true;
    }
    if (this.#living().length >= windowsMax) return false;
    this.#create(key, ticket);
    return true;
  }

  /** Sends an event to every page that listens. */
  send(event: string, payload: unknown): void {
    for (const { window, loaded } of this.#living()) if (loaded) window.webContents.send('event', event, payload);
  }

  #living(): LogWindow[] {
    return [...this.#open.values()].filter(({ window }) => !window.isDestroyed());
  }

  #create(key: string, ticket: string): void {
    const window = this.#parts.create();
    const entry: LogWindow = { window, loaded: false };
    this.#open.set(key, entry);
    window.once('ready-to-show', () => toFront(window));
    handleWindowKeys(window);
    window.webContents.on('did-finish-load', () => {
      entry.loaded = true;
      const greeting = this.#parts.greeting();
      if (greeting !== null) window.webContents.send('event', greeting.event, greeting.payload);
    });
    window.webContents.on('render-process-gone', (_event, details) => {
      this.#parts.log(`The page of a log is gone (${details.reason}). Scripts are not affected.`);
      window.destroy();
    });
    window.once('closed', () => {
      if (this.#open.get(key) === entry) this.#open.delete(key);
    });
    window
      .loadURL(`${consoleUrl}#log/${encodeURIComponent(ticket)}`)
      .catch((error: unknown) => this.#parts.log(`The window of a log did not load: ${String(error)}`));
  }
}

function toFront(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
