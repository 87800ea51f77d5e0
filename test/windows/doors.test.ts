/** Whom a client on Windows believes, and to whom it gives a script: decided over plain data. No Wine needed. */
import { describe, expect, test } from 'vitest';
import { refuseLesserHost } from '../../app/access/lesser-host.ts';
import type { Peer } from '../../app/processes/peer.ts';
import { serverFrom } from '../../app/processes/windows/server-owner.ts';

const administrators = ['S-1-5-18', 'S-1-5-32-544'];
const kim = 'S-1-5-21-1-2-3-1001';
const lee = 'S-1-5-21-1-2-3-1002';
const peer = (user: string, ...ids: string[]): Peer => ({ user, ids, pid: 7 });
const account = (sid: string): { sid: string; user: string } => ({ sid, user: `name of ${sid}` });

describe('who serves a pipe', () => {
  test('is its process, when the pipe belongs to that account or to one of its groups', () => {
    const elevated = peer('CORP\\kim', kim, 'S-1-5-32-544');
    expect(serverFrom(account(kim), elevated)).toBe(elevated);
    expect(serverFrom(account('S-1-5-32-544'), elevated)).toBe(elevated);
    expect(serverFrom(null, elevated)).toBe(elevated);
  });

  test('is who made the pipe, where the caller may not look into the process: a name that was taken first is found out', () => {
    expect(serverFrom(account(lee), null)).toEqual({ user: `name of ${lee}`, ids: [lee], pid: null });
    expect(serverFrom(account('S-1-5-32-544'), null).ids).toEqual(['S-1-5-32-544']);
  });

  test('is nobody that is believed, when the two differ or nothing is told', () => {
    expect(serverFrom(account('S-1-5-18'), peer('CORP\\lee', lee))).toEqual({
      user: 'CORP\\lee, at a pipe of name of S-1-5-18',
      ids: [],
      pid: 7,
    });
    expect(serverFrom(null, null).ids).toEqual([]);
  });
});

describe('a script is given', () => {
  const refusal = (caller: Peer | null, server: Peer | null): string => {
    try {
      refuseLesserHost(caller, server, administrators);
      return 'given';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const plain = peer('CORP\\kim', kim);
  const elevated = peer('CORP\\kim', kim, 'S-1-5-32-544');
  const system = peer('NT AUTHORITY\\SYSTEM', 'S-1-5-18', 'S-1-5-32-544');

  test('to a host of the same account and rights, and to an administrator’s', () => {
    for (const [caller, server] of [
      [plain, plain],
      [plain, elevated],
      [plain, system],
      [elevated, elevated],
      [elevated, system],
      [system, system],
    ] as const)
      expect(refusal(caller, server)).toBe('given');
  });

  test('by nobody to another ordinary user’s host', () => {
    for (const caller of [plain, elevated, system])
      expect(refusal(caller, peer('CORP\\lee', lee))).toContain('the script would run as CORP\\lee');
  });

  test('by an elevated administrator not to the host that the same person runs without administrator rights', () => {
    expect(refusal(elevated, plain)).toBe(
      'The host of this state directory runs as CORP\\kim without administrator rights, and you have them: the script would run without.',
    );
  });
});
