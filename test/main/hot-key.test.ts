/** The hot key is the one of the settings or none, and every word about it is what the system or the host has answered. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Reply } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { HostSettings } from '../../main/host-settings.ts';
import { HotKey, worstScript } from '../../main/hot-key.ts';
import { FakeGlobalShortcut } from './fakes.ts';
import { script, snapshot } from './fixtures.ts';

const caller = { user: 'kim', via: 'window', role: 'owner' } as const;
const managed: Reply = {
  ok: false,
  error: { code: 'not-possible', message: '"hotKey" cannot be changed here.', next: 'Ask the administrator.' },
};

let shortcut: FakeGlobalShortcut;
let settings: HostSettings;
let hotKey: HotKey;
let log: string[];
let opened: number;
/** What the host has kept; somebody else may change it as well. */
let kept: unknown;
/** The host's answer to a change, instead of keeping it. */
let refusal: Reply | null;
/** What the host waits for before it answers a change. */
let held: Promise<void>;
let now: number;

beforeEach(() => {
  shortcut = new FakeGlobalShortcut();
  log = [];
  opened = 0;
  kept = '';
  refusal = null;
  held = Promise.resolve();
  now = 0;
  settings = new HostSettings(
    async (method, input) => {
      if (method === 'settings.set') {
        await held;
        if (refusal !== null) return refusal;
        kept = (input as { values: { hotKey: string } }).values.hotKey;
      }
      return { ok: true, value: { values: { ...defaultSettings, hotKey: kept } } };
    },
    'kim',
    () => now,
  );
  hotKey = new HotKey({ globalShortcut: shortcut, settings, open: () => (opened += 1), log: (line) => log.push(line) });
});

/** As the shell does it for a snapshot. */
async function look(): Promise<void> {
  now += 5_000;
  await settings.look();
  await hotKey.follow();
}
const ask = (keys?: string) => hotKey.answer(keys === undefined ? {} : { keys }, caller);
const told = (keys: string, text: unknown = '') => ({ ok: true, value: { keys, text } });
const containing = (text: string): unknown => expect.stringContaining(text);

describe('a key that is set', () => {
  test('is taken, kept and opens the window', async () => {
    await look();
    expect(await ask('Ctrl+Alt+U')).toEqual(told('Ctrl+Alt+U'));
    expect([shortcut.keys, kept]).toEqual([['Ctrl+Alt+U'], 'Ctrl+Alt+U']);
    shortcut.press('Ctrl+Alt+U');
    shortcut.press('Ctrl+Alt+U');
    expect(opened).toBe(2);
    expect(await ask()).toEqual(told('Ctrl+Alt+U'));
  });

  test('is tried before the old one is given back', async () => {
    await ask('Ctrl+Alt+U');
    await ask('Shift+Win+F2');
    expect(shortcut.calls).toEqual(['register Ctrl+Alt+U', 'register Shift+Super+F2', 'unregister Ctrl+Alt+U']);
  });

  test('that another program has changes nothing, and the answer says so', async () => {
    await ask('Ctrl+Alt+U');
    shortcut.takenByOthers.add('Ctrl+Alt+K');
    expect(await ask('Ctrl+Alt+K')).toEqual(
      told(
        'Ctrl+Alt+U',
        'The system did not give the hot key Ctrl+Alt+K to Unjam; probably another program has it. Nothing was changed. Choose another combination.',
      ),
    );
    expect([shortcut.keys, kept, log]).toEqual([['Ctrl+Alt+U'], 'Ctrl+Alt+U', []]);
  });

  test('that the host does not keep is given back, and the host’s words are the answer', async () => {
    await ask('Ctrl+Alt+U');
    refusal = managed;
    expect(await ask('Ctrl+Alt+K')).toEqual(managed);
    expect(await ask('')).toEqual(managed);
    expect([shortcut.keys, kept]).toEqual([['Ctrl+Alt+U'], 'Ctrl+Alt+U']);
  });

  test('again is neither taken twice nor given back', async () => {
    await ask('Ctrl+Alt+U');
    expect(await ask('Ctrl+Alt+U')).toEqual(told('Ctrl+Alt+U'));
    refusal = managed;
    expect(await ask('Ctrl+Alt+U')).toEqual(managed);
    expect(shortcut.calls).toEqual(['register Ctrl+Alt+U']);
  });

  test('to nothing gives the key back', async () => {
    await ask('Ctrl+Alt+U');
    expect(await ask('')).toEqual(told(''));
    expect([shortcut.keys, kept]).toEqual([[], '']);
  });

  test.each(['U', 'Shift+U', 'Ctrl+U', 'Alt+Ctrl+U', 'ctrl+alt+u', 'Ctrl+Alt+Delete', 'Ctrl+Alt+U ', 'MediaPlayPause'])(
    'is refused when it cannot be one: %s',
    async (keys) => {
      expect(await ask(keys)).toMatchObject({ ok: false, error: { code: 'bad-input', field: 'keys' } });
      expect([shortcut.calls, kept]).toEqual([[], '']);
    },
  );

  test('while another is being set comes after it, and one key is left', async () => {
    let answer = (): void => undefined;
    held = new Promise((resolve) => (answer = resolve));
    const first = ask('Ctrl+Alt+U');
    await expect.poll(() => shortcut.keys).toEqual(['Ctrl+Alt+U']);
    held = Promise.resolve(); // the host would answer the others sooner
    const others = [ask('Ctrl+Alt+K'), look(), ask('Ctrl+Alt+L')];
    await new Promise((resolve) => setImmediate(resolve));
    expect(shortcut.keys).toEqual(['Ctrl+Alt+U']);
    answer();
    await Promise.all([first, ...others]);
    expect([shortcut.keys, kept, log]).toEqual([['Ctrl+Alt+L'], 'Ctrl+Alt+L', []]);
  });
});

describe('the key of the settings', () => {
  test('is taken at start', async () => {
    kept = 'Ctrl+Alt+U';
    await look();
    expect(shortcut.keys).toEqual(['Ctrl+Alt+U']);
    await look();
    expect(shortcut.calls).toEqual(['register Ctrl+Alt+U']);
  });

  test('is followed when it was changed elsewhere', async () => {
    await ask('Ctrl+Alt+U');
    kept = 'Ctrl+Alt+K';
    await look();
    expect(shortcut.calls).toEqual(['register Ctrl+Alt+U', 'unregister Ctrl+Alt+U', 'register Ctrl+Alt+K']);
    kept = 'Ctrl+Alt+L';
    expect(await ask()).toEqual(told('Ctrl+Alt+L'));
    kept = '';
    await look();
    expect(shortcut.keys).toEqual([]);
  });

  test('that another program has is said once in the log and whenever the page asks, until it is given', async () => {
    kept = 'Ctrl+Alt+U';
    shortcut.takenByOthers.add('Ctrl+Alt+U');
    await look();
    await look();
    expect(log).toEqual([
      'W393 The system did not give the hot key Ctrl+Alt+U to Unjam; probably another program has it. It is tried again.',
    ]);
    expect(await ask()).toEqual(told('Ctrl+Alt+U', containing('did not give the hot key Ctrl+Alt+U')));
    shortcut.takenByOthers.clear();
    await look();
    expect(await ask()).toEqual(told('Ctrl+Alt+U'));
    expect([shortcut.keys, log.length]).toEqual([['Ctrl+Alt+U'], 1]);
  });

  test.each([undefined, 'not a key', 7])('of a host that has none is none: %s', async (value) => {
    kept = value;
    await look();
    expect([await ask(), shortcut.calls]).toEqual([told(''), []]);
  });

  test('is not known before the host has answered', async () => {
    const silent = new HostSettings(
      async () => managed,
      'kim',
      () => 0,
    );
    const early = new HotKey({
      globalShortcut: shortcut,
      settings: silent,
      open: () => undefined,
      log: (line) => log.push(line),
    });
    expect(await early.answer({}, caller)).toEqual(told('', 'The host has not told its settings yet.'));
    expect([shortcut.calls, log]).toEqual([[], []]);
  });
});

test('nothing is taken any more after the end', async () => {
  await ask('Ctrl+Alt+U');
  hotKey.end();
  kept = 'Ctrl+Alt+K';
  await look();
  expect([shortcut.keys, shortcut.calls.at(-1)]).toEqual([[], 'unregister all']);
});

test('the worst script is what the host says to look at first, else the list is shown', () => {
  const list = { view: 'scripts' };
  expect([worstScript(null), worstScript(snapshot())]).toEqual([list, list]);
  expect(worstScript(snapshot([script()], undefined, { ticket: 'web-eu-4' }))).toEqual({
    view: 'script',
    ticket: 'web-eu-4',
    dialog: null,
  });
});
