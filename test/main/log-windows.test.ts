/** Logs in windows of their own: one per script, and closed is gone. */
import { beforeEach, expect, test } from 'vitest';
import { LogWindows } from '../../main/windows/log-windows.ts';
import { FakeWindow } from './fakes.ts';

let made: FakeWindow[];
let log: string[];
let windows: LogWindows;

beforeEach(() => {
  made = [];
  log = [];
  windows = new LogWindows({
    create: () => {
      const window = new FakeWindow();
      made.push(window);
      return window.asWindow;
    },
    greeting: () => ({ event: 'snapshot', payload: { sequence: 1 } }),
    log: (line) => log.push(line),
  });
});

const open = (ticket: string): FakeWindow => {
  windows.show(ticket);
  const window = made.at(-1);
  if (window === undefined) throw new Error('no window');
  window.finishLoading();
  return window;
};

test('each shows its log, once painted, and hears the state first', () => {
  expect(windows.show('Web EU/4')).toBe(true);
  expect([made[0]?.url, made[0]?.visible]).toEqual(['app://ui/index.html#log/Web%20EU%2F4', false]);
  made[0]?.finishLoading();
  expect(made[0]?.visible).toBe(true);
  expect(made[0]?.webContents.sent).toEqual([{ event: 'snapshot', payload: { sequence: 1 } }]);
});

test('a second request brings the first window to the front, whatever the case of the ticket', () => {
  const window = open('web-eu-4');
  window.minimized = true;
  const { focused } = window;
  expect(windows.show('WEB-EU-4')).toBe(true);
  expect([made.length, window.minimized, window.focused]).toEqual([1, false, focused + 1]);
});

test('closing one closes it, its page may not call any more, and the next request makes another', () => {
  const window = open('a');
  expect(windows.pages).toEqual([window.webContents.id]);
  window.pressClose();
  expect([window.destroyed, windows.pages]).toEqual([true, []]);
  open('a');
  expect(made).toHaveLength(2);
});

test('Ctrl+W closes it too', () => {
  const window = open('a');
  expect([window.pressKey({ key: 'w', control: true }), window.destroyed]).toEqual([true, true]);
});

test('snapshots reach those whose page has loaded', () => {
  const loaded = open('a');
  windows.show('b');
  windows.send('snapshot', { sequence: 2 });
  expect([loaded.webContents.sent.length, made[1]?.webContents.sent.length]).toEqual([2, 0]);
});

test('a page that asks for ever gets eight', () => {
  const answers = Array.from({ length: 50 }, (_, i) => windows.show(`t${i}`));
  expect([made.length, answers.filter(Boolean).length]).toEqual([8, 8]);
  expect(windows.show('t0')).toBe(true);
  made[0]?.destroy();
  expect(windows.show('t20')).toBe(true);
});

test('a page that crashes takes its window along and nothing else', () => {
  const [first, second] = [open('a'), open('b')];
  first.webContents.emit('render-process-gone', {}, { reason: 'crashed' });
  expect([first.destroyed, second.destroyed, log.length]).toEqual([true, false, 1]);
});
