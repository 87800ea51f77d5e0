/** Ctrl+W, as everywhere: closes a window, which hides the console's. There is no menu that would have the key. */
import type { BrowserWindow } from 'electron';

export function closeByKey(window: BrowserWindow): void {
  window.webContents.on('before-input-event', (event, { type, key, control, meta, alt, shift }) => {
    if (type !== 'keyDown' || key.toLowerCase() !== 'w' || alt || shift || !(control || meta)) return;
    event.preventDefault();
    window.close();
  });
}
