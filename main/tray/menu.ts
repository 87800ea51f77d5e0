/** The tray's menu as data. Every item that names a verb only opens its dialog in the window. */
import type { MenuItemConstructorOptions } from 'electron';
import type { ScriptView, Snapshot } from '../../app/contract/methods.ts';
import { clockTime } from '../../app/domain/durations.ts';
import type { EngineState } from '../../app/host/engine.ts';
import type { OpenRequest } from '../../app/contract/window.ts';
import { count } from '../../app/domain/count.ts';
import { observedRow } from '../../app/domain/observed-row.ts';
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
  const troubled = state.engine.kind === 'online' ? troubledOf(state.engine.snapshot) : [];
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

type Troubled = ScriptView & {
  /** The agent's name, of a script that an agent runs by itself. */
  readonly agent?: string;
};

/** What a person is needed for, the worst first. Of observed scripts only what is stuck. */
export function troubledOf({ scripts, observed = [] }: Pick<Snapshot, 'scripts' | 'observed'>): readonly Troubled[] {
  return [
    ...scripts.filter((script) => script.stuck || script.orphan),
    ...observed.filter((one) => one.stuck).map((one): Troubled => ({ ...observedRow(one), agent: one.agent.name })),
  ].sort(
    (a, b) =>
      Number(isLeftBehind(b)) - Number(isLeftBehind(a)) || Number(b.stuck) - Number(a.stuck) || b.blocks - a.blocks,
  );
}

const isLeftBehind = ({ condition }: ScriptView): boolean => condition.key === 'left-behind';

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

function scriptItem(script: Troubled, act: MenuActions): MenuItemConstructorOptions {
  const open = (dialog: (OpenRequest & { view: 'script' })['dialog']) => () =>
    act.open({ view: 'script', ticket: script.ticket, dialog });
  const pid = script.pid === null ? '' : `, PID ${script.pid}`;
  const orphanOnly = script.orphan && !script.stuck;
  const name = script.agent === undefined ? script.name : `${script.name} (${script.agent})`;
  const label = orphanOnly
    ? `Abandoned: ${menuText(name)}${pid}`
    : isLeftBehind(script)
      ? `Left behind: ${menuText(name)}${pid}`
      : `${menuText(name)}${pid}, blocks ${script.blocks}`;
  const isSupervised = script.agent === undefined;
  return {
    id: script.ticket,
    label,
    submenu: [
      { label: 'Show', click: open(null) },
      ...(orphanOnly ? [] : [{ label: 'Cancel…', click: open('cancel') }]),
      { label: 'Force Kill…', click: open('kill') },
      ...(orphanOnly || !isSupervised ? [] : [{ label: 'Abandon…', click: open('abandon') }]),
      ...(isSupervised ? [{ label: 'Open log', click: open('log') }] : []),
    ],
  };
}

function summary(engine: EngineState): string {
  if (engine.kind === 'starting') return 'Starting';
  if (engine.kind === 'offline') return 'The host is not reachable. State is unknown';
  const living = engine.snapshot.scripts.filter((script) => script.state !== 'final');
  const stuck = living.filter((script) => script.stuck).length;
  const observed = (engine.snapshot.observed ?? []).filter((script) => script.stuck).length;
  const waiting = living.filter((script) => script.state === 'queued').length;
  const orphans = engine.snapshot.scripts.filter((script) => script.orphan && script.state === 'final').length;
  const parts = [
    ...(stuck + observed > 0 ? [`${stuck + observed} stuck`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(living.length - stuck - waiting > 0 ? [`${living.length - stuck - waiting} running`] : []),
    ...(orphans > 0 ? [count(orphans, 'orphan')] : []),
  ];
  return parts.length === 0 ? 'Nothing is running' : parts.join(', ');
}
