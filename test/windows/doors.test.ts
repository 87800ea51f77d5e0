/** Whom a client on Windows believes, and to whom it gives a script: decided over plain data. No Wine needed. */
import { describe, expect, test } from 'vitest';
import { noAnswer } from '../../app/api/http-client.ts';
import { UnjamError } from '../../app/contract/errors.ts';
import { refuseLesserHost } from '../../app/access/lesser-host.ts';
import type { Peer } from '../../app/processes/peer.ts';
import { windowsStateDirectory } from '../../app/processes/places.ts';
import { stateProblem } from '../../app/processes/windows/owner-only.ts';
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

describe('no answer', () => {
  const codeOf = (code: string): string => noAnswer('\\\\.\\pipe\\x', Object.assign(new Error(code), { code })).code;

  test('of a living host that refuses the caller is not that of an absent one: no other is started in its place', () => {
    for (const code of ['EPERM', 'EACCES']) expect(codeOf(code)).toBe('unauthorized');
    for (const code of ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']) expect(codeOf(code)).toBe('host-unreachable');
  });

  test('names the host and what to ask for', () => {
    const refused = noAnswer('\\\\.\\pipe\\x', Object.assign(new Error('connect EPERM'), { code: 'EPERM' }));
    expect(refused.message).toBe('The host at "\\\\.\\pipe\\x" does not let you in: connect EPERM.');
    expect(refused.next).toContain('unjam access grant');
  });

  test('that is explained already stays as it is', () => {
    const known = new UnjamError('unauthorized', 'It is not talked to.', 'Ask.');
    expect(noAnswer('x', known)).toBe(known);
  });
});

describe('where state is kept', () => {
  const environment = {
    ProgramFiles: 'C:\\Program Files',
    CommonProgramFiles: 'C:\\Program Files\\Common Files',
    ProgramData: 'C:\\ProgramData',
    LOCALAPPDATA: 'C:\\Users\\kim\\AppData\\Local',
  };
  const installed = 'C:\\Program Files\\Common Files\\Unjam\\1.0.0\\node.exe';
  const of = (program: string, isClosed: boolean): string =>
    windowsStateDirectory(environment, program, (folder) => {
      expect(folder).toBe('C:\\ProgramData\\Unjam');
      return isClosed;
    });

  test('of an installed program is the machine’s folder for who may enter it, and one of their own for everybody else', () => {
    expect(of(installed, false)).toBe('C:\\ProgramData\\Unjam');
    expect(of(installed, true)).toBe('C:\\Users\\kim\\AppData\\Local\\Unjam');
  });

  test('of any other program is never the machine’s folder, which everybody could have made', () => {
    for (const program of ['C:\\Tools\\node.exe', 'C:\\Program Files (x86)\\x\\node.exe'])
      expect(of(program, false)).toBe('C:\\Users\\kim\\AppData\\Local\\Unjam');
  });
});

describe('a state directory', () => {
  const ntfs = { fileSystem: 'NTFS', keepsAccessLists: true, isRemote: false };
  const security = { owner: kim, isProtected: true, writers: [kim, ...administrators] };
  const facts = { security, volume: ntfs, self: kim, isEmpty: false, nameOf: (sid: string) => `name of ${sid}` };

  test('is believed when nobody but its owner, SYSTEM and administrators can write it', () => {
    expect(stateProblem(facts)).toBeNull();
    expect(stateProblem({ ...facts, volume: null })).toBeNull();
    const machine = { owner: 'S-1-5-32-544', isProtected: true, writers: administrators };
    for (const self of [kim, 'S-1-5-18']) expect(stateProblem({ ...facts, security: machine, self })).toBeNull();
  });

  test('of another user is refused, SYSTEM included: what lies there is run', () => {
    for (const self of [lee, 'S-1-5-18']) expect(stateProblem({ ...facts, self })).toBe(`it belongs to name of ${kim}`);
  });

  test('that others can write is refused, unless it has just been made', () => {
    const open = { ...security, isProtected: false, writers: [kim, 'S-1-5-11'] };
    expect(stateProblem({ ...facts, security: open })).toBe('name of S-1-5-11 can write it');
    expect(stateProblem({ ...facts, security: open, isEmpty: true })).toBeNull();
  });

  test('on a volume without access lists is refused by the name of its file system; Windows would report success there', () => {
    const volume = { fileSystem: 'exFAT', keepsAccessLists: false, isRemote: false };
    expect(stateProblem({ ...facts, volume, isEmpty: true })).toBe(
      'it lies on a volume with exFAT, which keeps no access lists: everybody on this machine could write it',
    );
    expect(stateProblem({ ...facts, volume: { ...ntfs, fileSystem: 'ReFS' } })).toBeNull();
  });

  test('on a network drive is not judged by accounts, which are the server’s', () => {
    expect(stateProblem({ ...facts, volume: { ...ntfs, isRemote: true }, self: lee })).toBeNull();
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
