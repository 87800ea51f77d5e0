/**
 * The file `dist/cli.js`: hands over to the same program as CommonJS. Node's loader of ES modules reads every export of a
 * built-in module, which for `node:http` alone loads undici: 40 of 100 ms of a command's CPU time (docs/benchmarks.md).
 */
process.getBuiltinModule('node:module').createRequire(import.meta.url)('./cli.cjs');
