/** The files of an installation are deleted, and others put in their place, under what runs from them. */
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import type { Finished } from '../support/wine.ts';
import { useWindows } from './support/runtime.ts';

const run = useWindows();

test('host, runners, a script and its waiter go on; nothing that is loaded late is missed, and nothing new starts', async () => {
  const { windows } = run;
  const local = (path: string): string => (windows.isWine ? path.slice(2).replaceAll('\\', '/') : path);
  const home = join(windows.folder, 'home of an update');
  const installed = `${windows.programs}-installed`;
  onTestFinished(() => rm(local(installed), { recursive: true, force: true, maxRetries: 10 }));
  await cp(local(windows.programs), local(installed), { recursive: true });
  const env = { UNJAM_HOME: windows.path(home) };
  const unjam = (...args: string[]): Promise<Finished> =>
    windows.run('cli', args, { env, programs: installed }).finish();
  const simulant = (...args: string[]): string[] => ['--', windows.node, `${windows.programs}\\simulant.js`, ...args];
  const go = join(windows.folder, 'go');

  const holder = await unjam(
    'start',
    '--ticket',
    'holder',
    '--mutex',
    'web',
    ...simulant('told', windows.path(go), '77'),
  );
  expect(holder).toMatchObject({ stdout: 'holder\n', stderr: '' });
  await unjam('start', '--ticket', 'waiter', '--mutex', 'web', ...simulant('exit', '5'));

  await rm(local(installed), { recursive: true, force: true });
  const options = { home: windows.path(home), ticket: 'holder' };
  const answers = await run.scenario<Record<string, string>>('client', 'ask everything', options);
  expect(answers).toMatchObject({ 'scripts.get': 'ok', 'scripts.why': 'ok', 'logs.lines': 'ok', 'history.list': 'ok' });
  for (const answer of Object.values(answers)) expect(answer).not.toMatch(/^internal|Cannot find/);

  await cp(local(windows.programs), local(installed), { recursive: true });
  await appendFile(join(local(installed), 'runner.cjs'), '\n// of another version\n');
  const refused = await unjam('start', ...simulant('exit', '0'));
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/"[^"]*runner\.cjs" was replaced\. Nothing was started/);

  await writeFile(go, '');
  const verdict = (ticket: string) => new RunDirectory(join(home, 'runs', ticket)).readVerdict();
  await expect.poll(() => verdict('waiter'), { timeout: 120_000 }).toMatchObject({ kind: 'exited', exitCode: 5 });
  expect(verdict('holder')).toMatchObject({ kind: 'exited', exitCode: 77 });
  expect(await unjam('serve', '--stop')).toMatchObject({ code: 0 });
  expect(await readFile(join(home, 'host.log'), 'utf8')).not.toMatch(/W399|Cannot find/);
});
