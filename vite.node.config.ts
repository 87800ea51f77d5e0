/** Bundles the Node programs `dist/cli.js`, `dist/setup.js` (for the installer of Windows) and, for Electron, `dist/main/main.js`. */
import { defineConfig, type Plugin, type UserConfig } from 'vite';

/** Of a built-in module that nothing uses the bundler leaves `require("node:crypto");`, and that takes 10 ms of a start. */
const withoutUnusedBuiltIns: Plugin = {
  name: 'without-unused-built-ins',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle))
      if (file.type === 'chunk') file.code = file.code.replace(/^require\("node:[\w/]+"\);$/gm, '');
  },
};

export const programs = (input: Record<string, string>, format: 'es' | 'cjs'): UserConfig => {
  const extension = format === 'es' ? 'js' : 'cjs';
  return {
    publicDir: false,
    plugins: [withoutUnusedBuiltIns],
    logLevel: 'warn',
    build: {
      ssr: true,
      target: 'node22',
      outDir: 'dist',
      emptyOutDir: false,
      minify: false,
      sourcemap: false,
      rolldownOptions: {
        input,
        checks: { bundlerTimings: false },
        external: ['electron', 'koffi'],
        output: {
          format,
          entryFileNames: `[name].${extension}`,
          chunkFileNames: `chunks/[name]-[hash].${extension}`,
        },
      },
    },
    ssr: { noExternal: true, external: ['electron', 'koffi'] },
  };
};

export default defineConfig(
  programs({ cli: 'app/cli/entry.ts', setup: 'app/setup/main.ts', 'main/main': 'main/main.ts' }, 'es'),
);
