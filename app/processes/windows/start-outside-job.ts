/** Starts a program that must not end with the script that it is started from: a host in the background. */
import { programCommandLine } from './command-line.ts';
import { createProcess, creation, file, openInheritable } from './create-process.ts';
import { environmentBlock } from './environment.ts';
import { windowsError } from './errors.ts';
import type { Handle } from './ffi.ts';
import { closeHandle } from './kernel.ts';
import { ownJob } from './own-jobs.ts';
import { type OutsideStart, startThroughWmi } from './start-through-wmi.ts';

const accessDenied = 5;

/**
 * Without console or window, in a process group of its own and outside of the caller's jobs. Node's `detached` does not
 * leave a job. When a job that ends everything in it forbids it (a tab of Windows Terminal), WMI starts the program;
 * `left` is false when neither was possible: then the program ends with that job, and says so itself (`jobWarning`).
 * @throws Error with `code` when Windows refuses the program.
 */
export function startOutsideJob(start: OutsideStart): { readonly pid: number; readonly left: boolean } {
  const opened: Handle[] = [];
  const open = (...args: Parameters<typeof openInheritable>): Handle => {
    const handle = openInheritable(...args);
    opened.push(handle);
    return handle;
  };
  try {
    const request = {
      application: start.file,
      commandLine: programCommandLine(start.file, start.args),
      cwd: start.cwd,
      environment: environmentBlock(start.environment, process.env),
      standard:
        start.log === null
          ? null
          : {
              input: open('NUL', file.read),
              output: open(start.log, file.append),
              errors: open(start.log, file.append),
            },
      job: null,
    };
    const flags = creation.detached | creation.newProcessGroup;
    let left = true;
    let created = createProcess({ ...request, flags: flags | creation.breakawayFromJob });
    if ('error' in created && created.error === accessDenied) {
      const throughWmi = ownJob()?.killOnClose ? startThroughWmi(start) : null;
      if (throughWmi !== null && 'pid' in throughWmi) return { pid: throughWmi.pid, left: true };
      left = false;
      created = createProcess({ ...request, flags });
    }
    if ('error' in created) throw windowsError(`Windows did not start ${start.file}`, created.error);
    closeHandle(created.thread);
    closeHandle(created.process);
    return { pid: created.pid, left };
  } finally {
    for (const handle of opened) closeHandle(handle);
  }
}
