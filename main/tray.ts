/**
 * The icon in the notification area. State comes in through `update`; one idempotent render draws it. No animation and
 * no timer: each image is a call into Explorer and a repaint.
 *
 * Without a GUID: Windows binds it to the path of an unsigned program, and after a move the icon cannot be made at all.
 */
import type { Menu, MenuItemConstructorOptions, NativeTheme, Tray } from 'electron';
import { trayIconFile, type TrayFace } from './tray-face.ts';

export interface TrayParts {
  readonly create: (image: string) => Tray;
  readonly theme: Pick<NativeTheme, 'shouldUseDarkColorsForSystemIntegratedUI' | 'on'>;
  readonly iconFolder: string;
  readonly platform: NodeJS.Platform;
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
    const { iconFolder, platform, theme } = this.#parts;
    const image = trayIconFile(iconFolder, this.#face.shape, theme.shouldUseDarkColorsForSystemIntegratedUI, platform);
    const tray = (this.#tray ??= this.#create(image));
    if (tray === null || tray.isDestroyed()) return;
    const before = this.#drawn;
    this.#drawn = { image, tooltip: this.#face.tooltip };
    if (before?.image !== image) tray.setImage(image);
    if (before?.tooltip !== this.#face.tooltip) tray.setToolTip(this.#face.tooltip);
    if (platform === 'linux') this.#prepareMenu(tray);
  }

  /**
   * App indicators on Linux open their menu themselves and tell nobody: theirs must be ready before. Replaced only when it
   * would read differently, because one that is replaced while it is open closes.
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
