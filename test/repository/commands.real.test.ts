/** Every command that README and docs show works as it stands there. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

const project = join(import.meta.dirname, '../..');
const bin = join(project, 'app/cli/bin.js');
const pages = ['README.md', ...readdirSync(join(project, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);
const read = (page: string): string => readFileSync(join(project, page), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Lines of code blocks, with continuations joined, and code in the text. */
const commands = pages.flatMap((page) => {
  const blocks = [...read(page).matchAll(/^```\w*\n([^]*?)^```/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replace(/\\\n\s*/g, '').split('\n'));
  const inline = [
    ...read(page)
      .replace(/^```[^]*?^```/gm, '')
      .matchAll(/`([^`\n]+)`/g),
  ].map(([, code = '']) => code);
  return [...lines, ...inline]
    .flatMap((line) => line.replace(/\s#\s.*$/, '').split('&&'))
    .map((line) => ({ page, line: line.trim().replace(/^(chrt -r 1|\$|>) /, '') }));
});
const starting = (pattern: RegExp) => commands.filter(({ line }) => pattern.test(line));

test('npm run NAME and npm NAME are scripts of package.json', () => {
  const own = new Set(['ci', 'install', 'pack', 'view']);
  const wrong = starting(/^npm (run )?[a-z]/).filter(({ line }) => {
    const name = /^npm (?:run (?:--silent )?)?([a-z:]+)/.exec(line)?.[1] ?? '';
    return !own.has(name) && scripts[name] === undefined;
  });
  expect(wrong).toEqual([]);
});

test.each(['bench', 'torture'])('npm run %s -- NAME names a program that is there', (kind) => {
  const listed = execFileSync('npm', ['run', '--silent', kind], { cwd: project, encoding: 'utf8', stdio: 'pipe' });
  const said = spawnSync('npm', ['run', '--silent', kind], { cwd: project, encoding: 'utf8' }).stderr + listed;
  const known = [...said.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
  expect(known.length).toBeGreaterThan(2);
  const named = starting(new RegExp(`^npm run ${kind} -- `)).map(({ line }) => line.split(/\s+/)[4]);
  expect(named.filter((name) => name !== 'NAME' && !known.includes(name))).toEqual([]);
});

test('no page runs a TypeScript file itself: the machine’s Node may be too old for it', () => {
  expect(starting(/^node \S+\.ts\b/)).toEqual([]);
});

test('every verb and option of "unjam" is one of the command line’s', () => {
  const hidden = new Set(['--background']); // what a command says to the host that it starts
  const help = new Map<string, string>();
  const helpOf = (...words: string[]): string => {
    const key = words.join(' ');
    const known = help.get(key) ?? spawnSync(process.execPath, [bin, ...words, '--help'], { encoding: 'utf8' }).stdout;
    help.set(key, known);
    return known;
  };
  const wrong = starting(/^(npx )?unjam [a-z]/).flatMap(({ page, line }) => {
    const [, verb = '', rest = ''] = /unjam ([a-z-]+)(.*)/.exec(line) ?? [];
    const options = (rest.split(/\s--(?:\s|$)/)[0] ?? '').match(/--[a-z][a-z-]+/g) ?? [];
    if (!helpOf(verb).includes(`unjam ${verb}`)) return [`${page}: ${line}: there is no verb ${verb}`];
    const [inner = ''] = rest.trim().split(' ');
    const hasInner = helpOf(verb).includes('\nCommands:') && /^[a-z]/.test(inner);
    const words = hasInner ? [verb, inner] : [verb];
    return options
      .filter((option) => !hidden.has(option) && !helpOf(...words).includes(option))
      .map((option) => `${page}: ${line}: no ${option}`);
  });
  expect(wrong).toEqual([]);
});

test('the first script of the README can be followed line by line', async () => {
  await using world = await World.empty();
  const section = /## First script\n([^]*?)\n## /.exec(read('README.md'))?.[1] ?? '';
  const lines = [...section.matchAll(/^```\n([^]*?)^```/gm)]
    .flatMap(([, block = '']) => block.replace(/\\\n\s*/g, '').split('\n'))
    .filter((line) => line.startsWith('npx unjam '));
  expect(lines.length).toBeGreaterThan(6);
  let ticket = '';
  for (const line of lines) {
    const command = line.replace(/^npx unjam/, `"${process.execPath}" "${bin}"`).replaceAll('TICKET', ticket);
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
      cwd: world.home,
      env: { ...process.env, UNJAM_HOME: world.home },
      encoding: 'utf8',
    });
    ticket ||= stdout.trim();
    // Cancel is ignored by this script, and Abandon is for one that Force Kill has not ended.
    if (!/^npx unjam (cancel|abandon)/.test(line))
      expect([line, status, stderr]).toEqual([line, 0, expect.any(String)]);
  }
});
