/**
 * Bundles the runner and the command line to CommonJS: of each start Node's loader of ES modules takes 6 of 54 ms of CPU,
 * and touches parts of its built-in modules that a runner never needs (docs/benchmarks.md). `--mode runner` makes
 * `dist/runner.cjs`, `--mode cli` makes `dist/cli.cjs`: built together they would share chunks, and each would load what
 * only the other needs.
 */
import { defineConfig } from 'vite';
import { programs } from './vite.node.config.ts';

export default defineConfig(({ mode }) => programs({ [mode]: `app/${mode}/main.ts` }, 'cjs'));
