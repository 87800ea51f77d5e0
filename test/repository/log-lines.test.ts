import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '..', '..');

test('docs/log-lines.md says of every code that the program writes what happened, why, and what to do', () => {
  const written = ['app', 'main']
    .flatMap((folder) =>
      readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    )
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => readFileSync(join(repository, file), 'utf8').match(/\b[IW]\d{3}\b/g) ?? []);
  const page = readFileSync(join(repository, 'docs/log-lines.md'), 'utf8');
  // | code code | what happened | why, and what to do |
  const explained = page
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, , what, why]) => what !== '' && why !== undefined && why !== '')
    .flatMap(([, codes = '']) => codes.match(/\b[IW]\d{3}\b/g) ?? []);
  expect([...new Set(written)].filter((code) => !explained.includes(code)).sort()).toEqual([]);
});
