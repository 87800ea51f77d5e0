/** What the documents claim to be proven is proven by a test that exists. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(repository, ...path), 'utf8');
const security = read('docs', 'security.md');
const checklist = read('docs', 'windows-checklist.md');

/** A document names a test without its kind: `api.test.ts` is `api.real.test.ts` too. */
const plain = (file: string): string => file.replace(/\.(property|real)\.test\.ts$/, '.test.ts');

/** Test files by name, with every text in quotes that stands first in brackets: titles are among these. */
const tests = new Map<string, string[]>();
for (const file of readdirSync(join(repository, 'test'), { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.test.ts')) continue;
  const texts = [...read('test', file).matchAll(/\(\s*(['"`])((?:\\.|(?!\1)[^\n\\])*)\1/g)];
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

const rows = security
  .split('\n')
  .filter((line) => line.startsWith('|') && !line.startsWith('|--') && !/^\| (#|Threat|Call|Fuse|What) /.test(line));

/** The tables that have a column of proofs. */
const proven = security.slice(security.indexOf('## What is defended'), security.indexOf('## Confirmations'));

describe('docs/security.md', () => {
  test('names a test that exists in every row', () => {
    const withProof = rows.filter((row) => proven.includes(row));
    expect(withProof.length).toBeGreaterThan(25);
    for (const row of withProof) {
      const found = claims(row.slice(row.lastIndexOf(' | ')));
      expect([row, found.flatMap(({ titles }) => titles).length > 0]).toEqual([row, true]);
    }
    const missing = claims(security).flatMap(({ file, titles }) => [
      ...(tests.has(file) ? [] : [`there is no ${file}`]),
      ...titles.filter((title) => !isThere(file, title)).map((title) => `${file} has no "${title}"`),
    ]);
    expect(missing).toEqual([]);
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
    expect(rows.filter((row) => /^\| [A-Z]\w+ \| (on|off|as shipped \(on\)) \|/.test(row))).toHaveLength(9);
  });
});
