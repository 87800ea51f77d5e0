/** Builds the console into dist/renderer; strict enough for the content security policy of both hosts. */
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const components = globSync('renderer/**/*.svelte', { cwd: import.meta.dirname }).toSorted();

/**
 * The class name of a component's own styles: A to Z, then AA and so on, in capitals as nothing else is. The usual ones are
 * eight times as long: 11 KB over a slow remote session.
 */
function scopeOf(filename: string): string {
  const known = components.indexOf(relative(import.meta.dirname, filename));
  const index = known < 0 ? components.length : known; // svelte-check asks for one that does not exist
  const letter = (n: number): string => String.fromCharCode(65 + n);
  return index < 26 ? letter(index) : letter(Math.floor(index / 26) - 1) + letter(index % 26);
}

export default defineConfig({
  root: 'renderer',
  base: './',
  plugins: [svelte({ compilerOptions: { cssHash: ({ filename }) => scopeOf(filename), discloseVersion: false } })],
  logLevel: 'warn',
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'chrome150',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
    // One chunk for all that an emergency needs; only what is not, is loaded when it is looked at.
    rolldownOptions: {
      checks: { bundlerTimings: false },
      output: { entryFileNames: 'assets/[name]-[hash].js' },
    },
  },
});
