/** What lies in the state directory is believed: nobody else may have been able to put it there. Needs root for other users. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { findHost } from '../../app/access/find-host.ts';
import { openStateDirectory } from '../../app/host/host-files.ts';
import { root, World } from '../support/world.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

let base: string;
let home: string;
let said: string[];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'unjam-state-'));
  home = join(base, 'home');
  said = [];
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const open = async (path = home): Promise<string | null> =>
  openStateDirectory(path, (line) => said.push(line)).then(
    () => null,
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
const own = (path: string, uid: number): void => chownSync(path, uid, uid);

test('a new one is made for the caller alone', async () => {
  expect(await open()).toBeNull();
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(said).toEqual([]);
});

test('one that others can read is closed, and that is said', async () => {
  mkdirSync(home);
  chmodSync(home, 0o755);
  expect(await open()).toBeNull();
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(said).toEqual(['W391 The state directory could be read by others (mode 0755); it has mode 0700 now.']);
});

test('one that others can write is refused, and not changed', async () => {
  mkdirSync(home);
  chmodSync(home, 0o777);
  expect(await open()).toBe(
    `state-directory: The state directory "${home}" is not used: others can write it (mode 0777).`,
  );
  expect(statSync(home).mode & 0o777).toBe(0o777);
});

test('one below a folder that others can write is refused, unless that is sticky', async () => {
  chmodSync(base, 0o777);
  expect(await open()).toContain(`others can write "${base}" (mode 0777) and put another folder in its place`);
  expect(existsSync(home)).toBe(false);
  chmodSync(base, 0o1777);
  expect(await open()).toBeNull();
});

test('a link of the caller leads there, and what it leads to is looked at', async () => {
  const real = join(base, 'real');
  mkdirSync(real, { mode: 0o700 });
  symlinkSync(real, home);
  expect(await open()).toBeNull();
  chmodSync(real, 0o777);
  expect(await open()).toContain('others can write it (mode 0777)');
});

test('a file that others could write while it could be reached is refused', async () => {
  mkdirSync(join(home, 'runs', 'p'), { recursive: true });
  chmodSync(home, 0o755);
  writeFileSync(join(home, 'runs', 'p', 'spec.json'), '{}');
  chmodSync(join(home, 'runs', 'p', 'spec.json'), 0o666);
  expect(await open()).toContain(`others can write "${join(home, 'runs', 'p', 'spec.json')}" in it (mode 0666)`);
});

describe.skipIf(!isRoot)('where another user got there first (needs root)', () => {
  test('a folder of theirs is refused, whatever its mode', async () => {
    mkdirSync(home, { mode: 0o700 });
    own(home, nobody);
    expect(await open()).toContain('is not used: it belongs to nobody');
  });

  test('a folder above it that is theirs is refused', async () => {
    own(base, nobody);
    expect(await open()).toContain(`"${base}" belongs to nobody, who can put another folder in its place`);
  });

  test('a run directory that they planted before it was closed is refused', async () => {
    mkdirSync(join(home, 'runs', 'p'), { recursive: true, mode: 0o700 });
    own(join(home, 'runs', 'p'), nobody);
    expect(await open()).toContain(`"${join(home, 'runs', 'p')}" in it belongs to nobody`);
  });

  test('a link of theirs is not followed', async () => {
    chmodSync(base, 0o1777);
    const real = join(base, 'real');
    mkdirSync(real, { mode: 0o700 });
    execFileSync('/bin/ln', ['-s', real, home], { uid: nobody, gid: nobody });
    expect(await open()).toContain(`"${home}" is a link of nobody`);
  });

  test('the notify command of a planted script is never run as root', async () => {
    await using world = await World.empty();
    const run = join(world.home, 'runs', 'p');
    mkdirSync(run, { recursive: true });
    const mark = join(base, 'ran');
    writeFileSync(
      join(run, 'spec.json'),
      JSON.stringify({ schema: 1, ticket: 'p', runId: 'r', notify: ['touch', mark] }),
    );
    writeFileSync(join(run, 'verdict.json'), JSON.stringify({ kind: 'exited', exitCode: 0 }));
    for (const path of [world.home, join(world.home, 'runs'), run]) own(path, nobody);
    const listed = await world.cli('ps', '--all');
    expect(listed.status).toBe(1);
    expect(listed.stderr).toContain('state-directory');
    expect(existsSync(mark)).toBe(false);
    own(world.home, 0); // so that the world can be removed
  });

  test('the short folder of a long path, whose name can be foretold, is refused when it is theirs or a link', async () => {
    const long = join(base, 'l'.repeat(120));
    mkdirSync(long, { mode: 0o700 });
    const environment = { UNJAM_HOME: long, XDG_RUNTIME_DIR: '', TMPDIR: '' };
    await using world = await World.empty();
    const probe = `import(${JSON.stringify(join(root, 'app/processes/places.ts'))}).then((p) => process.stdout.write(p.hostAddress(${JSON.stringify(long)})))`;
    const env = { ...process.env, ...environment };
    const short = dirname(execFileSync(process.execPath, ['-e', probe], { encoding: 'utf8', env }));
    const elsewhere = join(base, 'elsewhere');
    mkdirSync(elsewhere);
    for (const [take, why] of [
      [() => mkdirSync(short, { mode: 0o700 }), 'it belongs to nobody'],
      [() => execFileSync('/bin/ln', ['-s', elsewhere, short], { uid: nobody, gid: nobody }), 'is a link of nobody'],
    ] as const) {
      take();
      try {
        if (!lstatSync(short).isSymbolicLink()) own(short, nobody);
        const served = await world.cliWith(environment, 'serve');
        expect(served.stderr).toContain(`The host's door cannot be opened in "${short}"`);
        expect(served.stderr).toContain(why);
        expect(readdirSync(elsewhere)).toEqual([]);
      } finally {
        rmSync(short, { recursive: true });
      }
    }
  });

  test('a client that cannot read the host file of the machine’s host goes to its door', async () => {
    mkdirSync(home, { mode: 0o700 });
    const record = join(base, 'host.json');
    const door = join(base, 'door.sock');
    writeFileSync(record, JSON.stringify({ schema: 1, stateDirectory: home, door, account: 'uid:0' }), { mode: 0o644 });
    vi.stubEnv('UNJAM_MACHINE_FILE', record);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await findHost(home)).toMatchObject({ address: door, token: null });
    expect(await findHost(join(base, 'another'))).toBeNull();
  });

  test('a client does not believe the host file of a folder that others can write', async () => {
    mkdirSync(home);
    writeFileSync(join(home, 'host.json'), JSON.stringify({ address: '/tmp/evil.sock', token: 'x' }));
    chmodSync(home, 0o777);
    await expect(findHost(home)).rejects.toThrow('is not used: others can write it (mode 0777)');
  });
});
