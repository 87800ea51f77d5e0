/** Processes that have nothing to do with Unjam and write down every signal that reaches them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const program = (path: string): string =>
  `for s in HUP INT QUIT TERM CONT USR1 USR2; do trap "echo $s >> ${path}" $s; done; echo up > ${path}; while :; do sleep 0.2; done`;

export class Sentinels implements AsyncDisposable {
  readonly #all: readonly { readonly child: ChildProcess; readonly path: string }[];

  private constructor(all: readonly { child: ChildProcess; path: string }[]) {
    this.#all = all;
  }

  static async start(folder: string, count = 6): Promise<Sentinels> {
    const all = Array.from({ length: count }, (_, i) => {
      const path = join(folder, `sentinel-${i}`);
      // Half of them lead a group and a session, as scripts do.
      return { path, child: spawn('bash', ['-c', program(path)], { detached: i % 2 === 0, stdio: 'ignore' }) };
    });
    for (const { path } of all) while (!existsSync(path)) await delay(5);
    return new Sentinels(all);
  }

  /** Each signal that reached one, and each that was ended. */
  signalled(): string[] {
    return this.#all.flatMap(({ child, path }) => [
      ...((child.exitCode ?? child.signalCode) ? [`${child.pid} was ended`] : []),
      ...readFileSync(path, 'utf8').split('\n').slice(1, -1),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#all) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
  }
}
