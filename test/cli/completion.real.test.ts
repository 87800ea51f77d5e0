/** What `unjam completion` prints works in the shells themselves, and what the man page says is read by man. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faults } from '../support/grammar.ts';
import { root } from '../support/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'unjam-completion-'));
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const file = (shell: string): string => join(folder, shell);
const printed = (shell: string): string =>
  execFileSync(process.execPath, [join(root, 'dist/cli.js'), 'completion', shell], { encoding: 'utf8' });

beforeAll(() => {
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(file(shell), printed(shell));
});
afterAll(() => rmSync(folder, { recursive: true }));

const quote = (word: string): string => `'${word}'`;
/** What the shell offers for the last of `words`. */
const offered: Readonly<Record<string, (words: readonly string[]) => string>> = {
  bash: (words) =>
    execFileSync('bash', [
      ...['--norc', '-c'],
      `source ${file('bash')}; COMP_WORDS=(${words.map(quote).join(' ')}); COMP_CWORD=${words.length - 1}; _unjam; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]).toString(),
  zsh: (words) =>
    execFileSync('zsh', [
      ...['-f', '-c'],
      `compdef() { : }; _files() { : }; compadd() { print -l -- "$@[2,-1]" }; source ${file('zsh')}; words=(${words.map(quote).join(' ')}); CURRENT=${words.length}; _unjam`,
    ]).toString(),
  fish: (words) =>
    execFileSync('fish', ['--no-config', '-c', `source ${file('fish')}; complete -C ${quote(words.join(' '))}`], {
      cwd: folder,
      env: { ...process.env, HOME: folder },
    }).toString(),
};

describe.each(Object.keys(offered))('%s', (shell) => {
  const words = (...typed: string[]): string[] =>
    (offered[shell]?.(typed) ?? '')
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '')
      .filter((word) => word.startsWith(typed.at(-1) ?? ''));

  test.skipIf(!has(shell))('completes commands, commands below them, and options', () => {
    expect(words('unjam', 'can')).toEqual(['cancel']);
    expect(words('unjam', 'locks', 're')).toEqual(['resume']);
    expect(words('unjam', 'run', '--cancel-w')).toEqual(['--cancel-with-caller']);
    expect(words('unjam', 'service', 'in')).toEqual(['install']);
  });

  test.skipIf(!has(shell))('offers no option of Unjam after "--"', () => {
    expect(words('unjam', 'run', '--', 'bash', '--ti')).toEqual([]);
  });
});

test('powershell: the words of every command stand in it', async () => {
  const script = printed('powershell');
  expect(await faults('powershell', script)).toEqual([]);
  expect(script).toContain('Register-ArgumentCompleter -Native -CommandName unjam');
  expect(script).toMatch(/'unjam locks' = @\('resume', /);
});

test('another shell is refused', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), 'completion', 'tcsh'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining('Use one of bash, zsh, fish, powershell') as string,
  });
});

test.skipIf(!has('man'))('the man page is read without a warning', () => {
  const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', join(root, 'docs/man/unjam.1')], {
    encoding: 'utf8',
    env: { ...process.env, MANWIDTH: '120', LC_ALL: 'C.UTF-8' },
  });
  expect(stderr).toBe('');
  expect(stdout).toContain('--cancel-with-caller');
});
