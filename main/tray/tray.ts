/**
 * The icon in the notification area. State comes in through `update`; one idempotent render draws it. No animation and
 * no timer: each image is a call into Explorer and a repaint.
 *
 * Without a GUID: Windows binds it to the path of an unsigned program, and after a move the icon cannot be made at all.
 */
import { join } from 'node:path';
import type { Menu, MenuItemConstructorOptions, NativeTheme, Tray } from 'electron';
import type { Overview } from '../../app/contract/methods.ts';
import { clockTime } from '../../app/domain/durations.ts';
import { plain } from '../../app/domain/visible.ts';
import type { EngineState } from '../../app/host/engine.ts';
import type { Desktop } from '../../app/processes/desktop.ts';

export interface TrayParts {
  readonly create: (image: string) => Tray;
  readonly theme: Pick<NativeTheme, 'shouldUseDarkColorsForSystemIntegratedUI' | 'on'>;
  readonly iconFolder: string;
  readonly desktop: Desktop;
  /** Shows the window; called once or twice per gesture, so it must be idempotent. */
  readonly open: () => void;
  readonly menu: () => MenuItemConstructorOptions[];
  readonly buildMenu: (template: MenuItemConstructorOptions[]) => Menu;
  readonly log: (line: string) => void;
}

export class TrayIcon {
  readonly #parts: TrayParts;
  #tray: Tray | null = null;
  #face: TrayFace;
  #drawn: { image: string; tooltip: string } | null = null;
  #menuReads = '';

  constructor(parts: TrayParts, face: TrayFace) {
    this.#parts = parts;
    this.#face = face;
    parts.theme.on('updated', () => this.#render());
    this.#render();
  }

  /** False on desktops without a notification area: the window is the only way in then. */
  get exists(): boolean {
    return this.#tray !== null;
  }

  update(face: TrayFace): void {
    this.#face = face;
    this.#render();
  }

  #render(): void {
    const { iconFolder, desktop, theme } = this.#parts;
    const image = trayIconFile(iconFolder, this.#face.shape, theme.shouldUseDarkColorsForSystemIntegratedUI, desktop);
    const tray = (this.#tray ??= this.#create(image));
    if (tray === null || tray.isDestroyed()) return;
    const before = this.#drawn;
    this.#drawn = { image, tooltip: this.#face.tooltip };
    if (before?.image !== image) tray.setImage(image);
    if (before?.tooltip !== this.#face.tooltip) tray.setToolTip(this.#face.tooltip);
    if (desktop.opensTrayMenuItself) this.#prepareMenu(tray);
  }

  /**
   * Replaced only when it would read differently, because a menu that is replaced while it is open closes.
   */
  #prepareMenu(tray: Tray): void {
    const template = this.#parts.menu();
    const reads = JSON.stringify(template);
    if (reads === this.#menuReads) return;
    this.#menuReads = reads;
    tray.setContextMenu(this.#parts.buildMenu(template));
  }

  #create(image: string): Tray | null {
    try {
      const tray = this.#parts.create(image);
      this.#drawn = null;
      // Electron fires `click` before `double-click`, so both must do the same and never toggle.
      tray.on('click', () => this.#parts.open());
      tray.on('double-click', () => this.#parts.open());
      // Built when opened: a menu that is replaced while it is open closes (electron/electron#1393).
      tray.on('right-click', () => tray.popUpContextMenu(this.#parts.buildMenu(this.#parts.menu())));
      return tray;
    } catch (error) {
      this.#parts.log(`No tray icon: ${String(error)}`);
      return null;
    }
  }
}

export type TrayShape = Overview['tray'] | 'offline';

export interface TrayFace {
  readonly shape: TrayShape;
  readonly tooltip: string;
}

/** Windows cuts at 127 characters (`szTip` has room for 128 with its end mark). */
const tooltipMax = 127;

/** What the icon shows for a state of the engine. Pure. */
export function trayFace(state: EngineState): TrayFace {
  switch (state.kind) {
    case 'starting':
      return { shape: 'offline', tooltip: 'Unjam: starting' };
    case 'offline':
      return {
        shape: 'offline',
        tooltip: `Unjam: HOST NOT REACHABLE since ${clockTime(state.since).slice(0, 5)}. State is unknown. Double-click to open`,
      };
    case 'online':
      return { shape: state.snapshot.overview.tray, tooltip: plain(state.snapshot.overview.tooltip, tooltipMax) };
  }
}

/**
 * `onDark` is the taskbar's colour, not the applications': Windows lets a person choose them apart.
 */
export function trayIconFile(
  folder: string,
  shape: TrayShape,
  onDark: boolean,
  desktop: Pick<Desktop, 'trayIcon'>,
): string {
  return join(folder, `${shape}-${onDark ? 'dark' : 'light'}${desktop.trayIcon}`);
}
