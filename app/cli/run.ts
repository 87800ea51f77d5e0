/** `unjam run`: starts a script, follows its log and exits with its code. It says what each signal does to the script. */
import { constants } from 'node:os';
import { exitStatus } from './exit-status.ts';
import { followLog } from './follow.ts';
import { passThroughWriter } from './log-writers.ts';
import { LastingClient } from './outlast.ts';
import { keepGoingWithoutOutput, say } from './output.ts';
import { type ScriptOptions, startInput } from './script-options.ts';
import { startScript } from './start-script.ts';

/** What each signal does; docs/scripts.md says it to people. */
const signals = {
  SIGINT: 'cancel',
  SIGBREAK: 'cancel',
  SIGTERM: 'cancel',
  SIGHUP: 'leave',
  SIGQUIT: 'leave',
} as const satisfies Partial<Record<NodeJS.Signals, 'cancel' | 'leave'>>;
type Heard = keyof typeof signals;

export async function run(command: string[], options: ScriptOptions): Promise<void> {
  const input = startInput(command, options);
  const lost = new Set<'stdout' | 'stderr'>();
  keepGoingWithoutOutput((stream, problem) => {
    lost.add(stream);
    if (stream === 'stdout') say(`Standard output is lost: ${problem}. The script keeps running; waiting for its end.`);
  });
  using heard = new Signals();
  const { client, script: started } = await startScript(input);
  const { ticket } = started;
  const host = new LastingClient(client);
  heard.listen((signal, times) => {
    if (signals[signal] === 'leave') {
      say(`${signal}: this command ends, the script keeps running. Follow it with "unjam logs ${ticket} --follow".`);
      process.exit(128 + (constants.signals[signal] ?? 0));
    }
    const verb = times === 1 ? 'scripts.cancel' : 'scripts.kill';
    const name = signal === 'SIGINT' ? 'Ctrl-C' : signal;
    say(times === 1 ? `${name}: cancelling; a second one kills it at once` : `${name} again: Force Kill`);
    const reason = signal === 'SIGINT' ? 'Ctrl-C (SIGINT) of "unjam run"' : `"unjam run" received ${signal}`;
    host.outlast((c) => c.call(verb, { ticket, reason })).catch((error: Error) => say(error.message));
  });
  let from = 0;
  const write = passThroughWriter((stream) => lost.has(stream));
  const script = await host.outlast(async (c) => {
    for (;;) {
      await followLog(c, ticket, { from, follow: true, raw: true }, write, (seq) => (from = seq));
      const now = await c.call('scripts.get', { ticket });
      if (now.state === 'final') return now;
    }
  });
  host.close();
  if (script.verdict !== 'exited' || script.signal !== null) say(script.condition.headline);
  process.exitCode = exitStatus(script);
}

/** Counts the signals that ask for an end. One that comes before anybody listens is heard later. */
class Signals implements Disposable {
  #listener: ((signal: Heard, times: number) => void) | null = null;
  readonly #early: Heard[] = [];
  #times = 0;
  readonly #handlers = (Object.keys(signals) as Heard[]).map((signal) => {
    const handler = (): void => this.#hear(signal);
    process.on(signal, handler);
    return [signal, handler] as const;
  });

  listen(listener: (signal: Heard, times: number) => void): void {
    this.#listener = listener;
    for (const signal of this.#early.splice(0)) this.#hear(signal);
  }

  [Symbol.dispose](): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #hear(signal: Heard): void {
    if (!this.#listener) {
      this.#early.push(signal);
      return;
    }
    if (signals[signal] === 'cancel') this.#times += 1;
    this.#listener(signal, this.#times);
  }
}
