import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { actorUser, headerText } from '../../app/api/actor.ts';
import { person } from '../../app/cli/person.ts';
import { tcpUid } from '../../app/processes/linux/connection-owner.ts';
import type { Peer } from '../../app/processes/index.ts';
import { PipeEnds } from '../../app/processes/windows/pipe-ends.ts';

describe('who acts', () => {
  test.each([
    [null, 'root', 'root'],
    ['root', 'root', 'root'],
    ['kim', 'root', 'kim (as root)'],
    ['kim', 'CONTOSO\\kim', 'CONTOSO\\kim'],
    ['KIM', 'CONTOSO\\kim', 'CONTOSO\\kim'],
    ['FABRIKAM\\kim', 'CONTOSO\\kim', 'FABRIKAM\\kim (as CONTOSO\\kim)'],
    ['kim', null, 'kim (unverified)'],
    [null, null, 'unknown (unverified)'],
    ['  ', 'root', 'root'],
    ['root\nW221 ABANDONED by root', 'kim', 'root W221 ABANDONED by root (as kim)'],
  ])('claimed %j, observed %j: "%s"', (claimed, observed, name) => {
    expect(actorUser(claimed, observed)).toBe(name);
  });

  test('no claim makes a name that was not observed stand without a mark', () => {
    fc.assert(
      fc.property(fc.option(fc.string({ unit: 'binary' })), fc.constantFrom('root', null), (claimed, observed) => {
        const name = actorUser(claimed, observed);
        expect(
          observed === null ? name.endsWith(' (unverified)') : name === 'root' || name.endsWith(' (as root)'),
        ).toBe(true);
        expect(name).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a header that is not percent-encoded text is taken as it stands', () => {
    expect(headerText('J%C3%B6rg')).toBe('Jörg');
    expect(headerText('50%')).toBe('50%');
    expect(headerText(['a', 'b'])).toBeNull();
    expect(headerText(undefined)).toBeNull();
  });

  test.skipIf(process.getuid?.() !== 0)('behind sudo is the person who called it (seen as root only)', () => {
    expect(person({ SUDO_USER: 'kim' })).toBe('kim');
    expect(person({})).toBe('root');
  });
});

describe('the user of a connection over the loopback', () => {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const row = (local: string, remote: string, uid: number, inode: number): string =>
    `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000 ${uid}        0 ${inode} 1 0000000000000000 20 4 30 10 -1\n`;
  const files =
    (tcp: string, tcp6 = '') =>
    (path: string): string =>
      head + (path === '/proc/net/tcp' ? tcp : tcp6);
  const client = { client: { address: '127.0.0.1', port: 0xd431 }, server: { address: '127.0.0.1', port: 0x1f90 } };

  test('is that of the client’s socket, not of the server’s', () => {
    const tcp = row('0100007F:1F90', '0100007F:D431', 0, 11) + row('0100007F:D431', '0100007F:1F90', 1000, 12);
    expect(tcpUid(files(tcp), client)).toBe(1000);
  });

  test('is found for a socket that speaks IPv4 through IPv6, as browsers have', () => {
    const tcp6 = row('0000000000000000FFFF00000100007F:D431', '0000000000000000FFFF00000100007F:1F90', 1001, 12);
    expect(
      tcpUid(files('', tcp6), {
        client: { address: '::ffff:127.0.0.1', port: 0xd431 },
        server: { address: '::ffff:127.0.0.1', port: 0x1f90 },
      }),
    ).toBe(1001);
  });

  test('is not that of another user who has the same port at another address of the loopback', () => {
    const forged = row('0200007F:D431', '0100007F:1F90', 0, 12) + row('0100007F:D431', '0300007F:1F90', 0, 13);
    expect(tcpUid(files(forged), client)).toBeNull();
    expect(tcpUid(files(forged + row('0100007F:D431', '0100007F:1F90', 1000, 14)), client)).toBe(1000);
  });

  test('is nobody, and not root, once nobody owns the socket', () => {
    expect(tcpUid(files(row('0100007F:D431', '0100007F:1F90', 0, 0)), client)).toBeNull();
  });

  test('is not looked for when the connection comes from elsewhere, or the table is not there', () => {
    const tcp = row('0100007F:D431', '0100007F:1F90', 1000, 12);
    expect(tcpUid(files(tcp), { ...client, client: { address: '192.168.1.5', port: 0xd431 } })).toBeNull();
    expect(tcpUid(() => null, client)).toBeNull();
  });
});

/** Which process belongs to whom: pids 1–9 are a's, 11–19 b's; of 99 nothing is known. */
const userOf = (pid: number): string | null => (pid === 99 ? null : pid < 10 ? 'a' : 'b');

const peerOf = (pid: number): Peer | null => {
  const user = userOf(pid);
  return user === null ? null : { user, ids: [user], pid };
};

describe('the user of a connection over a pipe', () => {
  test('is that of the end that has just been connected', () => {
    const ends = new PipeEnds(peerOf);
    expect(ends.accept([{ handle: 8, pid: 1 }]).owner?.user).toBe('a');
    const both = [
      { handle: 8, pid: 1 },
      { handle: 12, pid: 11 },
    ];
    expect(ends.accept(both).owner?.user).toBe('b');
  });

  test('is not told when clients of two users come at once, or one whose process is not known', () => {
    const two = [
      { handle: 8, pid: 1 },
      { handle: 12, pid: 11 },
    ];
    expect(new PipeEnds(peerOf).accept(two).owner).toBeNull();
    expect(new PipeEnds(peerOf).accept([{ handle: 8, pid: 99 }]).owner).toBeNull();
    expect(new PipeEnds(peerOf).accept([{ handle: 8, pid: null }]).owner).toBeNull();
    expect(new PipeEnds(peerOf).accept([]).owner).toBeNull();
  });

  test('is never another user’s, in whatever order clients connect, are accepted and leave', () => {
    const step = fc.record({ what: fc.constantFrom('connect', 'accept', 'close'), which: fc.nat(7) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ends = new PipeEnds(peerOf);
        /** Handles are used again as soon as they are free, as Windows does. */
        const living: { handle: number; pid: number; release: (() => void) | null }[] = [];
        for (const { what, which } of steps) {
          if (what === 'connect' && living.length < 8) {
            let handle = 4;
            while (living.some((end) => end.handle === handle)) handle += 4;
            living.push({ handle, pid: which < 4 ? 1 + which : 7 + which, release: null });
          }
          const waiting = living.filter((end) => end.release === null);
          const end = waiting[which % Math.max(1, waiting.length)];
          if (what === 'accept' && end) {
            const { owner, release } = ends.accept(living);
            expect([null, userOf(end.pid)]).toContain(owner?.user ?? null);
            end.release = release;
          }
          const accepted = living.filter((one) => one.release !== null);
          const leaving = accepted[which % Math.max(1, accepted.length)];
          if (what === 'close' && leaving) {
            leaving.release?.();
            living.splice(living.indexOf(leaving), 1);
          }
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
