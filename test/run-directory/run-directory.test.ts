/** The files between a runner and every host: complete or absent, written once, readable after any crash. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunnerRequest } from '../../app/domain/events.ts';
import { createOnce, readOnce } from '../../app/run-directory/atomic-file.ts';
import { fileSize, RunDirectory } from '../../app/run-directory/run-directory.ts';
import { at0312, kim, verdict } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';

function runDirectory(): RunDirectory {
  const directory = new RunDirectory(join(temporaryFolder(), 'run'));
  directory.create();
  return directory;
}

/** Lets something happen at a file-system call that no test can hit by timing. */
function intercept(
  name: 'readFileSync' | 'unlinkSync',
  act: (real: (...args: unknown[]) => unknown, ...args: unknown[]) => unknown,
): void {
  const table = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = table[name]!;
  const set = (f: (...args: unknown[]) => unknown): void => {
    table[name] = f;
    syncBuiltinESMExports();
  };
  onTestFinished(() => set(real));
  set((...args) => act(real, ...args));
}

const anything = (value: unknown): unknown => value;
const winner = (value: unknown): string | null => (value as { who?: string }).who ?? null;

describe('a file that is created once', () => {
  test('appears whole, and only the first writer is told that it was first', () => {
    const path = join(temporaryFolder(), 'verdict.json');
    expect(createOnce(path, { a: 1 }, 'synced')).toBe(true);
    expect(createOnce(path, { a: 2 }, 'synced')).toBe(false);
    expect(readOnce(path, anything)).toEqual({ a: 1 });
  });

  test('has one winner among 20 processes that start at the same moment', { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'verdict.json');
    const driver = join(import.meta.dirname, 'drivers/create-once.ts');
    const racers = Array.from({ length: 20 }, (_, i) => {
      const child = spawn(process.execPath, [driver, path, `racer-${i}`], { stdio: ['pipe', 'pipe', 'inherit'] });
      onTestFinished(() => {
        child.kill('SIGKILL');
      });
      return child;
    });
    await Promise.all(racers.map((r) => once(r.stdout, 'readable')));
    const said = racers.map((r) => text(r.stdout));
    for (const r of racers) r.stdin.end();
    const answers = await Promise.all(said);
    const winners = answers.flatMap((a, i) => (a === 'rtrue' ? [`racer-${i}`] : []));
    expect(answers.filter((a) => a === 'rfalse')).toHaveLength(19);
    expect(winners).toEqual([readOnce(path, winner)]);
    expect(readdirSync(folder)).toEqual(['verdict.json']);
  });

  test('is only for its owner to read', { skip: process.platform === 'win32' }, () => {
    const path = join(temporaryFolder(), 'spec.json');
    createOnce(path, {}, 'unsynced');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('does not follow a link that somebody laid in its place', { skip: process.platform === 'win32' }, () => {
    const folder = temporaryFolder();
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'verdict.json'));
    expect(createOnce(join(folder, 'verdict.json'), {}, 'synced')).toBe(false);
    expect(readdirSync(folder)).toEqual(['verdict.json']);
  });

  test('leaves nothing behind when it cannot be created', () => {
    const folder = temporaryFolder();
    expect(() => createOnce(join(folder, 'missing', 'a.json'), {}, 'synced')).toThrow('ENOENT');
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => createOnce(join(folder, 'a.json'), circle, 'synced')).toThrow('circular');
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(['', '{', '{"kind":"exi', '\0\0\0\0'])('reads as absent when a power cut left %j', (torn) => {
    const path = join(temporaryFolder(), 'exit.json');
    writeFileSync(path, torn);
    expect(readOnce(path, anything)).toBeNull();
  });

  test('reads as absent when it is absent, and as an error when it cannot be read', () => {
    const folder = temporaryFolder();
    expect(readOnce(join(folder, 'exit.json'), anything)).toBeNull();
    mkdirSync(join(folder, 'folder.json'));
    expect(() => readOnce(join(folder, 'folder.json'), anything)).toThrow('EISDIR');
  });
});

describe('a run directory', () => {
  test('belongs to one ticket: it cannot be created twice', () => {
    const directory = runDirectory();
    expect(() => new RunDirectory(directory.path).create()).toThrow('EEXIST');
  });

  test('keeps the first verdict', () => {
    const directory = runDirectory();
    expect(directory.readVerdict()).toBeNull();
    expect(directory.writeVerdict(verdict({ kind: 'abandoned' }))).toBe(true);
    expect(directory.writeVerdict(verdict({ kind: 'exited' }))).toBe(false);
    expect(directory.readVerdict()?.kind).toBe('abandoned');
  });

  test('delivers a completion id once', () => {
    const directory = runDirectory();
    expect(directory.readDelivered()).toBeNull();
    expect(directory.writeDelivered('c-1', at0312)).toBe(true);
    expect(directory.writeDelivered('c-2', at0312)).toBe(false);
    expect(directory.readDelivered()).toMatchObject({ completionId: 'c-1' });
  });

  test('tells sizes of files that are absent', () => {
    expect(fileSize(runDirectory().stdoutPath)).toEqual({ bytes: 0, changedAt: null });
  });
});

describe('the events', () => {
  test('of a script that has none yet are none', () => {
    expect(runDirectory().readEvents(0)).toEqual({ events: [], offset: 0 });
  });

  test('are read once each, in order, each with the place of its line', () => {
    const directory = runDirectory();
    directory.append('host', { type: 'note' }, { code: 'W301', text: 'größer €' }, at0312);
    const first = directory.readEvents(0);
    expect(first.events).toEqual([
      { event: { type: 'note', at: at0312, by: 'host', code: 'W301', text: 'größer €' }, at: 0 },
    ]);
    expect(directory.readEvents(first.offset)).toEqual({ events: [], offset: first.offset });
    directory.append('runner', { type: 'started', pid: 7 });
    directory.append('runner', { type: 'waiting' });
    const next = directory.readEvents(first.offset);
    expect(next.events.map(({ event }) => event.type)).toEqual(['started', 'waiting']);
    expect(next.events[0]?.at).toBe(first.offset);
    expect(next.offset).toBe(statSync(directory.eventsPath).size);
  });

  test('leave an unfinished last line for the next reading', () => {
    const directory = runDirectory();
    directory.append('runner', { type: 'started', pid: 7 });
    appendFileSync(directory.eventsPath, '{"at":1,"by":"host","type":"orphan-en');
    const { events, offset } = directory.readEvents(0);
    expect(events.map(({ event }) => event.type)).toEqual(['started']);
    appendFileSync(directory.eventsPath, 'ded"}\n');
    expect(directory.readEvents(offset).events.map(({ event }) => event.type)).toEqual(['orphan-ended']);
  });

  test('that are torn are passed over, the whole lines after them count', () => {
    const directory = runDirectory();
    appendFileSync(directory.eventsPath, '{"type":"sta\n\n');
    directory.append('runner', { type: 'waiting' });
    expect(directory.readEvents(0).events.map(({ event }) => event.type)).toEqual(['waiting']);
  });

  // Known: the next line is appended to the torn one, and both are passed over.
  test('after a line that a full disk cut short is not lost', () => {
    const directory = runDirectory();
    appendFileSync(directory.eventsPath, '{"type":"sta');
    directory.append('runner', { type: 'waiting' });
    expect(directory.readEvents(0).events.map(({ event }) => event.type)).toEqual(['waiting']);
  });

  test('have places that do not depend on how often they were read', () => {
    const directory = runDirectory();
    const places: number[] = [];
    let offset = 0;
    for (let i = 0; i < 20; i += 1) {
      directory.append('runner', { type: 'note' }, { code: 'X', text: 'ä'.repeat(i) });
      const read = directory.readEvents(offset);
      places.push(...read.events.map((e) => e.at));
      offset = read.offset;
    }
    expect(new RunDirectory(directory.path).readEvents(0).events.map((e) => e.at)).toEqual(places);
  });
});

describe('the requests to a runner', () => {
  const request = (id: string): RunnerRequest => ({
    verb: 'kill',
    id,
    at: at0312,
    actor: kim,
    reason: null,
    evidence: [],
  });

  test('are taken once each, oldest first', () => {
    const directory = runDirectory();
    for (const id of ['b', 'a', 'c']) directory.request(request(id));
    expect(directory.takeRequests().map((r) => r.id)).toEqual(['a', 'b', 'c']);
    expect(directory.takeRequests()).toEqual([]);
    expect(readdirSync(directory.requestsPath)).toEqual([]);
  });

  test('that were withdrawn are not taken, and those that were taken cannot be withdrawn', () => {
    const directory = runDirectory();
    directory.request(request('a'));
    expect(directory.withdraw('a')).toBe(true);
    expect(directory.withdraw('a')).toBe(false);
    expect(directory.takeRequests()).toEqual([]);
    directory.request(request('b'));
    expect(directory.takeRequests()).toHaveLength(1);
    expect(directory.withdraw('b')).toBe(false);
  });

  test('appear whole: what is half written is not among them', () => {
    const directory = runDirectory();
    directory.request(request('a'));
    expect(readdirSync(directory.requestsPath)).toEqual(['a.json']);
    expect(JSON.parse(readFileSync(join(directory.requestsPath, 'a.json'), 'utf8'))).toEqual(request('a'));
    expect(readdirSync(directory.path).filter((f) => f.endsWith('.tmp'))).toEqual([]);
  });

  test('that are withdrawn while they are read are not taken', () => {
    const directory = runDirectory();
    directory.request(request('a'));
    const withdrawn: boolean[] = [];
    intercept('readFileSync', (real, ...args) => {
      const text = real(...args);
      withdrawn.push(directory.withdraw('a'));
      return text;
    });
    const taken = directory.takeRequests();
    expect(withdrawn).toEqual([true]);
    expect(taken).toEqual([]);
  });

  test('whose file cannot be removed yet, as while a virus scanner has it open, are taken once', () => {
    const directory = runDirectory();
    directory.request(request('a'));
    let denials = 1;
    intercept('unlinkSync', (real, ...args) => {
      if (denials-- > 0) throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' });
      return real(...args);
    });
    expect([...directory.takeRequests(), ...directory.takeRequests()].map((r) => r.id)).toEqual(['a']);
  });

  test('that cannot be read do not hide the others', () => {
    const directory = runDirectory();
    writeFileSync(join(directory.requestsPath, '0.json'), '{');
    directory.request(request('a'));
    expect(directory.takeRequests().map((r) => r.id)).toEqual(['a']);
  });
});
