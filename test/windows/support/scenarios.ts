/** What the drivers share: they run on Windows (or under Wine), print what they saw as JSON lines, and clean up. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LaunchedScript, ProcessControl } from '../../../app/processes/control.ts';
import { openWindows } from '../../../app/processes/windows.ts';

export interface Stage {
  readonly control: ProcessControl;
  /** A folder for this scenario's files. */
  readonly folder: string;
  readonly options: Readonly<Record<string, string>>;
  /** Starts `simulant.js kind args…` behind its gate. */
  simulant(kind: string, args?: readonly string[], options?: StartOptions): Promise<Started>;
  /** Starts any program behind its gate. */
  launch(file: string, args: readonly string[], options?: StartOptions): Promise<Started>;
}

export interface StartOptions {
  readonly environment?: Record<string, string>;
  readonly cwd?: string;
  readonly stdoutPath?: string;
  readonly stderrPath?: string;
  readonly runId?: string;
}

export interface Started extends LaunchedScript {
  readonly stdoutPath: string;
  readonly stderrPath: string;
  stdout(): string;
  /** Opens the gate and waits for a line of the script. */
  until(text: string): Promise<void>;
}

type Scenario = (stage: Stage) => Promise<unknown>;

/** Runs the scenario that the command line names: `driver.js NAME FOLDER [OPTIONS AS JSON]`. */
export async function scenarios(all: Readonly<Record<string, Scenario>>): Promise<void> {
  const [name = '', folder = '', options = '{}'] = process.argv.slice(2);
  const scenario = all[name];
  if (!scenario) throw new Error(`There is no scenario "${name}".`);
  mkdirSync(folder, { recursive: true });
  const control = openWindows();
  const started: Started[] = [];
  let count = 0;
  const launch = async (file: string, args: readonly string[], options: StartOptions = {}): Promise<Started> => {
    count += 1;
    const stdoutPath = options.stdoutPath ?? join(folder, `${count}.stdout.log`);
    const stderrPath = options.stderrPath ?? join(folder, `${count}.stderr.log`);
    const runId = options.runId ?? `run-${process.pid}-${count}`;
    const script = await control.launch({
      file,
      args,
      cwd: options.cwd ?? folder,
      environment: options.environment ?? { ...(process.env as Record<string, string>), UNJAM_RUN: runId },
      runId,
      stdoutPath,
      stderrPath,
    });
    const stdout = (): string => readFileSync(stdoutPath, 'utf8');
    const one: Started = {
      ...script,
      stdoutPath,
      stderrPath,
      stdout,
      async until(text) {
        script.release();
        await until(
          () => stdout().includes(text),
          `"${text}" in ${stdoutPath}`,
          () => readFileSync(stderrPath, 'utf8'),
        );
      },
    };
    started.push(one);
    return one;
  };
  const stage: Stage = {
    control,
    folder,
    options: JSON.parse(options) as Record<string, string>,
    launch,
    simulant: (kind, args = [], options) => launch(process.execPath, [simulantPath, kind, ...args], options),
  };
  try {
    say((await scenario(stage)) ?? {});
  } finally {
    for (const script of started) {
      script.abort();
      control.endTree(script.scope);
      for (const member of control.tree(script.scope)) control.end(member.identity);
    }
    await Promise.all(started.map((script) => Promise.race([script.exited, delay(5_000, null, { ref: false })])));
    control.close();
  }
  say({ done: true });
}

export const simulantPath = join(dirname(process.argv[1]!), 'simulant.js');

export const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

/** Waits for something that comes without an event of its own. */
export async function until(condition: () => boolean, what: string, detail: () => string = () => ''): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!safely(condition)) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within 20 s. ${safely(detail)}`);
    await delay(20);
  }
}

function safely<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
