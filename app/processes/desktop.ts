/** What a desktop shell can count on, on each platform. */
export interface Desktop {
  /** Windows picks the size for the screen's scale out of the .ico; elsewhere the .png has its @2x sibling. */
  readonly trayIcon: '.ico' | '.png';
  /** App indicators open the menu themselves and tell nobody: it must be ready before. */
  readonly opensTrayMenuItself: boolean;
  /** Toasts outlive the program that showed them, and start it again when they are clicked. */
  readonly keepsToasts: boolean;
  /** A program can be put down for the start at sign-in. */
  readonly startsAtSignIn: boolean;
}

export function desktop(platform: NodeJS.Platform = process.platform): Desktop {
  const isWindows = platform === 'win32';
  return {
    trayIcon: isWindows ? '.ico' : '.png',
    opensTrayMenuItself: platform === 'linux',
    keepsToasts: isWindows,
    startsAtSignIn: isWindows,
  };
}
