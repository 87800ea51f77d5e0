/**
 * Hand-written stand-ins for Electron's objects, typed from electron.d.ts: its binary cannot be started by plain Node,
 * and what is tested here is what main decides, not what Electron does.
 */
import { EventEmitter } from 'node:events';
import type {
  BaseWindow,
  BrowserWindow,
  Dialog,
  Input,
  Menu,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  MessageBoxReturnValue,
  NativeTheme,
  Notification,
  NotificationConstructorOptions,
  SaveDialogOptions,
  SaveDialogReturnValue,
  Tray,
  WebContents,
} from 'electron';

let lastId = 0;

export class FakeContents
  extends EventEmitter
  implements Pick<WebContents, 'id' | 'send' | 'getZoomLevel' | 'setZoomLevel'>
{
  zoomLevel = 0;
  rtcPolicy = '';
  setWebRTCIPHandlingPolicy(policy: string): void {
    this.rtcPolicy = policy;
  }

  readonly id = ++lastId;
  readonly sent: { event: string; payload: unknown }[] = [];
  openHandler: ((details: never) => { action: string }) | null = null;

  send(channel: string, ...args: unknown[]): void {
    if (channel !== 'event') return;
    this.sent.push({ event: String(args[0]), payload: args[1] });
    this.emit('sent', ...args);
  }

  getZoomLevel(): number {
    return this.zoomLevel;
  }
  setZoomLevel(level: number): void {
    this.zoomLevel = level;
  }

  setWindowOpenHandler(handler: (details: never) => { action: 'deny' } | { action: 'allow' }): void {
    this.openHandler = handler;
  }
}

type WindowFace = Pick<
  BrowserWindow,
  | 'show'
  | 'hide'
  | 'focus'
  | 'close'
  | 'destroy'
  | 'isDestroyed'
  | 'isVisible'
  | 'isMinimized'
  | 'restore'
  | 'setAlwaysOnTop'
  | 'loadURL'
>;

export class FakeWindow extends EventEmitter implements WindowFace {
  readonly webContents = new FakeContents();
  visible = false;
  minimized = false;
  destroyed = false;
  focused = 0;
  url = '';

  show(): void {
    this.visible = true;
  }
  hide(): void {
    this.visible = false;
  }
  focus(): void {
    this.focused++;
  }
  restore(): void {
    this.minimized = false;
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.visible = false;
    this.emit('closed');
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  isVisible(): boolean {
    return this.visible;
  }
  isMinimized(): boolean {
    return this.minimized;
  }
  setAlwaysOnTop(): void {}
  loadURL(url: string): Promise<void> {
    this.url = url;
    return Promise.resolve();
  }

  /** What Electron does once the page is there. */
  finishLoading(): void {
    this.webContents.emit('did-finish-load');
    this.emit('ready-to-show');
  }
  /** What Electron does when a person presses the X. */
  pressClose(): void {
    this.close();
  }
  close(): void {
    let prevented = false;
    this.emit('close', { preventDefault: () => (prevented = true) });
    if (!prevented) this.destroy();
  }
  /** What Electron does with a key before the page gets it; true when the page does not. */
  pressKey(input: Partial<Input>): boolean {
    let prevented = false;
    const event = { preventDefault: () => (prevented = true) };
    this.webContents.emit('before-input-event', event, { type: 'keyDown', key: '', ...input });
    return prevented;
  }
  get asWindow(): BrowserWindow {
    return this as unknown as BrowserWindow;
  }
}

export class FakeTray
  extends EventEmitter
  implements Pick<Tray, 'setImage' | 'setToolTip' | 'popUpContextMenu' | 'setContextMenu' | 'isDestroyed'>
{
  image: string;
  tooltip = '';
  menu: FakeMenu | null = null;
  paints = 0;

  constructor(image: string) {
    super();
    this.image = image;
  }
  setImage(image: Parameters<Tray['setImage']>[0]): void {
    this.image = String(image);
    this.paints++;
  }
  setToolTip(tooltip: string): void {
    this.tooltip = tooltip;
    this.paints++;
  }
  popUpContextMenu(menu?: Menu): void {
    this.menu = (menu ?? null) as unknown as FakeMenu | null;
  }
  setContextMenu(menu: Menu | null): void {
    this.menu = menu as unknown as FakeMenu | null;
  }
  isDestroyed(): boolean {
    return false;
  }
  get asTray(): Tray {
    return this as unknown as Tray;
  }
}

export class FakeMenu {
  readonly template: MenuItemConstructorOptions[];
  constructor(template: MenuItemConstructorOptions[]) {
    this.template = template;
  }
  get asMenu(): Menu {
    return this as unknown as Menu;
  }
}

export class FakeTheme
  extends EventEmitter
  implements
    Pick<NativeTheme, 'shouldUseDarkColors' | 'shouldUseDarkColorsForSystemIntegratedUI' | 'inForcedColorsMode'>
{
  shouldUseDarkColors = false;
  shouldUseDarkColorsForSystemIntegratedUI = false;
  inForcedColorsMode = false;
  get asTheme(): NativeTheme {
    return this as unknown as NativeTheme;
  }
}

/** A person who chooses `path` in every Save dialog; null is Go back. */
export class FakeSaveDialog implements Pick<Dialog, 'showSaveDialog'> {
  readonly asked: SaveDialogOptions[] = [];
  path: string | null = null;
  showSaveDialog(window: BaseWindow, options: SaveDialogOptions): Promise<SaveDialogReturnValue>;
  showSaveDialog(options: SaveDialogOptions): Promise<SaveDialogReturnValue>;
  showSaveDialog(...args: [BaseWindow, SaveDialogOptions] | [SaveDialogOptions]): Promise<SaveDialogReturnValue> {
    this.asked.push(args.length === 2 ? args[1] : args[0]);
    return Promise.resolve({ canceled: this.path === null, filePath: this.path ?? '' });
  }
}

/** Answers each question with the next of `answers`; a question without an answer stays open until its signal ends it. */
export class FakeDialog implements Pick<Dialog, 'showMessageBox'> {
  readonly asked: MessageBoxOptions[] = [];
  readonly answers: string[];
  constructor(...answers: string[]) {
    this.answers = answers;
  }
  showMessageBox(window: BaseWindow, options: MessageBoxOptions): Promise<MessageBoxReturnValue>;
  showMessageBox(options: MessageBoxOptions): Promise<MessageBoxReturnValue>;
  showMessageBox(...args: [BaseWindow, MessageBoxOptions] | [MessageBoxOptions]): Promise<MessageBoxReturnValue> {
    const options = args.length === 2 ? args[1] : args[0];
    this.asked.push(options);
    const answer = this.answers.shift();
    if (answer !== undefined)
      return Promise.resolve({ response: (options.buttons ?? []).indexOf(answer), checkboxChecked: false });
    return new Promise((resolve) => {
      const cancelled = () => resolve({ response: options.cancelId ?? 0, checkboxChecked: false });
      if (options.signal?.aborted === true) cancelled();
      options.signal?.addEventListener('abort', cancelled);
    });
  }
  get last(): MessageBoxOptions {
    const last = this.asked.at(-1);
    if (last === undefined) throw new Error('nothing was asked');
    return last;
  }
}

export class FakeNotification extends EventEmitter implements Pick<Notification, 'show' | 'close'> {
  readonly options: NotificationConstructorOptions;
  shown = false;
  closed = false;
  constructor(options: NotificationConstructorOptions) {
    super();
    this.options = options;
  }
  show(): void {
    this.shown = true;
  }
  close(): void {
    this.closed = true;
  }
  press(text: string): void {
    const actionIndex = (this.options.actions ?? []).findIndex((action) => action.text === text);
    if (actionIndex < 0) throw new Error(`no button "${text}"`);
    this.emit('action', { actionIndex });
  }
  get asNotification(): Notification {
    return this as unknown as Notification;
  }
}
