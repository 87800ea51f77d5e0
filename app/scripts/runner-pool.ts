/** Starts runners, detached from the host; keeps one warm so that a script does not wait for Node to start. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { UnjamError } from '../contract/errors.ts';
import { limits } from '../domain/limits.ts';
import { RunDirectory } from '../run-directory/run-directory.ts';
import type { RunnerOrder } from '../runner/order.ts';

/** How a runner is started: the runtime and the runner program. */
export interface RunnerCommand {
  readonly file: string;
  readonly args: readonly string[];
}

/** What a runner itself needs of the host's environment; the script's own travels in the order. Windows writes `Path`. */
const passed = new Set([
  'PATH',
  'HOME',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LANG',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'USERPROFILE',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'WINEPREFIX',
  'WINEDEBUG',
  'UNJAM_WINE_HINT',
]);

const warmAfterMs = 100;
const endedSilently = 'it ended before it answered';

/** A runner that waits for its order. */
export interface TakenRunner {
  /**
   * Hands it the order and waits until it is claimed.
   * @throws UnjamError `start-failed`
   */
  start(order: RunnerOrder): Promise<void>;
  /** Nothing is to be done: it ends. */
  giveUp(): void;
}

export class RunnerPool {
  readonly #command: RunnerCommand;
  readonly #onStart: () => void;
  #warm: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Runners that wait for an order which is still being written. */
  #early = 0;

  /** @param onStart called for each runner that is begun */
  constructor(command: RunnerCommand, onStart = (): void => undefined) {
    this.#command = command;
    this.#onStart = onStart;
  }

  /** Makes a warm runner when none waits. */
  prepare(): void {
    if (this.#closed || this.#warm) return;
    const runner = this.#spawn();
    this.#warm = runner;
    const forget = (): void => {
      if (this.#warm === runner) this.#warm = null;
    };
    runner.once('exit', forget);
    runner.once('error', forget);
  }

  /** The warm runner, or a new one. In a burst only one is begun early: starting many at once would hold up the first. */
  take(): TakenRunner {
    const warm = this.#warm;
    this.#warm = null;
    if (!this.#closed) this.#timer ??= setTimeout(() => ((this.#timer = null), this.prepare()), warmAfterMs);
    const runner = warm ?? (this.#early === 0 ? this.#spawn() : null);
    if (runner) this.#early += 1;
    return {
      start: (order) => {
        if (runner) this.#early -= 1;
        return this.#start(order, runner ?? this.#spawn(), warm !== null);
      },
      giveUp: () => {
        if (runner) this.#early -= 1;
        runner?.stdin?.end();
      },
    };
  }

  async #start(order: RunnerOrder, runner: ChildProcess, isWarm: boolean): Promise<void> {
    let answer = await handOver(runner, order);
    // A warm runner may have been ended while it waited (a memory killer, an operator): it had not begun anything.
    if (isWarm && answer === endedSilently && new RunDirectory(order.runDirectory).readRunner() === null)
      answer = await handOver(this.#spawn(), order);
    if (answer !== 'claimed')
      throw new UnjamError(
        'start-failed',
        `The runner did not take the script over: ${answer.replace(/^failed /, '').replace(/\.$/, '')}.`,
        'The script was not started. Run "unjam doctor" and start it again.',
      );
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#warm?.stdin?.end();
    this.#warm?.kill();
    this.#warm = null;
  }

  #spawn(): ChildProcess {
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => passed.has(name.toUpperCase())),
    );
    this.#onStart();
    const subprocess = execa(this.#command.file, [...this.#command.args], {
      detached: true,
      cleanup: false,
      buffer: false,
      reject: false,
      windowsHide: true,
      extendEnv: false,
      // "none": not a part of the script that the host itself may have been started from.
      env: { ...environment, UNJAM_RUN: 'none' },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
    });
    void subprocess.catch(() => undefined);
    const child = subprocess.nodeChildProcess;
    child.unref();
    child.stdin?.on('error', () => undefined); // a runner that died: the missing answer tells
    return child;
  }
}

function handOver(runner: ChildProcess, order: RunnerOrder): Promise<string> {
  return new Promise((resolve) => {
    const settle = (answer: string): void => {
      resolve(answer); // first: closing the reader below ends in here again
      clearTimeout(timer);
      lines?.close();
      runner.stdin?.destroy();
      runner.stdout?.destroy();
    };
    const timer = setTimeout(() => settle(`no answer within ${limits.startMs / 1000} s`), limits.startMs);
    const lines = runner.stdout ? createInterface({ input: runner.stdout }) : null;
    lines?.once('line', settle);
    lines?.once('close', () => settle(endedSilently));
    runner.once('error', (error) => settle(error.message));
    // A reader that begins after the end hears of no end.
    runner.once('close', () => settle(endedSilently));
    if (runner.exitCode !== null || runner.signalCode !== null || runner.stdout?.destroyed) settle(endedSilently);
    runner.stdin?.write(`${JSON.stringify(order)}\n`);
  });
}
