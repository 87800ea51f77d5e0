/** What the page may weigh: it must open at once over a slow remote session. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ensureBuilt } from '../support/browser.ts';

const root = join(import.meta.dirname, '../../dist/renderer');
const size = (extension: string): number =>
  readdirSync(join(root, 'assets'))
    .filter((name) => name.endsWith(extension))
    .reduce((sum, name) => sum + statSync(join(root, 'assets', name)).size, 0);

beforeAll(ensureBuilt);

it('has at most 250 KiB of script and 40 KiB of style', () => {
  expect(size('.js')).toBeLessThanOrEqual(250 * 1024);
  expect(size('.css')).toBeLessThanOrEqual(40 * 1024);
});

it('has nothing inline that the content security policy would block', () => {
  const page = readFileSync(join(root, 'index.html'), 'utf8');
  expect(page).not.toMatch(/<style|style=|onload=|<script(?![^>]*src=)/);
});
