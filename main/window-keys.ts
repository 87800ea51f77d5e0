/** The keys that a menu would have, and there is none: Ctrl+W closes a window; Ctrl+Plus, Ctrl+Minus and Ctrl+0 zoom. */
import type { BrowserWindow } from 'electron';

/** Levels of Chromium: each is a factor of 1.2, so these are 69 % and 207 %. */
const zoom = { min: -2, max: 4, step: 0.5 } as const;

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
