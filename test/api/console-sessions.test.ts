import { expect, test } from 'vitest';
import { ConsoleSessions } from '../../app/api/console-sessions.ts';

const minute = 60_000;

function signedIn(account: string | null = 'uid:1000') {
  let now = 1_000_000;
  const sessions = new ConsoleSessions(() => now);
  const login = sessions.login(sessions.oneTimeToken(), account);
  if (login.kind !== 'in') throw new Error('not signed in');
  return { sessions, ...login, later: (ms: number) => (now += ms) };
}

test('a session is good for the account that signed in, with cookie and key', () => {
  const { sessions, cookie, key } = signedIn();
  expect(sessions.isIn([cookie], key, 'uid:1000')).toBe(true);
  expect(sessions.isIn(['x', cookie], key, 'uid:1000')).toBe(true);
  expect(sessions.isIn([cookie], key, 'uid:1001')).toBe(false);
  expect(sessions.isIn([cookie], key, null)).toBe(false);
  expect(sessions.isIn([cookie], 'x', 'uid:1000')).toBe(false);
  expect(sessions.isIn([], key, 'uid:1000')).toBe(false);
});

test('each log-in has a session of its own', () => {
  const { sessions, cookie, key } = signedIn();
  const other = sessions.login(sessions.oneTimeToken(), 'uid:1000');
  if (other.kind !== 'in') throw new Error('not signed in');
  expect(other.cookie).not.toBe(cookie);
  expect(sessions.isIn([other.cookie], key, 'uid:1000')).toBe(false);
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
  const token = sessions.oneTimeToken();
  later(10 * minute + 1);
  expect(sessions.login(token, 'uid:1000').kind).toBe('wrong');
});

test('wrong attempts are counted for each account alone', () => {
  const { sessions, later } = signedIn();
  for (let i = 0; i < 20; i += 1) expect(sessions.login('guess', 'uid:1001').kind).toBe('wrong');
  expect(sessions.login('guess', 'uid:1001').kind).toBe('too-many');
  expect(sessions.login(sessions.oneTimeToken(), 'uid:1000').kind).toBe('in');
  later(minute);
  expect(sessions.login('guess', 'uid:1001').kind).toBe('wrong');
});
