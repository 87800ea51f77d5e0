/** Starts a program that must not end with the script that it is started from: a host in the background. */
import { programCommandLine } from './command-line.ts';
import { createProcess, creation } from './create-process.ts';
import { environmentBlock } from './environment.ts';
import { windowsError } from './errors.ts';
import { closeHandle } from './kernel.ts';

export interface OutsideStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

const accessDenied = 5;

/**
 * Without console, window or inherited handles, in a process group of its own and outside of the caller's jobs. Node's
 * `detached` does not leave a job. `left` is false when a job of somebody else (an IDE, a build agent) forbids it: then
 * the program ends with that job.
 * @throws Error with `code` when Windows refuses the program.
 */
export function startOutsideJob(start: OutsideStart): { readonly pid: number; readonly left: boolean } {
  const request = {
    application: start.file,
    commandLine: programCommandLine(start.file, start.args),
    cwd: start.cwd,
    environment: environmentBlock(start.environment, process.env),
    standard: null,
    job: null,
  };
  const flags = creation.detached | creation.newProcessGroup;
  let left = true;
  let created = createProcess({ ...request, flags: flags | creation.breakawayFromJob });
  if ('error' in created && created.error === accessDenied) {
    left = false;
    created = createProcess({ ...request, flags });
  }
  if ('error' in created) throw windowsError(`Windows did not start ${start.file}`, created.error);
  closeHandle(created.thread);
  closeHandle(created.process);
  return { pid: created.pid, left };
}
