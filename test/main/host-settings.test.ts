/** The shell reads the settings now and then, not at each snapshot, and keeps what it read last. */
import { beforeEach, expect, test } from 'vitest';
import type { Reply, Settings } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { HostSettings } from '../../main/toasts/settings.ts';

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
  asked[0]?.answer(told({ theme: 'dark' }));
  await first;
  await settings.look();
  expect([asked.length, settings.current?.theme]).toEqual([1, 'dark']);
  when = 5_000;
  const second = settings.look();
  asked[1]?.answer(unreachable);
  await second;
  expect(settings.current?.theme).toBe('dark');
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
