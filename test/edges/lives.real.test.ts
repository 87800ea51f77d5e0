/** Where Unjam lives: containers, volumes, other users, odd places. Each works, or says what is wrong and what to do. */
import { spawn, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { root, World } from '../support/world.ts';
import { untilFile } from '../support/wreck.ts';

const onLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
const program = [process.execPath, join(root, 'dist/cli.js')];
const quoted = (words: readonly string[]): string => words.map((w) => `'${w.replaceAll("'", `'\\''`)}'`).join(' ');

/** True where a container can be made: a pid namespace with a /proc of its own. */
const canContain = ((): boolean => {
  try {
    execFileSync('unshare', ['-pf', '--mount-proc', 'true'], { stdio: 'ignore' });
    return onLinux && isRoot;
  } catch {
    return false;
  }
})();

/** A shell as the first process of a container on the world's volume; all in it ends with it. */
function container(world: World, script: string) {
  const child = spawn('unshare', ['-pf', '--kill-child', '--mount-proc', 'bash', '-c', script], {
    env: { ...process.env, UNJAM_HOME: world.home },
    cwd: world.home,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (t: string) => (out += t));
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(out)));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { ended, kill: () => (child.kill('SIGKILL'), ended) };
}

describe.runIf(canContain)('a container on a volume', () => {
  const unjam = quoted(program);

  test('that was killed and is started again finds its mutex free, and the end of its script told', async () => {
    await using world = await World.empty();
    const first = container(world, `${unjam} start --ticket a --mutex db -- sleep 3600 && touch up; sleep 3600`);
    await untilFile(join(world.home, 'up'));
    const holdsTheNumber = container(world, 'sleep 3600'); // or the next one could get the number of the dead namespace
    await first.kill();
    const said = await container(
      world,
      `timeout 50 ${unjam} run --ticket b --mutex db -- echo second; ${unjam} status a; ${unjam} locks`,
    ).ended;
    await holdsTheNumber.kill();
    expect(said).toContain('second');
    expect(said).toMatch(/Exit unknown|lost/i);
  });

  test('that still runs keeps its mutex from another one on the same volume', async () => {
    await using world = await World.empty();
    container(world, `${unjam} start --ticket a --mutex db -- sleep 3600 && touch up; sleep 3600`);
    await untilFile(join(world.home, 'up'));
    // It reaches the first one's host over the volume; by itself (`hold` has no host) it waits for that one's script.
    const said = await container(world, `${unjam} hold --mutex db --mutex-timeout 1s -- echo second; echo "status $?"`)
      .ended;
    expect(said).toContain('status 172');
    expect(said).not.toContain('second');
  });

  test('whose host is stopped says where it is, and that a host can take its place', async () => {
    await using world = await World.empty();
    const first = container(
      world,
      // Stopped first: a host that runs puts its socket back within a second.
      `${unjam} serve & until [ -S host.sock ]; do sleep .05; done; kill -STOP $!; rm host.sock; touch up; wait`,
    );
    await untilFile(join(world.home, 'up'));
    const said = await container(world, `timeout 100 ${unjam} ps; echo "status $?"`).ended;
    expect(said).toContain('in another container');
    expect(said).toContain('serve --take-over');
    await first.kill();
    expect(await container(world, `timeout 50 ${unjam} ps`).ended).toContain('Nothing is running');
  });
});

describe.runIf(onLinux)('a mutex has a name that a person would write', () => {
  test.each(['web (prod)', 'Bühne', 'a+b', 'C:\\Deploy/web', '../../etc', 'デプロイ'])('%s', async (mutex) => {
    await using world = await World.open();
    const held = await world.cli('run', '--mutex', mutex, '--', 'sh', '-c', 'printf %s "$UNJAM_MUTEX"');
    expect(held).toMatchObject({ status: 0, stdout: mutex });
    expect(readdirSync(join(world.home, 'mutexes'))).toEqual([expect.stringMatching(/^[a-z0-9_]+-[0-9a-f]{16}$/)]);
  });
});

test.runIf(onLinux)('a shared script behind an exclusive one that waits is told whom it waits for', async () => {
  await using world = await World.open();
  const isolation = (level: 'full' | 'none') => ({ level, mutex: 'web' }) as const;
  await world.start('sleep 3600', { name: 'Reader one', isolation: isolation('none') });
  const alone = await world.start('true', { name: 'Migrate', isolation: isolation('full') });
  const behind = await world.start('true', { name: 'Reader two', isolation: isolation('none') });
  await world.untilLogged(behind.ticket, '"Migrate"');
  const seen = await world.get(behind.ticket);
  expect(seen).toMatchObject({ waitingFor: alone.ticket, holder: { ticket: alone.ticket } });
  expect(seen.condition.headline).toContain('behind "Migrate"');
});
