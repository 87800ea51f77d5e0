/** Runs the command line. */
import { CommanderError } from 'commander';
import { exitStatuses, fail, guardOutput } from './output.ts';
import { createProgram } from './program.ts';

void main();

async function main(): Promise<void> {
  guardOutput();
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitStatuses.usage;
    else fail(error, process.argv.includes('--json'));
  }
}
