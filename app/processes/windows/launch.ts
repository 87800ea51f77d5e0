/**
 * Starts a script: born in its job, behind a closed gate, with a hidden console of its own and exactly three handles.
 *
 * Node's own `spawn` cannot do it: without `detached` the script lands in libuv's job that dies with its parent, with
 * `detached` it has no console and so no Ctrl-C (research: libuv 1.51, measured under Wine 8 and 10).
 */
import type { Place } from '../../domain/identity.ts';
import type { AttachedLaunchRequest, ExitStatus, LaunchedScript, LaunchRequest } from '../control.ts';
import { batchCommandLine, isBatchFile, programCommandLine } from './command-line.ts';
import { createProcess, type Created, creation, file, openInheritable, ownStream } from './create-process.ts';
import { environmentBlock } from './environment.ts';
import { InvalidInputError, windowsError } from './errors.ts';
import { bind, type Handle } from './ffi.ts';
import { createJob, type Job, setKillOnClose } from './job.ts';
import { closeHandle, exitCodeOf, isRunning, terminateProcess } from './kernel.ts';
import { identify } from './identity.ts';

const resumeThread = bind<(thread: Handle) => number>('kernel32', 'uint32', 'ResumeThread', 'uintptr_t');

/** The job's handle stays with the caller, the process's handle with the poll that waits for its end. */
export function launch(
  place: Place,
  request: LaunchRequest | AttachedLaunchRequest,
): { readonly script: LaunchedScript; readonly job: Job } {
  const commandLine = commandLineOf(request);
  const environment = environmentBlock(request.environment, process.env);
  const job = createJob();
  let created: Created;
  try {
    // Until the gate opens, the script dies with its runner: nobody would ever open it.
    setKillOnClose(job.handle, true);
    created = createSuspended(request, commandLine, environment, job);
  } catch (error) {
    closeHandle(job.handle);
    throw error;
  }
  const root = identify(place, created.pid);
  if (!root) {
    terminateProcess(created.process);
    for (const handle of [created.thread, created.process, job.handle]) closeHandle(handle);
    throw windowsError(`${request.file} was ended by another program before its first instruction`, 31);
  }
  let gate: 'closed' | 'open' | 'never' = 'closed';
  const script: LaunchedScript = {
    scope: { root, runId: request.runId, group: null, job: job.name },
    release() {
      if (gate !== 'closed') return;
      gate = 'open';
      setKillOnClose(job.handle, false);
      resumeThread(created.thread);
      closeHandle(created.thread);
    },
    abort() {
      if (gate !== 'closed') return;
      gate = 'never';
      terminateProcess(created.process);
      closeHandle(created.thread);
    },
    exited: exitOf(created.process),
  };
  return { script, job };
}

function commandLineOf(request: AttachedLaunchRequest): { readonly application: string; readonly line: string } {
  if (!isBatchFile(request.file))
    return { application: request.file, line: programCommandLine(request.file, request.args) };
  // Not ComSpec: a script's environment must not choose the program that Unjam starts.
  const shell = `${process.env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\cmd.exe`;
  return { application: shell, line: batchCommandLine(shell, request.file, request.args) };
}

function createSuspended(
  request: LaunchRequest | AttachedLaunchRequest,
  command: { readonly application: string; readonly line: string },
  environment: Buffer,
  job: Job,
): Created {
  if (request.cwd.includes('\0')) throw new InvalidInputError('The working folder contains a zero character.');
  const opened: Handle[] = [];
  const open = (...args: Parameters<typeof openInheritable>): Handle => {
    const handle = openInheritable(...args);
    opened.push(handle);
    return handle;
  };
  try {
    const hidden = 'stdoutPath' in request;
    const created = createProcess({
      application: command.application,
      commandLine: command.line,
      cwd: request.cwd,
      environment,
      flags: creation.suspended | (hidden ? creation.noWindow : 0),
      standard: {
        input: (hidden ? null : ownStream('input')) ?? open('NUL', file.read),
        output: hidden ? open(request.stdoutPath, file.append) : (ownStream('output') ?? open('NUL', file.append)),
        errors: hidden ? open(request.stderrPath, file.append) : (ownStream('errors') ?? open('NUL', file.append)),
      },
      job: job.handle,
    });
    if ('error' in created) throw windowsError(`Windows did not start ${request.file}`, created.error);
    return created;
  } finally {
    for (const handle of opened) closeHandle(handle);
  }
}

/**
 * Polls with waits of zero milliseconds, 15 ms apart in the first two seconds and 50 ms afterwards. Infinite waits on
 * koffi's threads would fill libuv's pool: twenty of them stopped `fs.readFile` for 3.8 s (measured).
 */
function exitOf(process: Handle): Promise<ExitStatus> {
  const began = performance.now();
  return new Promise((resolve) => {
    const look = (): void => {
      if (isRunning(process)) {
        setTimeout(look, performance.now() - began < 2_000 ? 15 : 50);
        return;
      }
      const code = exitCodeOf(process);
      closeHandle(process);
      resolve({ code, signal: null });
    };
    setTimeout(look, 15);
  });
}
