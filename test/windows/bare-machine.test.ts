/** The view in which `npm test` runs: what it hides, and that it shows the fault for which it was made. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BareMachine, bareEnvironment, bareMachine, whyNoBareMachine } from '../support/bare-machine.ts';
import { wine10In } from '../support/wine-10.ts';
import { cacheFolder, copyPrefix, prepareWine, wineEnvironment, type WineSetup } from '../support/wine-setup.ts';

const checkout = join(import.meta.dirname, '../..');
const whyNot = whyNoBareMachine();
const here = test.skipIf(whyNot !== null);
let bare: BareMachine;
let folder: string;

beforeAll(() => {
  if (whyNot !== null) return;
  bare = bareMachine(checkout, []);
  folder = mkdtempSync(join(checkout, '.cache', 'bare-test-'));
});

afterAll(() => {
  if (whyNot !== null) return;
  bare.remove();
  rmSync(folder, { recursive: true, force: true });
});

const inView = (...command: string[]) => {
  const [file, ...args] = bare.command;
  return spawnSync(file, [...args, ...command], { cwd: checkout, env: bare.env, encoding: 'utf8' });
};

test('only listed variables are set', () => {
  const env = bareEnvironment('/c', {
    PATH: '/secret/bin',
    LANG: 'C',
    JAVA_HOME: '/jdk',
    https_proxy: 'p',
    EDITOR: 'vi',
  });
  expect(Object.keys(env).sort()).toEqual(['HOME', 'LANG', 'PATH', 'https_proxy']);
  expect(env['PATH']).not.toContain('secret');
});

here('a file that belongs to no listed package cannot be found, and one of Debian’s base can', () => {
  const own = mkdtempSync(join(tmpdir(), 'unjam-hidden-'));
  try {
    const find = (path: string) => inView('test', '-e', path).status === 0;
    expect(find(own)).toBe(false);
    expect(['/bin/sh', '/usr/bin/env', process.execPath, checkout].map(find)).toEqual([true, true, true, true]);
    expect(
      ['/usr/bin/gcc', '/usr/bin/git', '/usr/bin/chromium', '/usr/share/wine', '/home', '/opt'].filter(find),
    ).toEqual([]);
  } finally {
    rmSync(own, { recursive: true });
  }
});

here('the system’s files cannot be changed from there', () => {
  expect(inView('sh', '-c', ': >/usr/bin/unjam-was-here').status).not.toBe(0);
  expect(existsSync('/usr/bin/unjam-was-here')).toBe(false);
});

here('what is left in /tmp is told', () => {
  const [, ...before] = ['', ...bare.leftovers()];
  expect(inView('touch', '/tmp/left').status).toBe(0);
  expect(bare.leftovers()).toEqual([...before, 'left']);
});

/**
 * Wine as it was unpacked once: it found its tables only where Debian's own Wine had put them. The machine that has
 * these is a layer over /usr/share, in a mount namespace of its own.
 */
here('a Wine that leans on tables of the machine works on that machine, and not in the view', async () => {
  const setup: WineSetup = await prepareWine();
  const leaning = join(folder, 'wine-10');
  execFileSync('cp', ['-al', join(cacheFolder, 'wine-10'), leaning]);
  unlinkSync(join(leaning, 'usr/share/wine/wine'));
  const share = join(folder, 'share');
  mkdirSync(join(share, 'wine'), { recursive: true });
  cpSync(join(leaning, 'usr/share/wine/nls'), join(share, 'wine/nls'), { recursive: true });
  const programs = wine10In(join(cacheFolder, 'wine-10'));
  /** With the tree `as` in the place of the one that was prepared, to whose path it is bound. */
  const runs = async (as: string, ...enter: string[]): Promise<boolean> => {
    const prefix = join(folder, 'prefix');
    await copyPrefix(setup.template, prefix);
    const env = { ...bare.env, ...wineEnvironment(programs, prefix) };
    const machine = `mount -t overlay overlay -o lowerdir=${share}:/usr/share /usr/share; exec "$@"`;
    const wine = `mount --bind ${as} ${join(cacheFolder, 'wine-10')}; "$@"; ${programs.wineserver} -k`;
    const { stdout } = spawnSync(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-ec', machine, 'sh', ...enter].concat([
        'sh',
        '-c',
        wine,
        'sh',
        programs.wine,
        'cmd',
        '/c',
        'echo it runs',
      ]),
      { cwd: checkout, env, encoding: 'utf8', timeout: 60_000 },
    );
    rmSync(prefix, { recursive: true, force: true });
    return stdout.includes('it runs');
  };
  expect(await runs(leaning)).toBe(true);
  expect(await runs(leaning, ...bare.command)).toBe(false);
  expect(await runs(join(cacheFolder, 'wine-10'), ...bare.command)).toBe(true);
});
