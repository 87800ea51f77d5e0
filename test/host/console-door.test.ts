import { expect, test } from 'vitest';
import type { ConsoleServer } from '../../app/api/console-server.ts';
import type { Holder } from '../../app/api/console-sessions.ts';
import type { Caller } from '../../app/contract/dispatcher.ts';
import type { Role } from '../../app/domain/access.ts';
import { ConsoleDoor } from '../../app/host/console-door.ts';

const kim: Caller = { user: 'kim', via: 'cli', role: 'viewer', ids: ['uid:1000', 'gid:60'] };

function world() {
  const [holders, rechecks]: [Holder[], number[]] = [[], []];
  let role: Role | null = 'viewer';
  const server: ConsoleServer = {
    port: 24_711,
    oneTimeUrl: () => 'for whoever comes first',
    urlFor: (holder, forMs) => `http://127.0.0.1:24711/login?t=${holders.push(holder)}-${forMs}`,
    recheck: () => void rechecks.push(1),
    close: () => Promise.resolve(),
  };
  const door = new ConsoleDoor({
    server: () => Promise.resolve(server),
    roleOf: ({ ids }) => (ids.includes('gid:60') ? role : null),
    now: () => 0,
  });
  return { door, holders, rechecks, become: (next: Role | null) => (role = next) };
}

test('an address is for a minute, for the account of the caller, with the role that it has at each request', async () => {
  const { door, holders, become } = world();
  expect(await door.open(kim)).toEqual({
    url: 'http://127.0.0.1:24711/login?t=1-60000',
    port: 24_711,
    expiresAt: '1970-01-01T00:01:00.000Z',
    role: 'viewer',
  });
  const [holder] = holders;
  expect(holder).toMatchObject({ account: 'uid:1000', user: 'kim' });
  expect(holder?.role()).toBe('viewer');
  become('operator');
  expect(holder?.role()).toBe('operator');
  become(null);
  expect(holder?.role()).toBeNull();
});

test('a process that is no longer the host knows nobody’s role: its console may follow another host with its own rights', async () => {
  const { door, holders, rechecks } = world();
  await door.open(kim);
  door.close();
  expect(holders[0]?.role()).toBeNull();
  expect(rechecks).toHaveLength(1);
});

test.each([
  ['a browser', { ...kim, via: 'browser' }, 'A console makes no address'],
  ['a window', { ...kim, via: 'window' }, 'A console makes no address'],
  ['a caller that the system does not name', { user: 'kim', via: 'cli', role: 'owner' }, 'does not tell who calls'],
] as const)('%s gets none', async (_who, caller, why) => {
  const { door, holders } = world();
  await expect(door.open(caller)).rejects.toThrow(why);
  expect(holders).toEqual([]);
});

test('the desktop application gives none', async () => {
  const door = new ConsoleDoor({ server: undefined, roleOf: () => 'owner', now: () => 0 });
  await expect(door.open(kim)).rejects.toThrow('its window is the console');
});
