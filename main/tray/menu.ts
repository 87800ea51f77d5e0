/** The tray's menu as data. Every item that names a verb only opens its dialog in the window. */
import type { MenuItemConstructorOptions } from 'electron';
import type { ScriptView } from '../../app/contract/methods.ts';
import { clockTime } from '../../app/domain/durations.ts';
import type { EngineState } from '../../app/host/engine.ts';
import type { OpenRequest } from '../../app/contract/window.ts';
import { count } from '../../app/domain/count.ts';
import { menuText } from '../../app/domain/visible.ts';

export interface MenuActions {
  readonly open: (request?: OpenRequest) => void;
  /** Pauses notifications until then, in ms since the epoch; null resumes them. */
  readonly pause: (until: number | null) => void;
  readonly copySummary: () => void;
  readonly exit: () => void;
  readonly setLogin: (on: boolean) => void;
}

export interface MenuState {
  readonly engine: EngineState;
  /** Milliseconds since the epoch; null = notifications are not paused. */
  readonly pausedUntil: number | null;
  readonly now: () => number;
  /** Null where the system has no such setting. */
  readonly startsAtLogin: boolean | null;
}

/** More would make the menu longer than a 720 px screen; the window has them all. */
const shownScripts = 8;

export function trayMenu(state: MenuState, act: MenuActions): MenuItemConstructorOptions[] {
  const scripts = state.engine.kind === 'online' ? state.engine.snapshot.scripts : [];
  const troubled = scripts
    .filter((script) => script.stuck || script.orphan)
    .sort((a, b) => Number(b.stuck) - Number(a.stuck) || b.blocks - a.blocks);
  return [
    { label: menuText(summary(state.engine), 80), enabled: false },
    { label: 'Open Unjam', click: () => act.open() },
    { type: 'separator' },
    ...troubled.slice(0, shownScripts).map((script) => scriptItem(script, act)),
    ...(troubled.length > shownScripts
      ? [{ label: `${troubled.length - shownScripts} more`, click: () => act.open({ view: 'scripts' }) }]
      : []),
    ...(troubled.length > 0 ? [{ type: 'separator' as const }] : []),
    pauseItem(state, act),
    { label: 'Settings', click: () => act.open({ view: 'settings' }) },
    { label: 'Copy incident summary', enabled: state.engine.kind === 'online', click: () => act.copySummary() },
    ...(state.startsAtLogin === null
      ? []
      : [
          {
            label: 'Start when I sign in',
            type: 'checkbox' as const,
            checked: state.startsAtLogin,
            click: () => act.setLogin(state.startsAtLogin !== true),
          },
        ]),
    { type: 'separator' },
    { label: 'Exit', click: () => act.exit() },
  ];
}

/** Notifications are paused until a time and in no other way. Its items read the same from minute to minute (tray.ts). */
function pauseItem({ pausedUntil, now }: MenuState, act: MenuActions): MenuItemConstructorOptions {
  if (pausedUntil !== null)
    return { label: `Resume notifications (paused until ${minuteTime(pausedUntil)})`, click: () => act.pause(null) };
  return {
    label: 'Pause notifications',
    submenu: [
      { label: 'For 1 hour', click: () => act.pause(now() + 3_600_000) },
      { label: 'Until 08:00', click: () => act.pause(nextMorning(now())) },
    ],
  };
}

const minuteTime = (ms: number): string => clockTime(ms).slice(0, 5);

/** 08:00 of the machine's own zone. */
function nextMorning(now: number): number {
  const eight = new Date(now);
  eight.setHours(8, 0, 0, 0);
  if (eight.getTime() <= now) eight.setDate(eight.getDate() + 1);
  return eight.getTime();
}

function scriptItem(script: ScriptView, act: MenuActions): MenuItemConstructorOptions {
  const open = (dialog: (OpenRequest & { view: 'script' })['dialog']) => () =>
    act.open({ view: 'script', ticket: script.ticket, dialog });
  const pid = script.pid === null ? '' : `, PID ${script.pid}`;
  const orphanOnly = script.orphan && !script.stuck;
  const label = orphanOnly
    ? `Abandoned: ${menuText(script.name)}${pid}`
    : `${menuText(script.name)}${pid}, blocks ${script.blocks}`;
  return {
    id: script.ticket,
    label,
    submenu: [
      { label: 'Show', click: open(null) },
      ...(orphanOnly ? [] : [{ label: 'Cancel…', click: open('cancel') }]),
      { label: 'Force Kill…', click: open('kill') },
      ...(orphanOnly ? [] : [{ label: 'Abandon…', click: open('abandon') }]),
      { label: 'Open log', click: open('log') },
    ],
  };
}

function summary(engine: EngineState): string {
  if (engine.kind === 'starting') return 'Starting';
  if (engine.kind === 'offline') return 'The host is not reachable. State is unknown';
  const living = engine.snapshot.scripts.filter((script) => script.state !== 'final');
  const stuck = living.filter((script) => script.stuck).length;
  const waiting = living.filter((script) => script.state === 'queued').length;
  const orphans = engine.snapshot.scripts.filter((script) => script.orphan && script.state === 'final').length;
  const parts = [
    ...(stuck > 0 ? [`${stuck} stuck`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(living.length - stuck - waiting > 0 ? [`${living.length - stuck - waiting} running`] : []),
    ...(orphans > 0 ? [count(orphans, 'orphan')] : []),
  ];
  return parts.length === 0 ? 'Nothing is running' : parts.join(', ');
}
