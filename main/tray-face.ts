/** What the tray icon shows for a state of the engine. Pure. */
import { join } from 'node:path';
import type { Overview } from '../app/contract/methods.ts';
import { clockTime } from '../app/domain/durations.ts';
import type { EngineState } from '../app/host/engine.ts';

export type TrayShape = Overview['tray'];

export interface TrayFace {
  readonly shape: TrayShape;
  readonly tooltip: string;
}

/** Windows cuts at 127 characters (`szTip` has room for 128 with its end mark). */
const tooltipMax = 127;

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
      return { shape: state.snapshot.overview.tray, tooltip: state.snapshot.overview.tooltip.slice(0, tooltipMax) };
  }
}

/**
 * `onDark` is the taskbar's colour, not the applications': Windows lets a person choose them apart.
 * Windows takes the .ico and picks the size for the screen's scale itself; elsewhere the .png with its @2x sibling.
 */
export function trayIconFile(folder: string, shape: TrayShape, onDark: boolean, platform: NodeJS.Platform): string {
  return join(folder, `${shape}-${onDark ? 'dark' : 'light'}.${platform === 'win32' ? 'ico' : 'png'}`);
}
