/** What the documents claim to be proven is proven by a test that exists. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { methods } from '../../app/contract/methods.ts';

const repository = join(import.meta.dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(repository, ...path), 'utf8');
const security = read('docs', 'security.md');
const checklist = read('docs', 'windows-checklist.md');

/** A document names a test without its kind: `api.test.ts` is `api.real.test.ts` too. */
const plain = (file: string): string => file.replace(/\.(property|real)\.test\.ts$/, '.test.ts');

/** The titles in each test file, by its name: what stands first in the brackets of a test, or of what `test.each` and the like answer. */
const tests = new Map<string, string[]>();
for (const file of readdirSync(join(repository, 'test'), { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.test.ts')) continue;
  const texts = [
    ...read('test', file).matchAll(/(?:\b(?:describe|it|on\w+|as\w+|promise|test)|[)`])\(\s*(['"`])((?:\\.|(?!\1)[^\n\\])*)\1/g),
  ]; // prettier-ignore
  const known = tests.get(plain(basename(file))) ?? [];
  tests.set(plain(basename(file)), [...known, ...texts.map(([, , text = '']) => text)]);
}

interface Claim {
  readonly file: string;
  readonly titles: readonly string[];
}

/** `file.test.ts` "title", "another"; a dot-dot-dot stands for any text. */
function claims(text: string): Claim[] {
  return [...text.matchAll(/`([\w.-]+\.test\.ts)`((?:,?\s+"[^"]+")*)/g)].map(([, file = '', titles = '']) => ({
    file: plain(file),
    titles: [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title.replace(/\s+/g, ' ')),
  }));
}

function isThere(file: string, title: string): boolean {
  const parts = title.split('…').map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const wanted = new RegExp(`^${parts.join('.*')}$`, 'su');
  return (tests.get(file) ?? []).some((text) => wanted.test(text));
}

interface Table {
  readonly header: string;
  readonly rows: readonly string[];
}
const isTable = (block: string): boolean => block.startsWith('|');
const tableOf = (block: string): Table => {
  const [header = '', , ...rows] = block.split('\n');
  return { header, rows };
};

/** The page by its sections, each in blocks: a paragraph, a list or a table. */
const sections = security
  .trim()
  .split(/^## /m)
  .slice(1)
  .map((text) => {
    const [title = '', ...blocks] = text.trim().split('\n\n');
    return { title, blocks };
  });
const tables = sections.flatMap(({ blocks }) => blocks.filter(isTable).map(tableOf));

const namesProof = (text: string): boolean =>
  claims(text).some(({ titles }) => titles.length > 0) || /windows-checklist \d+\.\d+/.test(text);

describe('docs/security.md', () => {
  test('names a test that exists in every row', () => {
    const proven = tables.filter(({ header }) => header.endsWith('| Proof |')).flatMap(({ rows }) => rows);
    expect(proven.length).toBeGreaterThan(50);
    for (const row of proven) {
      const found = claims(row.slice(row.lastIndexOf(' | ')));
      expect([row, found.flatMap(({ titles }) => titles).length > 0]).toEqual([row, true]);
    }
    const missing = claims(security).flatMap(({ file, titles }) => [
      ...(tests.has(file) ? [] : [`there is no ${file}`]),
      ...titles.filter((title) => !isThere(file, title)).map((title) => `${file} has no "${title}"`),
    ]);
    expect(missing).toEqual([]);
  });

  test('has no table without proofs but those of the fuses and of what is not proven here', () => {
    const others = tables.filter(({ header }) => !header.endsWith('| Proof |')).map(({ header }) => header);
    expect(others).toEqual(['| Fuse | Value | Why |', '| What | Step |']);
  });

  test('names one in every section, and in every paragraph that is no list of limits', () => {
    const silent = sections.flatMap(({ title, blocks }) =>
      blocks
        .filter((block) => !isTable(block) && !block.startsWith('- ') && !namesProof(block))
        .map((block) => `${title}: ${block.slice(0, 60)}`),
    );
    expect(silent).toEqual([
      'What is defended against what: Not defended: another program of the *same* user. It can end',
      'Not proven here: These need the real program on Windows; they are steps of th',
    ]);
    expect(sections.filter(({ blocks }) => !namesProof(blocks.join('\n'))).map(({ title }) => title)).toEqual([]);
  });

  test('has every command of the contract in its table of confirmations', () => {
    const { rows = [] } = tables.find(({ header }) => header.startsWith('| Call from the page |')) ?? {};
    const named = rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([\w.]+)`/g)].map(([, one]) => one));
    const commands = Object.entries(methods).filter(([, { kind }]) => kind === 'command').map(([name]) => name); // prettier-ignore
    expect(named.toSorted()).toEqual([...commands, 'window.signIn'].toSorted());
  });

  test('names steps of the Windows checklist that exist', () => {
    const steps = [...security.matchAll(/windows-checklist ((?:\d+\.\d+(?:, )?)+)/g)].flatMap(
      ([, list]) => list?.split(', ') ?? [],
    );
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.filter((step) => !checklist.includes(`| ${step} |`))).toEqual([]);
  });

  test('has the fuses as electron-builder.yml sets them', () => {
    const yml = read('electron-builder.yml');
    for (const [, name = '', value] of yml.matchAll(/^ {2}(\w+): (true|false)(?: #.*)?$/gm)) {
      const fuse = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      if (!security.includes(`| ${fuse} |`)) continue;
      expect(security).toContain(`| ${fuse} | ${value === 'true' ? 'on' : 'off'} |`);
    }
    expect(
      tables.flatMap(({ rows }) => rows).filter((row) => /^\| [A-Z]\w+ \| (on|off|as shipped \(on\)) \|/.test(row)),
    ).toHaveLength(9);
  });
});
