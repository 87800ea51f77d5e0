/** The window comes when it is wanted, stays one, and costs nothing once it is forgotten. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConsoleWindow } from '../../main/windows/console-window.ts';
import { FakeWindow } from './fakes.ts';

let made: FakeWindow[];
let log: string[];
let console_: ConsoleWindow;
const last = () => made.at(-1) as FakeWindow;

beforeEach(() => {
  vi.useFakeTimers();
  made = [];
  log = [];
  console_ = new ConsoleWindow({
    create: () => {
      const window = new FakeWindow();
      made.push(window);
      return window.asWindow;
    },
    greeting: () => ({ event: 'snapshot', payload: { sequence: 1 } }),
    log: (line) => log.push(line),
  });
});
afterEach(() => vi.useRealTimers());

function shown(): FakeWindow {
  console_.show();
  last().finishLoading();
  return last();
}

describe('show', () => {
  test('makes the window, and shows it only when it is painted', () => {
    console_.show();
    expect([last().url, last().visible]).toEqual(['app://ui/index.html', false]);
    last().finishLoading();
    expect([last().visible, last().focused]).toEqual([true, 1]);
  });

  test('any number of times ends in one window: click, double-click, second start', () => {
    for (let i = 0; i < 5; i++) console_.show();
    last().finishLoading();
    for (let i = 0; i < 5; i++) console_.show();
    expect([made.length, last().visible]).toEqual([1, true]);
  });

  test('brings a minimised window back', () => {
    const window = shown();
    window.minimized = true;
    console_.show();
    expect(window.minimized).toBe(false);
  });
});

describe('close', () => {
  test('hides, and reopening within a minute is the same page', () => {
    const window = shown();
    window.pressClose();
    expect([window.visible, window.destroyed]).toEqual([false, false]);
    vi.advanceTimersByTime(59_000);
    console_.show();
    vi.advanceTimersByTime(120_000);
    expect([made.length, window.visible, window.destroyed]).toEqual([1, true, false]);
  });

  test('gives the memory back after a minute, and a later show makes a new window', () => {
    const window = shown();
    window.pressClose();
    vi.advanceTimersByTime(60_000);
    expect([window.destroyed, console_.contents]).toEqual([true, null]);
    console_.show();
    expect(made).toHaveLength(2);
  });

  test('Ctrl+W closes, and no other key does', () => {
    const window = shown();
    const ctrl = { control: true };
    for (const other of [
      { key: 'w' },
      { key: 'w', ...ctrl, alt: true },
      { key: 'W', ...ctrl, shift: true },
      { key: 'v', ...ctrl },
      { key: 'w', ...ctrl, type: 'keyUp' as const },
    ])
      // prettier-ignore
      expect([window.pressKey(other), window.visible]).toEqual([false, true]);
    expect([window.pressKey({ key: 'w', ...ctrl }), window.visible, window.destroyed]).toEqual([true, false, false]);
  });

  test('Ctrl+Plus, Ctrl+Minus and Ctrl+0 zoom within bounds, in the console and in the windows of logs', () => {
    const window = shown();
    const ctrl = { control: true };
    const after = (...keys: string[]) => {
      for (const key of keys) expect(window.pressKey({ key, ...ctrl })).toBe(true);
      return window.webContents.zoomLevel;
    };
    expect([after('+', '='), after('-'), after('0')]).toEqual([1, 0.5, 0]);
    expect([after(...Array(20).fill('-')), after(...Array(40).fill('+'))]).toEqual([-2, 4]);
  });

  test('really closes once the application is leaving', () => {
    const window = shown();
    console_.leave();
    window.pressClose();
    expect(window.destroyed).toBe(true);
  });
});

describe('the page', () => {
  test('hears the current snapshot and then what it was opened for, once it listens', () => {
    console_.show({ view: 'script', ticket: 'a', dialog: 'kill' });
    console_.send('snapshot', { sequence: 0 });
    expect(last().webContents.sent).toEqual([]);
    last().finishLoading();
    expect(last().webContents.sent).toEqual([
      { event: 'snapshot', payload: { sequence: 1 } },
      { event: 'open', payload: { view: 'script', ticket: 'a', dialog: 'kill' } },
    ]);
  });

  test('hears a request at once when it is there, and each only once', () => {
    const window = shown();
    console_.show({ view: 'settings' });
    console_.show();
    expect(window.webContents.sent.filter((message) => message.event === 'open')).toHaveLength(1);
  });

  test('that crashes is made again, but not in a loop', () => {
    const first = shown();
    first.webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    expect([made.length, first.destroyed]).toEqual([2, true]);
    last().finishLoading();
    last().webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(made).toHaveLength(2);
    expect(log[0]).toContain('crashed');
    console_.show();
    expect(made).toHaveLength(3);
  });
});
