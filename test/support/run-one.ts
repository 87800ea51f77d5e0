/** Runs one program of a folder by its name, with the Node that npm installed. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function runOne(command: string, folder: string, pattern: RegExp): void {
  const programs = new Map(
    readdirSync(folder).flatMap((file) => {
      const name = pattern.exec(file)?.[1];
      return name === undefined ? [] : [[name, join(folder, file)] as const];
    }),
  );
  const [name, ...rest] = process.argv.slice(2);
  const program = programs.get(name ?? '');
  if (program === undefined) {
    process.stderr.write(`${name === undefined ? '' : `There is no "${name}". `}npm run ${command} -- NAME, one of:\n`);
    for (const [known, file] of programs) process.stderr.write(`  ${known.padEnd(12)} ${about(file)}\n`);
    process.exit(name === undefined ? 0 : 2);
  }
  if (!existsSync(join(folder, '../../dist/cli.js'))) {
    process.stderr.write('The program has not been built. Next: npm run build\n');
    process.exit(2);
  }
  const child = spawn(process.execPath, [program, ...rest], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

/** The first sentence of a program's own comment. */
const about = (file: string): string =>
  /\/\*\*[\s*]*([^]*?)(?::|\.\s|\*\/)/
    .exec(readFileSync(file, 'utf8'))?.[1]
    ?.replace(/\s*\n \*\s*/g, ' ')
    .trim() ?? '';
