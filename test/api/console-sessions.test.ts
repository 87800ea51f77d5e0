import { expect, test } from 'vitest';
import { ConsoleSessions, type Holder } from '../../app/api/console-sessions.ts';

const minute = 60_000;
const anybody: Holder = { account: null, user: 'kim', role: () => 'owner' };
const ofOne: Holder = { account: 'uid:1000', user: 'kim', role: () => 'viewer' };

function signedIn(account: string | null = 'uid:1000') {
  let now = 1_000_000;
  const sessions = new ConsoleSessions(() => now);
  const login = sessions.login(sessions.oneTimeToken(anybody, 10 * minute), account);
  if (login.kind !== 'in') throw new Error('not signed in');
  return { sessions, ...login, later: (ms: number) => (now += ms) };
}

test('a session is good for the account that signed in, with cookie and key', () => {
  const { sessions, cookie, key } = signedIn();
  expect(sessions.holder([cookie], key, 'uid:1000')).toBe(anybody);
  expect(sessions.holder(['x', cookie], key, 'uid:1000')).toBe(anybody);
  expect(sessions.holder([cookie], key, 'uid:1001')).toBeNull();
  expect(sessions.holder([cookie], key, null)).toBeNull();
  expect(sessions.holder([cookie], 'x', 'uid:1000')).toBeNull();
  expect(sessions.holder([], key, 'uid:1000')).toBeNull();
});

test('each log-in has a session of its own', () => {
  const { sessions, cookie, key } = signedIn();
  const other = sessions.login(sessions.oneTimeToken(anybody, 10 * minute), 'uid:1000');
  if (other.kind !== 'in') throw new Error('not signed in');
  expect(other.cookie).not.toBe(cookie);
  expect(sessions.holder([other.cookie], key, 'uid:1000')).toBeNull();
});

test('a session ends an hour after its page was last there, and twelve hours after the log-in', () => {
  const idle = signedIn();
  idle.later(60 * minute + 1);
  expect(idle.sessions.knows([idle.cookie], 'uid:1000')).toBe(false);
  const busy = signedIn();
  for (let i = 0; i < 23; i += 1) {
    busy.later(30 * minute);
    expect(busy.sessions.knows([busy.cookie], 'uid:1000')).toBe(true);
  }
  busy.later(31 * minute);
  expect(busy.sessions.knows([busy.cookie], 'uid:1000')).toBe(false);
});

test('a one-time address is good once, and for ten minutes', () => {
  const { sessions, later } = signedIn();
  const token = sessions.oneTimeToken(anybody, 10 * minute);
  later(10 * minute + 1);
  expect(sessions.login(token, 'uid:1000').kind).toBe('wrong');
});

test('wrong attempts are counted for each account alone', () => {
  const { sessions, later } = signedIn();
  for (let i = 0; i < 20; i += 1) expect(sessions.login('guess', 'uid:1001').kind).toBe('wrong');
  expect(sessions.login('guess', 'uid:1001').kind).toBe('too-many');
  expect(sessions.login(sessions.oneTimeToken(anybody, 10 * minute), 'uid:1000').kind).toBe('in');
  later(minute);
  expect(sessions.login('guess', 'uid:1001').kind).toBe('wrong');
});

test('an address of one account lets no other one in, nor one that the system does not name, and stays good for its own', () => {
  const { sessions } = signedIn();
  const token = sessions.oneTimeToken(ofOne, minute);
  for (const other of ['uid:1001', null])
    expect(sessions.login(token, other)).toEqual({ kind: 'of-another', user: 'kim' });
  const login = sessions.login(token, 'uid:1000');
  if (login.kind !== 'in') throw new Error('not signed in');
  expect(sessions.holder([login.cookie], login.key, 'uid:1000')).toBe(ofOne);
  expect(sessions.login(token, 'uid:1000').kind).toBe('wrong');
});

test('an address says whether it waits, without being used up', () => {
  const { sessions, later } = signedIn();
  const [used, late] = [sessions.oneTimeToken(ofOne, minute), sessions.oneTimeToken(ofOne, minute)];
  expect([used, late, 'guess'].map((token) => sessions.isWaiting(token))).toEqual([true, true, false]);
  expect(sessions.login(used, 'uid:1000').kind).toBe('in');
  expect(sessions.isWaiting(used)).toBe(false);
  later(minute + 1);
  expect(sessions.isWaiting(late)).toBe(false);
  expect(sessions.login(late, 'uid:1000').kind).toBe('wrong');
});

test('an account that asks for ever drops its own addresses and sessions, and nobody else’s', () => {
  const { sessions, cookie } = signedIn('uid:1001');
  const first = sessions.oneTimeToken(ofOne, minute);
  const waits = sessions.oneTimeToken({ ...ofOne, account: 'uid:1001' }, minute);
  for (let i = 0; i < 32; i += 1) sessions.login(sessions.oneTimeToken(ofOne, minute), 'uid:1000');
  expect(sessions.knows([cookie], 'uid:1001')).toBe(true);
  for (let i = 0; i < 32; i += 1) sessions.oneTimeToken(ofOne, minute);
  expect(sessions.isWaiting(first)).toBe(false);
  expect(sessions.isWaiting(waits)).toBe(true);
});
