/** One project per kind of promise; `test/support` holds what they share. */
import { defineConfig } from 'vitest/config';

const project = (name: string, options: Record<string, unknown> = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: 'node' as const,
    pool: 'forks' as const,
    env: { ELECTRON_OVERRIDE_DIST_PATH: '/nonexistent', UNJAM_HOME: '/nonexistent/unjam-tests-set-their-own-home' },
    ...options,
  },
});

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      project('unit'),
      project('property'),
      project('main'),
      project('contract', { testTimeout: 30_000 }),
      project('processes', { testTimeout: 60_000, fileParallelism: false }),
      project('scripts', { testTimeout: 60_000, fileParallelism: false }),
      project('browser', { testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false }),
      project('windows', { testTimeout: 120_000, hookTimeout: 300_000, fileParallelism: false }),
      project('packaged', { testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false }),
      project('torture', { testTimeout: 600_000, fileParallelism: false }),
    ],
  },
});
