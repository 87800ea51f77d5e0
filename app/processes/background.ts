/** Starts a program that outlives its starter, is no part of the script that the starter may run in, and has nothing of it. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { lesserLimits, systemLimits, ulimitCommands } from './linux/resource-limits.ts';

export interface BackgroundStart {
  readonly file: string;
  readonly args: readonly string[];
  /** All that it gets; on POSIX a PATH of the system's own folders is added. */
  readonly environment: Readonly<Record<string, string>>;
  /** File that its output and errors are appended to. */
  readonly log: string;
}

/** As login(1) and cron have it; the caller's own may lead into folders that are removed when its job is over. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Resolves with a question: has it ended with an error since? Windows cannot tell; it answers false there. */
export async function startInBackground(start: BackgroundStart): Promise<() => boolean> {
  if (process.platform === 'win32') {
    const windows = process.env['SystemRoot'] ?? 'C:\\Windows';
    const environment = { PATH: `${windows}\\System32;${windows}`, ...start.environment };
    // Node's `detached` does not leave the job of a script: its Force Kill would end the new program too.
    const { startOutsideJob } = await import('./windows/start-outside-job.ts');
    startOutsideJob({ ...start, environment, cwd: windows });
    return () => false;
  }
  const log = openSync(start.log, 'a', 0o600);
  try {
    const limits = systemLimits();
    const commands = limits === null ? ':' : ulimitCommands(limits);
    // The shell exports its own PWD, which is none of the host's variables.
    const shell = [
      '/bin/sh',
      '-c',
      `${commands}; unset PWD OLDPWD; exec "$@"`,
      'unjam',
      start.file,
      ...start.args,
    ] as const;
    const [file, ...args] = commands === ':' ? ([start.file, ...start.args] as const) : shell;
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: systemPath, ...start.environment },
      cwd: '/',
    });
    child.unref();
    return () => child.signalCode !== null || (child.exitCode ?? 0) !== 0;
  } finally {
    closeSync(log);
  }
}

/**
 * For the program that `startInBackground` has started, first of all: gives back what its starter's shell was, so that
 * nothing of it sticks to what the program starts. Returns what could not be given back, one sentence each.
 */
export function forgetStarter(): string[] {
  if (process.platform === 'win32') return [];
  process.umask(0o077);
  const kept: string[] = [];
  try {
    setPriority(0);
  } catch (error) {
    kept.push(`Its niceness is that of who started it: ${(error as Error).message}.`);
  }
  const lesser = lesserLimits();
  if (lesser.length > 0)
    kept.push(`Its resource limits (${lesser.join(', ')}) are those of who started it; only root may raise them.`);
  for (const descriptor of inheritedDescriptors())
    try {
      closeSync(descriptor);
    } catch (error) {
      kept.push(`Descriptor ${descriptor} of who started it stays open: ${(error as Error).message}.`);
    }
  return kept;
}

/** Of somebody else: Node opens all of its own with O_CLOEXEC (open(2)), what a shell hands on has none. */
function inheritedDescriptors(): number[] {
  const closeOnExec = 0o2000000;
  const found: number[] = [];
  try {
    for (const name of readdirSync('/proc/self/fdinfo')) {
      if (Number(name) <= 2) continue;
      try {
        const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))?.[1];
        if (flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0) found.push(Number(name));
      } catch {
        // The descriptor of the listing itself.
      }
    }
  } catch {
    // No /proc: nothing is known.
  }
  return found;
}
