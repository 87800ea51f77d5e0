/** The mutexes of a state directory: their folders, and what is checked before any script may rely on them. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UnjamError } from '../../app/contract/errors.ts';
import type { Liveness, ProcessIdentity } from '../../app/domain/identity.ts';
import { placeOf } from '../../app/domain/mutex.ts';
import { Election, Mutexes } from '../../app/locks/index.ts';
import type { LivenessProbe } from '../../app/locks/mutexes.ts';
import { identity, kim, scope, waiter } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';

const everybodyLives: LivenessProbe = { liveness: () => 'alive', treeLiveness: () => 'alive' };
const mutexesIn = (folder: string, probe = everybodyLives): Mutexes => new Mutexes(join(folder, 'mutexes'), probe);

describe('a state directory', () => {
  test('that gives exclusion is taken, and nothing is left of the check', () => {
    const mutexes = mutexesIn(temporaryFolder());
    expect(() => mutexes.check()).not.toThrow();
    expect(fs.readdirSync(mutexes.root)).toEqual([]);
  });

  test('that cannot be written is refused, with the next step', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'mutexes'), 'a file');
    expect(() => mutexesIn(folder).check()).toThrow(UnjamError);
    expect(() => mutexesIn(folder).check()).toThrow('cannot give mutual exclusion');
  });

  // A file system without exclusive links cannot be had here; the call that it would answer wrongly can.
  test.each([
    ['overwrites what a link finds in its place', (from: fs.PathLike, to: fs.PathLike) => fs.copyFileSync(from, to)],
    [
      'has no links',
      () => {
        throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' });
      },
    ],
  ])('on a file system that %s is refused: no script runs unisolated', (_what, link) => {
    const real = fs.linkSync;
    onTestFinished(() => {
      fs.linkSync = real;
      syncBuiltinESMExports();
    });
    fs.linkSync = link;
    syncBuiltinESMExports();
    const mutexes = mutexesIn(temporaryFolder());
    for (let i = 0; i < 2; i += 1) expect(() => mutexes.check()).toThrow('cannot give mutual exclusion');
    expect(fs.readdirSync(mutexes.root)).toEqual([]);
  });
});

describe('a mutex', () => {
  test('is one for all spellings of its name, and others with similar names are others', async () => {
    const mutexes = mutexesIn(temporaryFolder());
    const names = [
      'RunningScript',
      'Running Script',
      'running_script',
      'running-script',
      'con',
      'x'.repeat(128),
      'x'.repeat(127),
    ];
    const keys = new Set(names.map((n) => mutexes.open(n).key));
    expect(keys.size).toBe(names.length);
    for (const n of names) expect(mutexes.open(n.toUpperCase()).key).toBe(mutexes.open(n).key);
    for (const key of keys) expect(basename(key)).toMatch(/^[a-z0-9_]{0,40}-[0-9a-f]{16}$/);
    await mutexes.open('RunningScript').enqueue(waiter('a'));
    expect(mutexes.open('RUNNINGSCRIPT').read().name).toBe('RunningScript');
  });

  test('that was only asked for leaves nothing; used ones are found again', async () => {
    const mutexes = mutexesIn(temporaryFolder());
    mutexes.open('a').read();
    expect(mutexes.folders()).toEqual([]);
    await mutexes.open('a').enqueue(waiter('1'));
    expect(mutexes.folders().map((m) => m.read().name)).toEqual(['a']);
  });

  test('confirms a grant once its script has an identity, and refuses it after an abandon', async () => {
    const mutex = mutexesIn(temporaryFolder()).open('m');
    const granted = placeOf(await mutex.enqueue(waiter('a')), 'a');
    if (granted.kind !== 'holds') throw new Error('It was free.');
    expect(await mutex.confirm('a', granted.hold.fence + 1, scope(1))).toBe(false);
    expect(await mutex.confirm('a', granted.hold.fence, scope(1))).toBe(true);
    await mutex.abandon('a', kim, null, false);
    expect(await mutex.confirm('a', granted.hold.fence, scope(1))).toBe(false);
  });

  test('stays held while the runner or any process of the script lives, or may live', async () => {
    const states: [Liveness, Liveness, boolean][] = [
      ['alive', 'dead', true],
      ['dead', 'alive', true],
      ['unknown', 'dead', true],
      ['dead', 'unknown', true],
      ['dead', 'dead', false],
    ];
    for (const [runner, tree, held] of states) {
      const mutex = mutexesIn(temporaryFolder(), { liveness: () => runner, treeLiveness: () => tree }).open('m');
      await mutex.enqueue(waiter('a'));
      await mutex.confirm('a', 1, scope(1));
      expect(placeOf(await mutex.reap(), 'a').kind, `${runner} ${tree}`).toBe(held ? 'holds' : 'absent');
    }
  });

  test('drops a waiter or an unconfirmed hold with its runner, and an orphan with its tree, whoever is its runner', async () => {
    const dead = new Set<number>();
    const gone = (p: ProcessIdentity): Liveness => (dead.has(p.pid) ? 'dead' : 'alive');
    const mutex = mutexesIn(temporaryFolder(), { liveness: gone, treeLiveness: (s) => gone(s.root) }).open('m');
    await mutex.enqueue(waiter('a', 'full', { runner: identity(1) }));
    await mutex.confirm('a', 1, scope(11));
    await mutex.abandon('a', kim, null, false);
    await mutex.enqueue(waiter('b', 'full', { runner: identity(2) }));
    await mutex.enqueue(waiter('c', 'full', { runner: identity(3) }));
    dead.add(1).add(2).add(3);
    const left = await mutex.reap();
    expect([left.holders, left.queue]).toEqual([[], []]);
    expect(placeOf(left, 'a').kind).toBe('abandoned');
    dead.delete(1);
    dead.add(11);
    expect(placeOf(await mutex.reap(), 'a').kind).toBe('absent');
  });

  test('costs no write to look for the dead while everybody lives', async () => {
    const mutex = mutexesIn(temporaryFolder()).open('m');
    const { version } = await mutex.enqueue(waiter('a'));
    expect((await mutex.reap()).version).toBe(version);
  });
});

/** A mutex that `ticket-a` holds, for which `ticket-b` waits, and its newest file as an object. */
async function heldMutex() {
  const folder = temporaryFolder();
  const mutex = mutexesIn(folder).open('m');
  await mutex.enqueue(waiter('a'));
  await mutex.confirm('a', 1, scope(1));
  await mutex.enqueue(waiter('b'));
  const path = join(mutex.key, fs.readdirSync(mutex.key).sort().at(-1)!);
  const whole = JSON.parse(fs.readFileSync(path, 'utf8')) as Record<string, unknown>;
  // As another process sees it: nothing is known from before.
  return { path, whole, open: () => mutexesIn(folder).open('m') };
}

describe('a mutex whose newest file is not as this version writes it', () => {
  const holderWithout = (key: string) => (whole: Record<string, unknown>) => {
    const [holder] = whole['holders'] as Record<string, unknown>[];
    return { ...whole, holders: [{ ...holder, [key]: undefined }] };
  };
  test.each<[string, (whole: Record<string, unknown>) => unknown, string]>([
    ['of a later version', (whole) => ({ ...whole, schema: 2 }), '"schema"'],
    ['without its holders', ({ holders: _, ...rest }) => rest, '"holders"'],
    ['with a holder that has no runner', holderWithout('runner'), '"holders.0.runner"'],
    ['with a holder that has no fence', holderWithout('fence'), '"holders.0.fence"'],
    ['with a queue of texts', (whole) => ({ ...whole, queue: ['b'] }), '"queue.0"'],
    ['that is null', () => null, '""'],
  ])('%s is never taken for free: every change is refused with the field and the next step', async (_, damage, field) => {
    const { path, whole, open } = await heldMutex();
    const damaged = JSON.stringify(damage(whole));
    fs.writeFileSync(path, damaged);
    const refused = { code: 'state-directory', next: expect.stringContaining('Use the version of Unjam that wrote it') as string }; // prettier-ignore
    for (const act of [
      () => open().enqueue(waiter('c')),
      () => open().release('a', 1),
      () => open().leave('b'),
      () => open().abandon('a', kim, null, false),
      () => open().reap(),
    ]) {
      const error = await act().catch((e: unknown) => e);
      expect(error).toMatchObject(refused);
      expect((error as Error).message).toContain(`is damaged or of another version of Unjam: ${field}`);
    }
    expect(fs.readFileSync(path, 'utf8')).toBe(damaged);
  }); // prettier-ignore

  test('keys that this version does not know stay through its changes', async () => {
    const { path, whole, open } = await heldMutex();
    const [holder] = whole['holders'] as Record<string, unknown>[];
    fs.writeFileSync(path, JSON.stringify({ ...whole, later: 1, holders: [{ ...holder, more: 2 }] }));
    expect(await open().leave('b')).toMatchObject({ later: 1, holders: [{ id: 'a', more: 2 }], queue: [] });
  });
});

describe('an election', () => {
  test('whose newest file is of another version gives nobody the place', async () => {
    const folder = temporaryFolder();
    await new Election(folder, identity(1), () => 'alive').stand();
    const path = join(folder, 'host', fs.readdirSync(join(folder, 'host')).at(-1)!);
    fs.writeFileSync(path, JSON.stringify({ schema: 2, version: 1, hosts: [] }));
    const late = new Election(folder, identity(2), () => 'dead');
    await expect(late.stand()).rejects.toMatchObject({ code: 'state-directory' });
    expect(() => late.current()).toThrow('is damaged or of another version of Unjam: "schema"');
  });

  test('has one winner, whoever stands, until the winner resigns or has gone', async () => {
    const folder = temporaryFolder();
    const dead = new Set<number>();
    const candidate = (pid: number): Election =>
      new Election(folder, identity(pid), (p) => (dead.has(p.pid) ? 'dead' : 'alive'));
    const candidates = Array.from({ length: 12 }, (_, i) => candidate(100 + i));
    const results = await Promise.all(candidates.map((c) => c.stand()));
    expect(results.filter(Boolean)).toHaveLength(1);
    const winner = results.indexOf(true);
    expect(candidate(1).current()).toEqual(identity(100 + winner));

    await candidates[winner === 0 ? 1 : 0]?.resign();
    expect(await candidate(200).stand()).toBe(false);
    dead.add(100 + winner);
    expect(candidate(1).current()).toBeNull();
    expect(await candidate(200).stand()).toBe(true);
    await candidate(200).resign();
    expect(await candidate(201).stand()).toBe(true);
  });

  test('is not lost to a clock: a host that cannot be seen keeps its place', async () => {
    const folder = temporaryFolder();
    expect(await new Election(folder, identity(1), () => 'alive').stand()).toBe(true);
    expect(await new Election(folder, identity(2), () => 'unknown').stand()).toBe(false);
  });

  test('tells a new process with an old pid apart', async () => {
    const folder = temporaryFolder();
    await new Election(folder, identity(1), () => 'alive').stand();
    const reused = identity(1, { startTime: 'later' });
    expect(await new Election(folder, reused, () => 'alive').stand()).toBe(false);
    expect(await new Election(folder, reused, () => 'dead').stand()).toBe(true);
  });
});
