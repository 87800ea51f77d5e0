/** Builds the console into dist/renderer; strict enough for the content security policy of both hosts. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'renderer',
  base: './',
  // The usual class names of scoped styles are three times as long: 5 KB over a slow remote session.
  plugins: [svelte({ compilerOptions: { cssHash: ({ hash, filename }) => `s${hash(filename).slice(0, 4)}` } })],
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
