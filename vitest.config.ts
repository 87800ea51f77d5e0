/**
 * The folders of `test` mirror the source. A file's name says what it needs of the machine, and a project says what
 * may run side by side:
 *
 * - `unit`       `*.test.ts`: no product process; files run in parallel.
 * - `property`   `*.property.test.ts`: many random inputs; files run in parallel.
 * - `real`       `*.real.test.ts`: real hosts, runners and scripts; one file at a time.
 * - `browser`, `windows`, `packaged`, `torture`: the folder of that name; one file at a time.
 */
import { defineConfig } from 'vitest/config';
import { LiveReporter } from './test/support/live-reporter.ts';

interface Options {
  readonly exclude?: string[];
  readonly testTimeout?: number;
  readonly hookTimeout?: number;
  readonly fileParallelism?: boolean;
}

const project = (name: string, include: string, options: Options = {}) => ({
  test: {
    name,
    include: [include],
    environment: 'node' as const,
    pool: 'forks' as const,
    expect: { poll: { timeout: 25_000 } }, // a busy machine takes longer than the usual second
    env: { ELECTRON_OVERRIDE_DIST_PATH: '/nonexistent', UNJAM_HOME: '/nonexistent/unjam-tests-set-their-own-home' },
    ...options,
  },
});

const folders = ['browser', 'windows', 'packaged', 'torture'];
const ofFolders = folders.map((folder) => `test/${folder}/**`);

export default defineConfig({
  test: {
    reporters: process.env['UNJAM_TEST_EVENTS'] ? ['default', new LiveReporter()] : ['default'],
    projects: [
      project('unit', 'test/**/*.test.ts', {
        exclude: ['test/**/*.property.test.ts', 'test/**/*.real.test.ts', ...ofFolders],
        testTimeout: 30_000,
      }),
      project('property', 'test/**/*.property.test.ts', { testTimeout: 60_000 }),
      project('real', 'test/**/*.real.test.ts', { exclude: ofFolders, testTimeout: 180_000, fileParallelism: false }),
      ...folders.map((folder) =>
        project(folder, `test/${folder}/**/*.test.ts`, {
          testTimeout: { browser: 180_000, windows: 300_000 }[folder] ?? 600_000,
          hookTimeout: { browser: 180_000, windows: 300_000 }[folder] ?? 600_000,
          fileParallelism: false,
        }),
      ),
    ],
  },
});
