/** Bundles the preload to the one CommonJS file that a sandboxed renderer can load: `dist/main/preload.cjs`. */
import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  logLevel: 'warn',
  build: {
    target: 'chrome156',
    outDir: 'dist/main',
    emptyOutDir: false,
    minify: false,
    sourcemap: false,
    modulePreload: false,
    lib: { entry: 'main/preload/preload.ts', formats: ['cjs'], fileName: () => 'preload.cjs' },
    rolldownOptions: { external: ['electron'] },
  },
});
