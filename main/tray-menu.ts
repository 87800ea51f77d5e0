/** The tray's menu as data. Every item that names a verb only opens its dialog in the window. */
import type { MenuItemConstructorOptions } from 'electron';
import type { ScriptView } from '../app/contract/methods.ts';
import type { EngineState } from '../app/engine.ts';
import type { Pause } from './notification-rules.ts';
import type { OpenRequest } from './open-request.ts';
import { count, menuText } from './plain-text.ts';

export interface MenuActions {
  readonly open: (request?: OpenRequest) => void;
  readonly pause: (pause: Pause) => void;
  readonly copySummary: () => void;
  readonly exit: () => void;
  readonly setLogin: (on: boolean) => void;
}

export interface MenuState {
  readonly engine: EngineState;
  readonly paused: boolean;
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
    state.paused
      ? { label: 'Resume notifications', click: () => act.pause({ kind: 'none' }) }
      : {
          label: 'Pause notifications',
          submenu: [
            { label: 'For 1 hour', click: () => act.pause({ kind: 'for', ms: 3_600_000 }) },
            { label: 'Until 08:00', click: () => act.pause({ kind: 'until-morning' }) },
            { label: 'Until something new is stuck', click: () => act.pause({ kind: 'until-new' }) },
          ],
        },
    { label: 'Run script…', click: () => act.open({ view: 'run' }) },
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
  if (engine.kind === 'offline') return 'Engine not reachable. State is unknown';
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
