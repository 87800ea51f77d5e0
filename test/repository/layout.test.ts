/** The name of a test file says what it needs of the machine: vitest.config.ts runs it accordingly. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '..');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.test.ts') && !/^(browser|windows|packaged|torture)\//.test(file));

test('a test that starts the product is a *.real.test.ts', () => {
  const starts = /from '\.\.\/support\/(world|wreck|hanging-file-system)\.ts'/;
  const wrong = files.filter((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return starts.test(text) && !file.endsWith('.real.test.ts');
  });
  expect(wrong).toEqual([]);
});

test('every test lies in the folder of what it is about', () => {
  expect(files.filter((file) => !file.includes('/'))).toEqual([]);
});
