/** Runs a command that is told something: what a script's end or an alert has to say stands in its environment. */
import { execa } from 'execa';

const boundMs = 60_000;

export interface Told {
  readonly cwd: string;
  /** Beside the host's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads as its standard input; nothing when absent. */
  readonly input?: string | Uint8Array;
}

/** Null when it exited with 0 within a minute, else why not. What it prints is dropped. */
export async function runCommand(command: readonly string[], { cwd, env = {}, input }: Told): Promise<string | null> {
  const [file = '', ...args] = command;
  const result = await execa(file, args, {
    cwd,
    env,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    stdout: 'ignore',
    stderr: 'ignore',
    reject: false,
    timeout: boundMs,
  });
  return result.failed ? (result.shortMessage ?? 'unknown error') : null;
}
