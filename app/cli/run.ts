/** `unjam run`: starts a script, follows its log and exits with its code. It says what each signal does to the script. */
import { constants } from 'node:os';
import { Annotations } from './annotations.ts';
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

export interface RunOptions extends ScriptOptions {
  cancelWithCaller?: boolean;
  annotations?: string;
}

export async function run(command: string[], options: RunOptions): Promise<void> {
  const annotations = new Annotations(options.annotations ?? 'auto', process.env);
  const cancelWith = options.cancelWithCaller ? await self() : null;
  const input = { ...startInput(command, options), ...(cancelWith ? { cancelWith } : {}) };
  const lost = new Set<'stdout' | 'stderr'>();
  keepGoingWithoutOutput((stream, problem) => {
    lost.add(stream);
    if (stream === 'stdout') say(`Standard output is lost: ${problem}. The script keeps running; waiting for its end.`);
  });
  const leaves = (signal: Heard): boolean => signals[signal] === 'leave' && cancelWith === null;
  using heard = new Signals(leaves);
  const { client, script: started } = await startScript(input);
  const { ticket } = started;
  const host = new LastingClient(client);
  heard.listen((signal, times) => {
    if (leaves(signal)) {
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
  const write = passThroughWriter(annotations, (stream) => lost.has(stream));
  const script = await host.outlast(async (c) => {
    for (;;) {
      await followLog(c, ticket, { from, follow: true, raw: true }, write, (seq) => (from = seq));
      const now = await c.call('scripts.get', { ticket });
      if (now.state === 'final') return now;
    }
  });
  host.close();
  if (script.verdict !== 'exited' || script.signal !== null)
    process[annotations.stream].write(annotations.of(null, script.condition.headline, true));
  process.exitCode = exitStatus(script);
}

/** What tells this process from a later one that gets its pid. */
async function self(): Promise<{ pid: number; startTime: string }> {
  const control = await (await import('../processes/index.ts')).openProcessControl();
  const { pid, startTime } = control.self;
  control.close();
  return { pid, startTime };
}

/** Counts the signals that ask for an end. One that comes before anybody listens is heard later. */
class Signals implements Disposable {
  readonly #leaves: (signal: Heard) => boolean;
  #listener: ((signal: Heard, times: number) => void) | null = null;
  readonly #early: Heard[] = [];
  #times = 0;
  readonly #handlers = (Object.keys(signals) as Heard[]).map((signal) => {
    const handler = (): void => this.#hear(signal);
    process.on(signal, handler);
    return [signal, handler] as const;
  });

  constructor(leaves: (signal: Heard) => boolean) {
    this.#leaves = leaves;
  }

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
    if (!this.#leaves(signal)) this.#times += 1;
    this.#listener(signal, this.#times);
  }
}
