/** Clean-up commands: when they run, what they are told, and that nothing of them outlives the hold of the mutex. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../support/world.ts';
import { end, rootOf, runnerOf, untilFile } from '../support/wreck.ts';

const said = `sh -c 'echo "$UNJAM_CLEANUP $UNJAM_VERDICT $UNJAM_CAUSE ($UNJAM_EXIT_CODE)" >>told'`;
const told = (world: World): string =>
  existsSync(join(world.home, 'told')) ? readFileSync(join(world.home, 'told'), 'utf8') : '';
const pidIn = (world: World, file: string): number => Number(readFileSync(join(world.home, file), 'utf8'));
const lives = (world: World, pid: number): boolean => world.control.identify(pid) !== null;

describe('--cleanup-when', () => {
  const fails = 'exit 3';
  const isCancelled = 'touch up; sleep 3600';
  test.each([
    ['none given', [], fails, ''],
    ['none given', [], isCancelled, '1 cancelled cancelled ()\n'],
    ['cancel', ['--cleanup-when', 'cancel'], fails, ''],
    ['failure', ['--cleanup-when', 'failure'], fails, '1 exited exited (3)\n'],
    ['failure', ['--cleanup-when', 'failure'], 'exit 0', ''],
    ['failure', ['--cleanup-when', 'failure'], isCancelled, '1 cancelled cancelled ()\n'],
    ['always', ['--cleanup-when', 'ALWAYS'], 'exit 0', '1 exited exited (0)\n'],
    ['always', ['--cleanup-when', 'always', '--timeout', '100ms'], 'exec sleep 3600', '1 timed-out overall ()\n'],
  ] as const)('%s (%j), and the script is "%s": it is told "%s"', async (_, options, script, expected) => {
    await using world = await World.open();
    const run = world.cli('run', '--ticket', 't', '--cleanup', said, ...options, '--', 'sh', '-c', script);
    if (script === isCancelled) {
      await untilFile(join(world.home, 'up'));
      await world.cli('cancel', 't');
    }
    await run;
    expect(told(world)).toBe(expected);
  });

  test.each([
    [
      ['--cleanup-when', 'sometimes', '--cleanup', 'true'],
      '--cleanup-when: "sometimes" is not one of cancel, failure, always',
    ],
    [['--cleanup-when', 'always'], '--cleanup-when is given without --cleanup'],
    [['--cleanup-timeout', '1m'], '--cleanup-timeout is given without --cleanup'],
    [['--cleanup', 'no-such-command-anywhere'], 'The clean-up command "no-such-command-anywhere" was not found'],
    [['--cleanup', '"unclosed'], 'a quote that is not closed'],
  ])('%j is refused with the field and the next step, and nothing is started', async (options, message) => {
    await using world = await World.open();
    const refused = await world.cli('run', ...options, '--', 'touch', 'started');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain(message);
    expect(refused.stderr).toContain('nothing was started');
    expect(existsSync(join(world.home, 'started'))).toBe(false);
  });
});

test('its output is in the script’s log before the line that says how it ended, however it opens it', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('echo deployed; exit 1', {
    cleanup: { command: ['sh', '-c', 'echo one; echo two >/dev/stderr; echo three >/dev/stdout; exit 4'], timeoutMs: 60_000, when: 'failure' }, // prettier-ignore
  });
  await world.untilFinal(ticket);
  expect(await world.log(ticket)).toMatch(/deployed\n[^]*one\n[^]*three\n[^]*W241 The clean-up command failed: exit code 4/); // prettier-ignore
  expect(await world.log(ticket)).toContain('two\n');
});

test('a command that the script has made is found when it runs; one that is missing then is told', async () => {
  await using world = await World.open();
  const makes = "printf '#!/bin/sh\\ntouch made\\n' >tidy && chmod +x tidy && exit 1";
  const made = await world.cli('run', '--cleanup', './tidy', '--cleanup-when', 'failure', '--', 'sh', '-c', makes);
  expect(made.stderr).toContain('I240');
  expect(existsSync(join(world.home, 'made'))).toBe(true);
  const missing = await world.cli('run', '--cleanup', './none', '--cleanup-when', 'failure', '--', 'false');
  expect(missing).toMatchObject({ status: 1 });
  expect(missing.stderr).toContain(
    'W241 The clean-up command failed: "./none" was not found on the PATH of the script',
  );
});

describe.runIf(process.platform === 'linux')('the mutex is free only when the clean-up is gone', () => {
  const mutex = ['--mutex', 'db'];
  /** Says which of the pids in the files `a`, `b`, `c` live. */
  const next = 'for f in a b c; do grep -q "^State:.[^ZX]" "/proc/$(cat $f)/status" 2>/dev/null && echo "$f lives"; done; echo over'; // prettier-ignore
  const leaves = `bash -c 'trap "" TERM; sleep 3600 & echo $! >a; setsid sleep 3600 & echo $! >b; env -u UNJAM_RUN sleep 3600 & echo $! >c; `; // prettier-ignore

  test.each([
    ['that has reached its bound', `${leaves} sleep 3600'`, 'it had not ended in time'],
    ['that has exited and left children', `${leaves} exit 0'`, 'I240'],
  ])('of one %s, also after an exit of the script’s own', async (_, cleanup, line) => {
    await using world = await World.open();
    const options = ['--cleanup', cleanup, '--cleanup-when', 'always', '--cleanup-timeout', '1s', ...mutex];
    const first = world.cli('run', '--ticket', 'first', ...options, '--', 'sh', '-c', 'echo ran; exit 5');
    await untilFile(join(world.home, 'c'));
    const second = await world.cli('run', ...mutex, '--', 'sh', '-c', next);
    expect(second.stdout).toBe('over\n');
    const { status, stderr } = await first;
    expect(status).toBe(5);
    expect(stderr).toContain(line);
    expect(stderr).toContain('because the clean-up command left processes');
    expect(await world.get('first')).toMatchObject({ verdict: 'exited', exitCode: 5 });
  });

  test('and what the script itself left on purpose lives on', async () => {
    await using world = await World.open();
    const left = 'setsid sleep 3600 & echo $! >a';
    await world.cli('run', '--ticket', 't', '--cleanup', `sh -c 'sleep 3600 & echo $! >b'`, '--cleanup-when', 'always', ...mutex, '--', 'bash', '-c', left); // prettier-ignore
    expect(await world.get('t')).toMatchObject({ verdict: 'exited', exitCode: 0 });
    expect([lives(world, pidIn(world, 'a')), lives(world, pidIn(world, 'b'))]).toEqual([true, false]);
  });

  test('Force Kill ends one that runs; the verdict is that of the script', async () => {
    await using world = await World.open();
    const run = world.cli('run', '--ticket', 't', '--cleanup', `sh -c 'echo $$ >a; exec sleep 3600'`, '--cleanup-when', 'always', ...mutex, '--', 'sh', '-c', 'exit 3'); // prettier-ignore
    await untilFile(join(world.home, 'a'));
    await world.cli('kill', 't');
    expect((await run).status).toBe(3);
    expect((await run).stderr).toContain('while the clean-up command ran');
    expect(lives(world, pidIn(world, 'a'))).toBe(false);
    expect(await world.get('t')).toMatchObject({ verdict: 'exited', exitCode: 3 });
  });

  test('a runner dies while it runs: it is waited for, and does not run a second time', async () => {
    await using world = await World.open();
    const cleanup = `sh -c 'echo x >>a; until [ -e go ]; do sleep .05; done; echo y >>a'`;
    await world.cli('start', '--ticket', 't', '--cleanup', cleanup, '--cleanup-when', 'always', ...mutex, '--', 'false'); // prettier-ignore
    await untilFile(join(world.home, 'a'));
    await end(world, runnerOf(world, 't'));
    const second = await world.start('cat a', { isolation: { level: 'full', mutex: 'db' } });
    await world.untilLogged(second.ticket, 'Waiting');
    expect(world.control.liveness(rootOf(world, 't'))).toBe('dead');
    writeFileSync(join(world.home, 'go'), '');
    await world.untilFinal(second.ticket);
    expect(await world.log(second.ticket)).toContain('x\ny\n');
    expect(await world.untilFinal('t')).toMatchObject({ verdict: 'exited', exitCode: 1 });
    expect(await world.log('t')).toContain('so its exit code is unknown');
  });
});
