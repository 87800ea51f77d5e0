/**
 * Bundles the runner and the command line to CommonJS, `dist/runner.cjs` and `dist/cli.cjs`: of each start Node's loader of ES modules takes 6 of 54 ms of CPU,
 * and touches parts of its built-in modules that a runner never needs (docs/benchmarks.md).
 */
import { defineConfig } from 'vite';
import { programs } from './vite.node.config.ts';

export default defineConfig(programs({ runner: 'app/runner/main.ts', cli: 'app/cli/main.ts' }, 'cjs'));
