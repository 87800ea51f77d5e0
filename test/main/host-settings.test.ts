/** The shell’s one reader of the settings: not at each snapshot, and never back to what a change has replaced. */
import { beforeEach, expect, test } from 'vitest';
import type { Reply, Settings } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { HostSettings } from '../../main/host-settings.ts';

const caller = { user: 'kim', via: 'window', role: 'owner' } as const;
const unreachable: Reply = { ok: false, error: { code: 'host-unreachable', message: '', next: '' } };
const told = (values: Partial<Settings>): Reply => ({
  ok: true,
  value: { values: { ...defaultSettings, ...values } },
});

let asked: { method: string; answer: (reply: Reply) => void }[];
let when: number;
let settings: HostSettings;

beforeEach(() => {
  asked = [];
  when = 0;
  settings = new HostSettings(
    (method) => new Promise((answer) => asked.push({ method, answer })),
    'kim',
    () => when,
  );
});

test('what was read last holds, and is asked for again only after some seconds or at once for who wants it', async () => {
  expect(settings.current).toBeNull();
  const first = settings.look();
  asked[0]?.answer(told({ hotKey: 'Ctrl+F2' }));
  await first;
  await settings.look();
  expect([asked.length, settings.current?.hotKey]).toEqual([1, 'Ctrl+F2']);
  when = 5_000;
  const second = settings.look();
  asked[1]?.answer(unreachable);
  await second;
  expect(settings.current?.hotKey).toBe('Ctrl+F2');
  void settings.lookNow();
  expect(asked).toHaveLength(3);
});

test('a host that throws is one that does not answer', async () => {
  const broken = new HostSettings(
    () => Promise.reject(new Error('gone')),
    'kim',
    () => 0,
  );
  await broken.look();
  expect(broken.current).toBeNull();
});

test('what was changed is known at once, and an older answer that comes later does not undo it', async () => {
  const look = settings.look();
  const change = settings.change({ hotKey: 'Ctrl+Alt+U' }, caller);
  asked[1]?.answer(told({ hotKey: 'Ctrl+Alt+U' }));
  expect(await change).toMatchObject({ ok: true });
  asked[0]?.answer(told({ hotKey: '' }));
  await look;
  expect([asked.map(({ method }) => method), settings.current?.hotKey]).toEqual([
    ['settings.get', 'settings.set'],
    'Ctrl+Alt+U',
  ]);
});

test('a change that the host refuses changes nothing, and its words are handed on', async () => {
  const change = settings.change({ hotKey: 'Ctrl+Alt+U' }, caller);
  asked[0]?.answer(unreachable);
  expect(await change).toEqual(unreachable);
  expect(settings.current).toBeNull();
});
