/** What the page may weigh: it must open at once over a slow remote session. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ensureBuilt } from '../support/browser.ts';

const root = join(import.meta.dirname, '../../dist/renderer');
/** What the page names is loaded before it is shown; every other file when it is asked for. */
const isFirst = (name: string): boolean => readFileSync(join(root, 'index.html'), 'utf8').includes(`assets/${name}`);
const size = (extension: string, part = isFirst): number =>
  readdirSync(join(root, 'assets'))
    .filter((name) => name.endsWith(extension) && part(name))
    .reduce((sum, name) => sum + statSync(join(root, 'assets', name)).size, 0);

beforeAll(ensureBuilt);

it('has at most 250 KiB of script and 40 KiB of style', () => {
  expect(size('.js')).toBeLessThanOrEqual(250 * 1024);
  expect(size('.css')).toBeLessThanOrEqual(40 * 1024);
});

it('loads at most 8 KiB more for what is looked at', () => {
  const later = readdirSync(join(root, 'assets')).filter((name) => !isFirst(name));
  // A part has its script and its style under one name.
  const parts = Map.groupBy(later, (name) => name.slice(0, name.indexOf('-')));
  const sizes = [...parts].map(([part, files]) => [part, size('', (name) => files.includes(name))]);
  expect(sizes.filter(([, bytes]) => Number(bytes) > 8 * 1024)).toEqual([]);
});

it('has nothing inline that the content security policy would block', () => {
  const page = readFileSync(join(root, 'index.html'), 'utf8');
  expect(page).not.toMatch(/<style|style=|onload=|<script(?![^>]*src=)/);
});
