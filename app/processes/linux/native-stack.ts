/**
 * Stacks as a debugger of this machine prints them. A debugger stops the process while it looks; one that is not done
 * in time is ended, and lets go of the process by that (ptrace(2)).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessIdentity } from '../../domain/identity.ts';
import type { NativeStack } from '../control.ts';
import { findExecutable } from '../find-executable.ts';
import { link, type Place, readStat } from './proc.ts';
import { send } from './signals.ts';

const outputMax = 262_144;
/** A debugger that does not listen is killed after this. */
const letGoMs = 500;

interface Tool {
  readonly name: string;
  /** For programs of these names; absent = for every one. */
  readonly of?: RegExp;
  readonly args: (pid: string) => readonly string[];
}

const tools: readonly Tool[] = [
  { name: 'py-spy', of: /^python/, args: (pid) => ['dump', '--nonblocking', '--pid', pid] },
  { name: 'jstack', of: /^java$/, args: (pid) => [pid] },
  { name: 'dotnet-stack', of: /^dotnet$/, args: (pid) => ['report', '--process-id', pid] },
  {
    name: 'gdb',
    args: (pid) => [
      '-nx',
      '-batch',
      ...['set auto-load off', 'set debuginfod enabled off'].flatMap((one) => ['-iex', one]),
      // Values of arguments may be secrets.
      ...['set print frame-arguments none', 'set print entry-values no', 'thread apply all backtrace 64'].flatMap(
        (one) => ['-ex', one],
      ),
      '-p',
      pid,
    ],
  },
];

/** Null when no debugger for it is installed. What is not there when `signal` is given is missing. */
export async function nativeStack(
  place: Place,
  identity: ProcessIdentity,
  signal: AbortSignal,
): Promise<NativeStack | null> {
  const program = basename(link(`/proc/${identity.pid}/exe`) ?? identity.name);
  const path = process.env['PATH'] ?? '';
  const environment = { PATH: path, HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8' };
  for (const { name, of, args } of tools) {
    const file = of === undefined || of.test(program) ? findExecutable(name, '/', environment) : null;
    if (file === null) continue;
    const wasStopped = readStat(place, identity.pid)?.state === 'stopped';
    const result = await printed(spawn(file, args(String(identity.pid)), {
      env: environment,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    }), signal); // prettier-ignore
    const after = readStat(place, identity.pid);
    if (!wasStopped && after?.state === 'stopped' && after.identity.startTime === identity.startTime)
      send(identity.pid, 'SIGCONT'); // the debugger was ended before it could
    return { tool: name, ...result };
  }
  return null;
}

async function printed(child: ChildProcess, signal: AbortSignal): Promise<Omit<NativeStack, 'tool'>> {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (more: string) => {
      if (text.length < outputMax) text += more;
    });
  const closed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be run: ${error.message}`));
    child.once('close', (code) => resolve(code === 0 ? '' : `it ended with exit code ${code ?? 'unknown'}`));
  });
  const late = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const problem = await Promise.race([closed, late]);
  if (problem !== null) return { text: text.slice(0, outputMax), problem: problem === '' ? null : problem };
  child.kill('SIGTERM');
  if ((await Promise.race([closed, delay(letGoMs, null)])) === null) {
    child.kill('SIGKILL');
    await closed;
  }
  return { text: text.slice(0, outputMax), problem: 'it was not done in time and was ended' };
}
