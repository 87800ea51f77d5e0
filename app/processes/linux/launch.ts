/**
 * Starts a script behind a gate: a shell in its own session waits for one line on a pipe, then becomes the
 * command by exec. When the runner dies first the pipe ends, and the command never runs.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import type { AttachedLaunchRequest, ExitStatus, LaunchedScript, LaunchRequest } from '../control.ts';
import type { Output } from './output.ts';
import { type Place, readStat } from './proc.ts';
import { prlimitOptions, ulimitCommands } from './resource-limits.ts';

/** Exit status of the shell when the gate was closed for good. */
const gateClosed = 125;
/** The line holds commands, such as ulimit. A shell that was given a variable of this name would hand on another value. */
const gate = `read -r unjam_gate <&3 || exit ${gateClosed}; exec 3<&-; eval "$unjam_gate"; exec "$@"`;

/**
 * A shell drops variables whose names it could not set itself (dash, busybox), and a command line can be read by everybody
 * (proc(5)): a script with such a variable is started by Node, which gets the environment through the gate's pipe.
 */
const gateOfNode = `// unjam
const { closeSync, openSync, readSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
const parts = [];
for (;;) {
  const part = Buffer.alloc(65536);
  const length = readSync(3, part);
  if (length === 0) process.exit(${gateClosed});
  parts.push(part.subarray(0, length));
  if (part[length - 1] === 10) break;
}
closeSync(3);
const { file, args, environment, limits } = JSON.parse(Buffer.concat(parts));
const head = Buffer.alloc(4);
const program = openSync(file);
readSync(program, head);
closeSync(program);
const isText = head.toString('latin1', 0, 2) !== '#!' && head.toString('latin1', 1, 4) !== 'ELF' && !head.includes(0);
const command = isText ? ['/bin/sh', file, ...args] : [file, ...args];
// Node ignores SIGPIPE and SIGXFSZ, and what is ignored stays so for the command: env(1) of GNU sets all back.
const reset = ['/usr/bin/env', '--default-signal'];
const canReset = !command[0].includes('=') && spawnSync(reset[0], [reset[1], '/bin/true'], { env: {} }).status === 0;
const whole = canReset ? [...reset, ...command] : command;
// Node has raised its limit of open files.
if (limits.length > 0) spawnSync('/usr/bin/prlimit', ['--pid', String(process.pid), ...limits], { env: {} });
process.execve(whole[0], whole, environment);`;

/** True for the command line of a program that waits at the gate: it has not become the command yet. */
export const isGate = (commandLine: string): boolean =>
  commandLine.startsWith(`/bin/sh -c ${gate} unjam `) || commandLine.includes(' -e // unjam\n');

/** `onExit` is called when the kernel has just reported the end of the root process. */
export async function launch(
  place: Place,
  request: LaunchRequest,
  output: Output,
  presence: string | null,
  onExit: () => void,
): Promise<LaunchedScript> {
  try {
    for (const path of [request.stdoutPath, request.stderrPath]) closeSync(openSync(path, 'a', 0o600));
    if (request.onOutputLost) output.onLost = request.onOutputLost;
    const launched = await output.opened(request, presence, (stdout, stderr) =>
      // Own session and process group (setsid).
      gated(place, request, { detached: true, stdio: [request.stdin ?? 'ignore', stdout, stderr] }, onExit),
    );
    const drain = output.identity(place);
    return drain === null ? launched : { ...launched, scope: { ...launched.scope, drain } };
  } catch (error) {
    output.giveUp();
    throw error;
  } finally {
    // Its writer must learn when the script reads no more.
    if (typeof request.stdin === 'number') closeSync(request.stdin);
  }
}

export function launchAttached(place: Place, request: AttachedLaunchRequest): Promise<LaunchedScript> {
  return gated(place, request, { detached: false, stdio: ['inherit', 'inherit', 'inherit'] }, () => undefined);
}

async function gated(
  place: Place,
  request: AttachedLaunchRequest,
  { detached, stdio }: { readonly detached: boolean; readonly stdio: readonly ('ignore' | 'inherit' | number)[] },
  onExit: () => void,
): Promise<LaunchedScript> {
  const { file, args } = request;
  const { UNJAM_RUN: cookie = '' } = request.environment;
  const environment = Object.fromEntries(Object.entries(request.environment).filter(([name]) => isVariable(name)));
  const isForShell = Object.keys(environment).every((name) => isShellName.test(name));
  const limits = isForShell || !request.limits ? [] : prlimitOptions(request.limits);
  const shellLimits = isForShell && request.limits ? ulimitCommands(request.limits) : ':';
  const [program, ...words] = isForShell
    ? (['/bin/sh', '-c', gate, 'unjam', file, ...args] as const)
    : ([process.execPath, '--no-warnings', '-e', gateOfNode] as const);
  // Behind the gate it is too late for an error: what the kernel would refuse is refused here (execve(2)).
  if (!isForShell && isTooLong(environment)) throw tooLong();
  const child = withUmask(request.umask, () =>
    spawn(program, words, {
      cwd: request.cwd,
      env: isForShell ? environment : { UNJAM_RUN: cookie },
      detached,
      stdio: [...stdio, 'pipe'],
    }),
  );
  const exited = new Promise<ExitStatus>((resolve) => {
    child.on('exit', (code, signal) => {
      onExit();
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'E2BIG' ? tooLong() : error));
  });
  const pid = child.pid;
  const root = pid === undefined ? null : readStat(place, pid);
  if (pid === undefined || root === null)
    throw new Error('The script’s process vanished before it could be identified.');
  if (request.niceness !== undefined && request.niceness !== getPriority(pid))
    try {
      setPriority(pid, request.niceness);
    } catch {
      // Only root makes anybody less nice (setpriority(2)); docs/scripts.md says so.
    }
  const gatePipe = child.stdio[3] as Socket;
  gatePipe.on('error', () => undefined); // EPIPE: the shell is gone; `exited` tells
  return {
    scope: {
      root: { ...root.identity, name: basename(request.file).slice(0, 15) },
      runId: request.runId,
      group: detached ? pid : null,
      job: null,
    },
    release: () => gatePipe.end(`${isForShell ? shellLimits : JSON.stringify({ file, args, environment, limits })}\n`),
    abort: () => gatePipe.destroy(),
    exited,
  };
}

/** The child has it from its birth; everything of this process happens before or after. */
function withUmask<T>(umask: number | undefined, act: () => T): T {
  if (umask === undefined) return act();
  const before = process.umask(umask);
  try {
    return act();
  } finally {
    process.umask(before);
  }
}

/** execve(2): a quarter of the stack's limit for both together. */
const tooLong = (): Error =>
  Object.assign(new Error('Arguments and environment together are longer than the system takes (E2BIG)'), {
    code: 'E2BIG',
  });

const isShellName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const isVariable = (name: string): boolean => name !== '' && !name.includes('=');

/** MAX_ARG_STRLEN for one of them; a quarter of the usual stack for all, with room for the arguments. */
const isTooLong = (environment: Readonly<Record<string, string>>): boolean => {
  const sizes = Object.entries(environment).map(
    ([name, value]) => Buffer.byteLength(name) + Buffer.byteLength(value) + 2,
  );
  return sizes.some((size) => size > 131_072) || sizes.reduce((sum, size) => sum + size, 0) > 1_500_000;
};
