/** The names that Windows ties to this application. Changing one of them loses pinned icons and toast history. */

/**
 * AppUserModelID. Must equal `appId` in electron-builder.yml: the installer writes that one into the Start-menu
 * shortcut, and Windows drops toasts whose id has no shortcut.
 */
export const appId = 'Unjam.Desktop';

/** Without a fixed id Electron makes a random one per run, and toasts in the Action Center outlive the run that can answer them. */
export const toastActivatorClsid = '{6C1B3B52-7C0E-4D7B-9E2F-2A3F5D0C9A41}';

/** Started by Windows at sign-in: nothing but the tray icon may appear. */
export const hiddenFlag = '--hidden';

/** `Unjam.exe --quit`: ends the tray of this session, as its Exit does but without a question. */
export const quitFlag = '--quit';
