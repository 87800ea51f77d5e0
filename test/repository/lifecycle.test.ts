import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lifecyclePage } from '../../assets/print-lifecycle.ts';

test('docs/lifecycle.md shows the table as it is: "npm run lifecycle" prints it', () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/lifecycle.md'), 'utf8')).toBe(lifecyclePage());
});
