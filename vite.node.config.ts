/** Bundles the Node programs `dist/cli.js` and, for Electron, `dist/main/main.js`. */
import { existsSync } from 'node:fs';
import { defineConfig } from 'vite';

const entries: Record<string, string> = {
  cli: 'app/cli/main.ts',
  'main/main': 'main/main.ts',
};

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
      input: Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file))),
      external: ['electron', 'koffi'],
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
  ssr: { noExternal: true, external: ['electron', 'koffi'] },
});
