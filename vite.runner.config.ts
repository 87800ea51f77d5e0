/**
 * Bundles the runner to CommonJS, `dist/runner.cjs`: of each start Node's loader of ES modules takes 6 of 54 ms of CPU,
 * and touches parts of its built-in modules that a runner never needs (docs/benchmarks.md).
 */
import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  logLevel: 'warn',
  build: {
    ssr: true,
    target: 'node22',
    outDir: 'dist',
    emptyOutDir: false,
    minify: false,
    sourcemap: false,
    rolldownOptions: {
      input: { runner: 'app/runner/main.ts' },
      external: ['koffi'],
      output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'chunks/[name]-[hash].cjs' },
    },
  },
  ssr: { noExternal: true, external: ['koffi'] },
});
