/** Bundles the Node programs `dist/cli.js`, `dist/setup.js` (for the installer of Windows) and, for Electron, `dist/main/main.js`. */
import { defineConfig, type Plugin, type UserConfig } from 'vite';

/**
 * Of a built-in module that nothing uses the bundler leaves `require("node:crypto");`, and one that is used it loads at
 * the start. In CommonJS each is loaded where it is first used instead: `node:crypto` and `node:child_process` alone take
 * 25 ms of CPU, and most commands call nothing of them.
 */
const lateBuiltIns: Plugin = {
  name: 'late-built-ins',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      const names = new Map<string, string>();
      file.code = file.code
        .replace(/^require\("node:[\w/]+"\);$/gm, '')
        .replace(/^let (node_\w+) = (require\("node:[\w/]+"\));$/gm, (_line, name: string, load: string) => {
          names.set(name, `(${load})`); // parenthesised for "new"
          return '';
        })
        .replace(/^(node_\w+) = \w+\.__toESM\(\1, 1\);$/gm, '') // for a default import, which is the module itself
        .replace(/\b(node_\w+)(?:\.default\b)?/g, (use, name: string) => names.get(name) ?? use);
    }
  },
};

export const programs = (input: Record<string, string>, format: 'es' | 'cjs'): UserConfig => {
  const extension = format === 'es' ? 'js' : 'cjs';
  return {
    publicDir: false,
    plugins: [lateBuiltIns],
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
