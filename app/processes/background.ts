/** Starts a program that outlives its starter and is no part of the script that the starter may run in. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface BackgroundStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** File that its output and errors are appended to. */
  readonly log: string;
}

/** Resolves with a question: has it ended with an error since? Windows cannot tell; it answers false there. */
export async function startInBackground(start: BackgroundStart): Promise<() => boolean> {
  if (process.platform === 'win32') {
    // Node's `detached` does not leave the job of a script: its Force Kill would end the new program too.
    const { startOutsideJob } = await import('./windows/start-outside-job.ts');
    startOutsideJob(start);
    return () => false;
  }
  const log = openSync(start.log, 'a', 0o600);
  try {
    const child = spawn(start.file, start.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: start.environment,
      cwd: start.cwd,
    });
    child.unref();
    return () => child.exitCode !== null && child.exitCode !== 0;
  } finally {
    closeSync(log);
  }
}
