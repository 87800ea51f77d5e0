/**
 * Starts a script behind a gate: a shell in its own session waits for one line on a pipe, then becomes the
 * command by exec. When the runner dies first the pipe ends, and the command never runs.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename } from 'node:path';
import type { AttachedLaunchRequest, ExitStatus, LaunchedScript, LaunchRequest } from '../control.ts';
import type { Output } from './output.ts';
import { type Place, readStat } from './proc.ts';

/** Exit status of the shell when the gate was closed for good. */
const gateClosed = 125;
const gate = `read -r go <&3 || exit ${gateClosed}; exec 3<&- "$@"`;

/** True for the command line of a shell that waits at the gate: it has not become the command yet. */
export const isGate = (commandLine: string): boolean => commandLine.startsWith(`/bin/sh -c ${gate} unjam-gate `);

/** `onExit` is called when the kernel has just reported the end of the root process. */
export async function launch(
  place: Place,
  request: LaunchRequest,
  output: Output,
  onExit: () => void,
): Promise<LaunchedScript> {
  try {
    for (const path of [request.stdoutPath, request.stderrPath]) closeSync(openSync(path, 'a', 0o600));
    if (request.onOutputLost) output.onLost = request.onOutputLost;
    const launched = await output.opened((stdout, stderr) =>
      // Own session and process group (setsid).
      gated(place, request, { detached: true, stdio: ['ignore', stdout, stderr] }, onExit),
    );
    const drain = output.identity(place);
    return drain === null ? launched : { ...launched, scope: { ...launched.scope, drain } };
  } catch (error) {
    output.giveUp();
    throw error;
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
  const [environment, lost] = splitEnvironment(request.environment);
  // The shell drops variables that are no shell names (dash, busybox); env(1) hands them on.
  const command = lost.length === 0 ? [request.file] : ['/usr/bin/env', ...lost, request.file];
  const child = spawn('/bin/sh', ['-c', gate, 'unjam-gate', ...command, ...request.args], {
    cwd: request.cwd,
    env: environment,
    detached,
    stdio: [...stdio, 'pipe'],
  });
  const exited = new Promise<ExitStatus>((resolve) => {
    child.on('exit', (code, signal) => {
      onExit();
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid;
  const root = pid === undefined ? null : readStat(place, pid);
  if (pid === undefined || root === null)
    throw new Error('The script’s process vanished before it could be identified.');
  const gatePipe = child.stdio[3] as Socket;
  gatePipe.on('error', () => undefined); // EPIPE: the shell is gone; `exited` tells
  return {
    scope: {
      root: { ...root.identity, name: basename(request.file).slice(0, 15) },
      runId: request.runId,
      group: detached ? pid : null,
      job: null,
    },
    release: () => gatePipe.end('go\n'),
    abort: () => gatePipe.destroy(),
    exited,
  };
}

/** A shell that ends at once, with the descriptors of a script. */
export function rehearse(): void {
  const child = spawn('/bin/sh', ['-c', ':'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  child.on('error', () => undefined);
  const gatePipe = child.stdio[3] as Socket;
  gatePipe.on('error', () => undefined);
  gatePipe.end('go\n');
}

function splitEnvironment(environment: Readonly<Record<string, string>>): [Record<string, string>, string[]] {
  const kept: Record<string, string> = {};
  const lost: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) kept[name] = value;
    else if (name !== '' && !name.includes('=')) lost.push(`${name}=${value}`);
  }
  return [kept, lost];
}
