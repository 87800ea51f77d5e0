import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '..', '..');

test('docs/log-lines.md explains every code that the program writes', () => {
  const written = ['app', 'main']
    .flatMap((folder) =>
      readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    )
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => readFileSync(join(repository, file), 'utf8').match(/\b[IW]\d{3}\b/g) ?? []);
  const page = readFileSync(join(repository, 'docs/log-lines.md'), 'utf8');
  const ofUnjamItself = (code: string): boolean => /^W29[789]$|^W39\d$/.test(code);
  const missing = [...new Set(written)].filter((code) => !page.includes(code) && !ofUnjamItself(code));
  expect(missing.sort()).toEqual([]);
});
