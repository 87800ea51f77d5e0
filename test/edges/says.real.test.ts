/** What Unjam says: who is told of an end, and what becomes of a telling that fails. Through the built command line. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../support/world.ts';
import { untilFile } from '../support/wreck.ts';

/** A line of bash. */
const shell = (world: World, line: string): Promise<{ stdout: string; stderr: string }> =>
  new Promise((resolve) =>
    execFile(
      'bash',
      ['-c', line],
      { cwd: world.home, env: { ...process.env, UNJAM_HOME: world.home } },
      (_, stdout, stderr) => resolve({ stdout, stderr }),
    ),
  );

const asks = 'printf "%s|" "$1" "$UNJAM_VERDICT" "$UNJAM_EXIT_CODE" "$UNJAM_SIGNAL" "$UNJAM_RESULT_CODE" "$UNJAM_LAST_OUTPUT" >told.tmp; mv told.tmp told'; // prettier-ignore

test.each([
  ['words of a shell', `sh -c '${asks}' sh "two words"`],
  ['a JSON array', JSON.stringify(['sh', '-c', asks, 'sh', 'two words'])],
])('--notify as %s gets verdict, codes, signal and the last lines', async (_, notify) => {
  await using world = await World.open();
  const script = 'seq 100; echo last; kill -KILL $$';
  const { status } = await world.cli('run', '--notify', notify, '--', 'bash', '-c', script);
  expect(status).toBe(137);
  await untilFile(join(world.home, 'told'));
  const [word, verdict, code, signal, result, output = ''] = readFileSync(join(world.home, 'told'), 'utf8').split('|');
  expect([word, verdict, code, signal, result]).toEqual(['two words', 'exited', '', 'SIGKILL', '-41']);
  expect(output.split('\n')).toHaveLength(20);
  expect(output).toContain('100');
  expect(output).toContain('last');
});

test('a notify command that fails is in the script’s log and in the history', async () => {
  await using world = await World.open();
  await world.cli('run', '--ticket', 't', '--notify', 'false', '--', 'true');
  await untilFile(join(world.home, 'runs/t/delivered.json'));
  for (const words of [['logs', 't'], ['history', '--ticket', 't']])
    expect((await world.cli(...words)).stdout, words[0]).toContain('The end of the script could not be reported: the notify command failed'); // prettier-ignore
  expect(existsSync(join(world.home, 'runs/t/verdict.json'))).toBe(true);
});

test.runIf(process.platform === 'linux')(
  'unjam start > /dev/full has started the script, and says its ticket',
  async () => {
    await using world = await World.open();
    const onto = async (where: string, ...words: string[]) => {
      const quoted = [process.execPath, world.program, ...words].map((word) => `'${word}'`).join(' ');
      const { stdout, stderr } = await shell(world, `set -o pipefail; ${quoted} ${where}; echo "status $?"`);
      return stdout + stderr;
    };
    for (const [where, why] of [
      ['> /dev/full', 'ENOSPC: no space left on device, write'],
      ['| exec true', 'nobody reads it any more'],
    ] as const)
      for (const asked of [
        ['start', '--', 'sh', '-c', 'sleep .3; echo ran'],
        ['start', '--json', '--', 'echo', 'ran'],
        ['retry', 't'],
      ]) {
        if (asked[0] === 'retry') await world.cli('run', '--ticket', 't', '--', 'echo', 'ran');
        const said = await onto(where, ...asked);
        const [, ticket = ''] =
          /Standard output could not be written: .*\. The script was started; its ticket is (\S+)\.\n/.exec(said) ?? [];
        expect(said).toContain(why);
        expect(said).toContain('status 0');
        expect(await world.cli('wait', ticket)).toMatchObject({ status: 0 });
        expect(await world.log(ticket)).toContain('ran');
        await world.cli('complete', 't');
      }
  },
);

test('the beginning of a ticket is no ticket: nothing is done to the script that it begins', async () => {
  await using world = await World.open();
  const { ticket } = await world.start('exec sleep 3600', { ticket: 'deploy-web-42' });
  for (const words of [
    ['status'],
    ['cancel'],
    ['kill', '--yes'],
    ['abandon', '--yes'],
    ['logs'],
    ['wait'],
    ['complete'],
  ]) {
    const [verb = '', ...options] = words;
    const said = await world.cli(verb, 'deploy-web', ...options);
    expect(said, verb).toMatchObject({ status: 1, stdout: '' });
    expect(said.stderr, verb).toMatch(/deploy-web[^\n]*\nNext: [^\n]*\(unknown-ticket\)/);
  }
  expect(await world.get(ticket)).toMatchObject({ state: 'running' });
  expect(existsSync(join(world.home, 'runs/deploy-web'))).toBe(false);
});

describe('--mask-env', () => {
  const value = 'correct-horse-battery';
  const masked = { DEPLOY_SALT: value };

  test('hides the value in each line, view and diagnosis, also of a host that was started later', async () => {
    await using world = await World.open();
    const script = 'trap "" TERM INT; echo up; sleep 3600 & until false; do wait; done';
    const words = ['start', '--ticket', 't', '--mask-env', 'DEPLOY_SALT', '--', 'bash', '-c', script, 'deploy', value];
    expect(await world.cliWith(masked, ...words)).toMatchObject({ status: 0 });
    await world.untilLogged('t', 'up');
    const shown = async (): Promise<void> => {
      const { command, ...rest } = await world.get('t');
      expect(command).toContain(value); // as it was asked for: it can be started again
      expect(JSON.stringify(rest)).toContain('[hidden]');
      expect(JSON.stringify(rest)).not.toContain(value);
      expect(JSON.stringify(await world.client.call('scripts.why', { ticket: 't' }))).not.toContain(value);
    };
    await shown();
    await world.client.call('scripts.cancel', {
      ticket: 't',
      graceMs: 100,
      escalate: false,
      reason: `salt is ${value}`,
    });
    await world.untilLogged('t', 'salt is [hidden]');
    await world.restartHost();
    await shown();
    await world.client.call('scripts.kill', { ticket: 't', reason: `again ${value}` });
    await world.untilFinal('t');
    expect((await world.cli('history', '--json')).stdout).toContain('again [hidden]');
    for (const name of readdirSync(world.home, { recursive: true, encoding: 'utf8' })) {
      const path = join(world.home, name);
      if (!statSync(path, { throwIfNoEntry: false })?.isFile() || /(spec|tree)\.json$/.test(name)) continue;
      if (!name.includes('requests')) expect(readFileSync(path, 'latin1').includes(value), name).toBe(false);
    }
  });

  test.each([
    ['a name that the script does not get', 'DEPLOY_SALTT', {}, 'the script gets no variable of that name'],
    ['a value that is too short to be told from other text', 'N', { N: '1' }, 'fewer than 4 characters'],
  ])('%s: nothing is started, and it is said why', async (_, name, environment, why) => {
    await using world = await World.open();
    const said = await world.cliWith(environment, 'start', '--ticket', 't', '--mask-env', name, '--', 'true');
    expect(said).toMatchObject({ status: 2, stdout: '' });
    expect(said.stderr).toContain(name);
    expect(said.stderr).toContain(why);
    expect(existsSync(join(world.home, 'runs/t'))).toBe(false);
  });
});
