/** The icon tells the state by shape, its tooltip in words, and both clicks open the window. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MenuItemConstructorOptions } from 'electron';
import { beforeEach, describe, expect, test } from 'vitest';
import { desktop } from '../../app/processes/desktop.ts';
import type { EngineState } from '../../app/host/engine.ts';
import type { OpenRequest } from '../../app/contract/window.ts';
import { trayFace, trayIconFile, type TrayShape, TrayIcon } from '../../main/tray/tray.ts';
import { trayMenu } from '../../main/tray/menu.ts';
import { FakeMenu, FakeTheme, FakeTray } from './fakes.ts';
import { observed, script, snapshot } from './fixtures.ts';

const online = (...args: Parameters<typeof snapshot>): EngineState => ({
  kind: 'online',
  role: 'host',
  snapshot: snapshot(...args),
});
const offline: EngineState = {
  kind: 'offline',
  since: new Date(2026, 10, 20, 3, 19).getTime(),
  why: 'lost',
  last: null,
};
const threeInTheMorning = new Date(2026, 10, 20, 3).getTime();
const shapes: TrayShape[] = ['idle', 'running', 'waiting', 'stuck', 'orphan', 'offline'];

describe('the icon', () => {
  let trays: FakeTray[];
  let opened: number;
  let theme: FakeTheme;
  let builds: number;
  let words: string;
  beforeEach(() => {
    words = 'Open Unjam';
    trays = [];
    opened = 0;
    builds = 0;
    theme = new FakeTheme();
  });

  function icon(platform: NodeJS.Platform = 'win32', create = (image: string) => new FakeTray(image)): TrayIcon {
    return new TrayIcon(
      {
        create: (image) => {
          const tray = create(image);
          trays.push(tray);
          return tray.asTray;
        },
        theme: theme.asTheme,
        iconFolder: 'tray',
        desktop: desktop(platform),
        open: () => opened++,
        menu: () => {
          builds++;
          return [{ label: words }];
        },
        buildMenu: (template) => new FakeMenu(template).asMenu,
        log: () => undefined,
      },
      trayFace(offline),
    );
  }

  test('shows the window on click and on double-click, and nothing ever hides it', () => {
    icon();
    trays[0]?.emit('click');
    trays[0]?.emit('click');
    trays[0]?.emit('double-click');
    expect(opened).toBe(3);
  });

  test('follows the state, and paints only what changed', () => {
    const tray = icon();
    tray.update(trayFace(online([script()])));
    expect([trays[0]?.image, trays[0]?.tooltip]).toEqual([
      join('tray', 'stuck-light.ico'),
      snapshot().overview.tooltip,
    ]);
    const paints = trays[0]?.paints;
    for (let i = 0; i < 100; i++) tray.update(trayFace(online([script()])));
    expect(trays[0]?.paints).toBe(paints);
    expect(trays).toHaveLength(1);
  });

  test('follows the colour of the taskbar, not of the applications', () => {
    icon();
    theme.shouldUseDarkColors = true;
    theme.emit('updated');
    expect(trays[0]?.image).toBe(join('tray', 'offline-light.ico'));
    theme.shouldUseDarkColorsForSystemIntegratedUI = true;
    theme.emit('updated');
    expect(trays[0]?.image).toBe(join('tray', 'offline-dark.ico'));
  });

  test('builds its menu when it is opened', () => {
    const tray = icon();
    tray.update(trayFace(online()));
    expect(builds).toBe(0);
    trays[0]?.emit('right-click');
    expect([builds, trays[0]?.menu?.template[0]?.label]).toEqual([1, 'Open Unjam']);
  });

  test('has its menu ready on Linux, where the desktop opens it', () => {
    icon('linux');
    expect(trays[0]?.menu?.template[0]?.label).toBe('Open Unjam');
  });

  test('replaces it on Linux only when it reads differently: it may be open', () => {
    const tray = icon('linux');
    const first = trays[0]?.menu;
    tray.update(trayFace(online([], [], { tooltip: 'Unjam: 1 STUCK for 48 min' })));
    expect(trays[0]?.menu).toBe(first);
    words = '1 stuck';
    tray.update(trayFace(online([], [], { tooltip: 'Unjam: 1 STUCK for 48 min' })));
    expect(trays[0]?.menu?.template[0]?.label).toBe('1 stuck');
  });

  test('may be missing: the caller learns it and nothing throws', () => {
    const tray = icon('linux', () => {
      throw new Error('no notification area');
    });
    tray.update(trayFace(online()));
    expect(tray.exists).toBe(false);
  });
});

test('every shape has its file for light and dark taskbars', () => {
  const folder = join(import.meta.dirname, '..', '..', 'assets', 'tray');
  for (const shape of shapes)
    for (const dark of [false, true])
      for (const platform of ['win32', 'linux'] as const) {
        const file = trayIconFile(folder, shape, dark, desktop(platform));
        expect([file, existsSync(file)]).toEqual([file, true]);
      }
});

test('the tooltip repeats the overview and fits Windows’ 127 characters', () => {
  expect(trayFace(online([script()])).tooltip).toBe(snapshot().overview.tooltip);
  expect(trayFace(offline)).toEqual({
    shape: 'offline',
    tooltip: 'Unjam: HOST NOT REACHABLE since 03:19. State is unknown. Double-click to open',
  });
  expect(trayFace({ kind: 'starting' }).tooltip.length).toBeLessThanOrEqual(127);
});

describe('the menu', () => {
  let opened: (OpenRequest | undefined)[];
  let pauses: (number | null)[];
  beforeEach(() => {
    opened = [];
    pauses = [];
  });
  const menu = (engine: EngineState, startsAtLogin: boolean | null = null, pausedUntil: number | null = null) =>
    trayMenu(
      { engine, pausedUntil, startsAtLogin, now: () => threeInTheMorning },
      {
        open: (request) => opened.push(request),
        pause: (until) => pauses.push(until),
        copySummary: () => undefined,
        exit: () => undefined,
        setLogin: () => undefined,
      },
    );
  const press = (items: MenuItemConstructorOptions[], ...labels: string[]) => {
    const [label, ...rest] = labels;
    const item = items.find((one) => one.label === label);
    if (item === undefined) throw new Error(`no "${label}" in ${items.map((one) => one.label).join(' | ')}`);
    if (rest.length > 0) press(item.submenu as MenuItemConstructorOptions[], ...rest);
    else item.click?.(undefined as never, undefined, undefined as never);
  };

  test('counts in its first line and opens the window with its second', () => {
    const items = menu(
      online([
        script(),
        script({ ticket: 'b', state: 'queued', stuck: false, holdsMutex: false }),
        script({ ticket: 'c', stuck: false, blocks: 0, mutex: null }),
      ]),
    );
    expect(items[0]).toMatchObject({ label: '1 stuck, 1 waiting, 1 running', enabled: false });
    press(items, 'Open Unjam');
    expect(opened).toEqual([undefined]);
  });

  test('every verb only opens its dialog', () => {
    const items = menu(online([script()]));
    for (const [label, dialog] of [
      ['Show', null],
      ['Cancel…', 'cancel'],
      ['Force Kill…', 'kill'],
      ['Abandon…', 'abandon'],
      ['Open log', 'log'],
    ] as const) {
      press(items, 'Deploy web-eu / step 4, PID 7312, blocks 3', label);
      expect(opened.at(-1)).toEqual({ view: 'script', ticket: 'web-eu-4', dialog });
    }
  });

  test('an orphan can be force killed, and nothing else is offered', () => {
    const items = menu(
      online([script({ state: 'final', verdict: 'abandoned', stuck: false, orphan: true, blocks: 0 })]),
    );
    const orphan = items.find((item) => item.label === 'Abandoned: Deploy web-eu / step 4, PID 7312');
    expect((orphan!.submenu as MenuItemConstructorOptions[]).map((item) => item.label)).toEqual([
      'Show',
      'Force Kill…',
      'Open log',
    ]);
  });

  test('names what an agent has left behind before everything else, and offers what can be done to it', () => {
    const state = online([script()]);
    if (state.kind === 'online') state.snapshot.observed = [observed(), observed({ id: 'o-1-1', stuck: false })];
    const items = menu(state);
    expect(items[0]?.label).toBe('2 stuck');
    const [left, own] = items.filter((item) => item.submenu !== undefined);
    expect(left?.label).toBe('Left behind: octo/shop / deploy (GitHub Actions runner), PID 4242');
    expect((left!.submenu as MenuItemConstructorOptions[]).map((item) => item.label)).toEqual([
      'Show',
      'Cancel…',
      'Force Kill…',
    ]);
    expect(own?.label).toContain('Deploy web-eu');
    press(items, left!.label!, 'Force Kill…');
    expect(opened).toEqual([{ view: 'script', ticket: 'o-4242-77', dialog: 'kill' }]);
  });

  test('stays short on the worst day', () => {
    const many = Array.from({ length: 200 }, (_, i) => script({ ticket: `t${i}`, name: `Step ${i}`, blocks: i }));
    const items = menu(online(many));
    expect(items.length).toBeLessThan(24);
    expect(items.find((item) => item.label?.startsWith('Step '))?.label).toContain('Step 199');
    press(items, '192 more');
    expect(opened).toEqual([{ view: 'scripts' }]);
  });

  test('a name cannot make an access key or a second line', () => {
    const items = menu(online([script({ name: 'R&D\nExit' })]));
    expect(items.some((item) => item.label?.startsWith('R&&D Exit, PID 7312'))).toBe(true);
  });

  test('pauses notifications until a time, says until when, and resumes them', () => {
    press(menu(online()), 'Pause notifications', 'For 1 hour');
    press(menu(online()), 'Pause notifications', 'Until 08:00');
    const eight = new Date(2026, 10, 20, 8).getTime();
    press(menu(online(), null, eight), 'Resume notifications (paused until 08:00)');
    expect(pauses).toEqual([threeInTheMorning + 3_600_000, eight, null]);
  });

  test('offers to start at sign-in where the system can', () => {
    expect(menu(online()).some((item) => item.label === 'Start when I sign in')).toBe(false);
    expect(menu(online(), true).find((item) => item.label === 'Start when I sign in')).toMatchObject({
      type: 'checkbox',
      checked: true,
    });
  });

  test('works while the engine is away', () => {
    expect(menu(offline)[0]?.label).toBe('The host is not reachable. State is unknown');
    expect(menu({ kind: 'starting' }).at(-1)?.label).toBe('Exit');
  });
});
