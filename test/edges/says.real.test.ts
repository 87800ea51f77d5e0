/** What Unjam says: who is told of an end, and what becomes of a telling that fails. Through the built command line. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';
import { untilFile } from '../support/wreck.ts';

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
    expect((await world.cli(...words)).stdout, words[0]).toContain('The end of the script could not be told: the notify command failed'); // prettier-ignore
  expect(existsSync(join(world.home, 'runs/t/verdict.json'))).toBe(true);
});
