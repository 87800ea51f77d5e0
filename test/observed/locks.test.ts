/** Locks of the machine: who has them, who waits, and who is none of their business; and what runs through Unjam. */
import { describe, expect, test } from 'vitest';
import { Forest } from '../../app/agents/forest.ts';
import type { ObservedScript } from '../../app/agents/observed-script.ts';
import { foreignLocks } from '../../app/observed/foreign-locks.ts';
import type { Look } from '../../app/observed/observer.ts';
import { ticketOf } from '../../app/observed/through-unjam.ts';
import { waitsForLocks } from '../../app/observed/why.ts';
import type { FileLock, ForeignProcesses } from '../../app/processes/index.ts';
import { type Process, tableOf } from '../agents/forest-of.ts';

const plain = (name: string, ...below: Process[]): Process => ({ name, words: name, below });
const frontend = '/var/lib/dpkg/lock-frontend';

function machine(...forest: Process[]) {
  const table = tableOf({ system: 'linux', forest }).rows;
  const pidOf = (name: string): number => table.find((r) => r.identity.name === name)!.identity.pid;
  const look = { table, forest: new Forest(table), observation: { scripts: [] } } as unknown as Look;
  const locks = (lock: Partial<FileLock>, more: readonly string[] = []) =>
    foreignLocks({
      look,
      more,
      ownerOf: (pid) => ({ script: pid === pidOf('apt-get') ? 't1' : null, job: null }),
      foreign: {
        locksOn: (paths) => ({
          hidden: false,
          locks: [{ pid: 0, path: frontend, kind: 'fcntl', access: 'write', waiting: [], ...lock } as FileLock].filter(
            (l) => paths.includes(l.path),
          ),
        }),
      } as Pick<ForeignProcesses, 'locksOn'> as ForeignProcesses,
    }).locks;
  return { table, pidOf, locks };
}

describe('a lock of the machine', () => {
  test('has a holder by name, and the program that tries again and again is an inferred waiter', () => {
    const { pidOf, locks } = machine(plain('python3', plain('apt', plain('dpkg'))), plain('apt-get'));
    const [lock] = locks({ pid: pidOf('apt') });
    expect(lock).toMatchObject({ name: 'dpkg (frontend)', holder: { name: 'apt', script: null, job: null } });
    // dpkg works for apt, and python3 is no such program.
    expect(lock?.waiters).toEqual([
      { pid: pidOf('apt-get'), name: 'apt-get', script: 't1', job: null, seen: 'inferred' },
    ]);
    expect(waitsForLocks(new Set([pidOf('apt-get')]), [lock!])).toMatchObject([
      {
        key: 'waits-for-foreign-lock',
        text: `PID ${pidOf('apt-get')} (apt-get) probably waits for the lock of dpkg (frontend), which PID ${pidOf('apt')} (apt) has.`,
        advice: 'It is free when its holder has ended.',
      },
    ]);
    expect(waitsForLocks(new Set([pidOf('python3')]), [lock!])).toEqual([]);
  });

  test('daemons that live beside every apt wait for nothing', () => {
    const { pidOf, locks } = machine(plain('apt'), plain('packagekitd'), plain('unattended-upgr'), plain('apt-get'));
    expect(locks({ pid: pidOf('apt') })[0]?.waiters.map((w) => w.name)).toEqual(['apt-get']);
  });

  test('whose waiter the kernel knows is said without a doubt', () => {
    const { pidOf, locks } = machine(plain('tar'), plain('apt-get'));
    const path = '/srv/backup.lock';
    const waiting = [pidOf('apt-get')];
    expect(locks({ path, pid: pidOf('tar'), waiting })).toEqual([]);
    const [lock] = locks({ path, pid: pidOf('tar'), waiting }, [path]);
    expect(lock).toMatchObject({ name: 'backup.lock', waiters: [{ name: 'apt-get', seen: 'kernel' }] });
    expect(waitsForLocks(new Set(waiting), [lock!])[0]?.text).toContain('waits for the lock of backup.lock');
  });

  test('of an open file description has no holder to name', () => {
    expect(machine(plain('apt-get')).locks({ pid: -1 })).toEqual([]);
  });
});

describe('what runs through Unjam', () => {
  const { table, pidOf } = machine(plain('bash', plain('node', plain('helper')), plain('rsync')));
  const of = (...names: string[]) =>
    ({ supervised: [], members: table.filter((r) => names.includes(r.identity.name)) }) as unknown as ObservedScript;
  const askers = [{ of: table.find((r) => r.identity.pid === pidOf('node'))!.identity, ticket: 't1' }];

  test('is all of a script whose shell only waits for "unjam run"', () => {
    expect(ticketOf(of('bash', 'node', 'helper'), askers)).toBe('t1');
  });

  test('is not all of one that also works by itself', () => {
    expect(ticketOf(of('bash', 'node', 'helper', 'rsync'), askers)).toBeNull();
    expect(ticketOf(of('bash', 'rsync'), askers)).toBeNull();
  });

  test('is nothing once the script of Unjam has ended, or when another process has that pid', () => {
    expect(ticketOf(of('bash', 'node', 'helper'), [])).toBeNull();
    const reused = [{ ...askers[0]!, of: { ...askers[0]!.of, startTime: 'later' } }];
    expect(ticketOf(of('bash', 'node', 'helper'), reused)).toBeNull();
  });
});
