/** Toasts carry a person’s answer back to the window, and failing toasts harm nothing. */
import { beforeEach, expect, test, vi } from 'vitest';
import { Notifier } from '../../main/toasts/notifier.ts';
import type { OpenRequest } from '../../app/contract/window.ts';
import type { Wishes } from '../../main/toasts/rules.ts';
import { wishesOf } from '../../main/toasts/settings.ts';
import { FakeNotification } from './fakes.ts';
import { minutes, now, script, snapshot } from './fixtures.ts';

let toasts: FakeNotification[];
let opened: OpenRequest[];
let log: string[];
let clock: number;
let wishes: Wishes;

beforeEach(() => {
  toasts = [];
  opened = [];
  log = [];
  clock = now;
  wishes = wishesOf(null);
});

function notifier(
  supported = true,
  create = (options: ConstructorParameters<typeof FakeNotification>[0]) => new FakeNotification(options),
): Notifier {
  return new Notifier({
    supported: () => supported,
    create: (options) => {
      const toast = create(options);
      toasts.push(toast);
      return toast.asNotification;
    },
    open: (request) => opened.push(request),
    wishes: () => wishes,
    now: () => clock,
    log: (line) => log.push(line),
  });
}

test('Show opens the script, Cancel… opens its dialog, a click opens the script', () => {
  notifier().see(snapshot([script()]));
  expect(toasts[0]?.shown).toBe(true);
  toasts[0]?.press('Show');
  toasts[0]?.press('Cancel…');
  toasts[0]?.emit('click');
  const show = { view: 'script', ticket: 'web-eu-4', dialog: null };
  expect(opened).toEqual([show, { ...show, dialog: 'cancel' }, show]);
});

test('a toast that is no longer true is taken back', () => {
  const one = notifier();
  one.see(snapshot([script()]));
  one.see(snapshot([script({ stuck: false })]));
  expect([toasts.length, toasts[0]?.closed]).toEqual([1, true]);
});

test('a toast of an earlier run can still show the window', () => {
  const one = notifier();
  one.activated({ type: 'action' });
  one.activated({ type: 'click' });
  expect(opened).toEqual([{ view: 'scripts' }, { view: 'scripts' }]);
});

test('a button of a living toast is answered once, by the toast itself', () => {
  const one = notifier();
  one.see(snapshot([script()]));
  toasts[0]?.press('Show');
  one.activated({ type: 'action' });
  expect(opened).toEqual([{ view: 'script', ticket: 'web-eu-4', dialog: null }]);
});

test('where toasts are not supported, or forbidden, the host goes on and says so once', () => {
  notifier(false).see(snapshot([script()]));
  expect(toasts).toEqual([]);

  const failing = notifier(true, () => {
    throw new Error('Settings prevent the notification from being delivered');
  });
  failing.see(snapshot([script({ ticket: 'a', mutex: 'A' }), script({ ticket: 'b', mutex: 'B' })]));
  expect(log).toEqual([
    'Notifications do not work here: Error: Settings prevent the notification from being delivered',
  ]);
});

test('a test is shown as the others are, and takes nothing from their budget', async () => {
  const one = notifier();
  for (let n = 0; n < 7; n += 1) {
    const answer = one.test();
    toasts.at(-1)?.emit('show');
    expect(await answer).toEqual({ shown: true, text: 'The system has shown it.' });
  }
  toasts[0]?.press('Show');
  expect(opened).toEqual([{ view: 'scripts' }]);
  one.see(snapshot([script()]));
  expect(toasts.at(-1)?.options.title).toContain('Stuck script blocks');
});

test('a test says why nothing is to be seen of it', async () => {
  const unsupported = await notifier(false).test();
  expect([unsupported.shown, unsupported.text]).toEqual([
    false,
    'This system shows no notifications from Unjam. The tray icon and the window still work.',
  ]);
  const failing = notifier(true, () => {
    throw new Error('no bus');
  });
  expect(await failing.test()).toEqual({ shown: false, text: 'The system refused it: Error: no bus.' });

  const refused = notifier().test();
  toasts.at(-1)?.emit('failed', {}, 'Notifications are off for this application');
  expect((await refused).text).toContain('refused it: Notifications are off');

  toasts.length = 0;
  const held = notifier();
  held.resumed();
  expect((await held.test()).text).toContain('woke up');
  held.pause(now + minutes(60));
  expect([(await held.test()).text, held.pausedUntil]).toEqual([expect.stringContaining('paused'), now + minutes(60)]);
  expect(toasts).toEqual([]);
});

test('a test that the system says nothing about is not called shown', async () => {
  vi.useFakeTimers();
  try {
    const answer = notifier().test();
    await vi.advanceTimersByTimeAsync(3_000);
    const { shown, text } = await answer;
    expect(shown).toBe(false);
    expect(text).toContain('has not confirmed');
  } finally {
    vi.useRealTimers();
  }
});
