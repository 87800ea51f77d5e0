/**
 * The program behind `unjam hold`: waits for a mutex, runs a command in the caller's terminal while it holds it, gives
 * it back. No host takes part, and nobody supervises the command. The hold is the command's as well as the wrapper's:
 * when the wrapper is killed, the mutex stays held until the command has gone too.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { UnjamError } from './contract/errors.ts';
import * as lines from './domain/lines.ts';
import { type Hold, placeOf } from './domain/mutex.ts';
import { isFleetMutex, ticketAt } from './domain/names.ts';
import { redactWords } from './domain/redact.ts';
import { ancestorsOf, type Isolation, unjam } from './domain/script.ts';
import { openStateDirectory } from './host/host-files.ts';
import { type Mutex, Mutexes } from './locks/index.ts';
import {
  findExecutable,
  type LaunchedScript,
  openProcessControl,
  scriptFileProblem,
  wordProblem,
} from './processes/index.ts';
import { lasting } from './run-directory/lasting.ts';
import { newLife } from './domain/life.ts';
import { Driver } from './ladder/driver.ts';
import { LimitClocks } from './ladder/limit-clocks.ts';
import { holderFacts, notIsolated } from './ladder/mutex-facts.ts';
import { waitInQueue } from './ladder/queue.ts';
import { witnessOf } from './ladder/witness.ts';

export interface HoldRequest {
  readonly stateDirectory: string;
  readonly isolation: Isolation;
  readonly cwd: string;
  readonly command: readonly [string, ...string[]];
  readonly name: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** What is said of the mutex, one line each: the command's own output is not mixed with it. */
  readonly tell: (line: string) => void;
}

/** Exit statuses of docs/exit-codes.md, for a command that was not run or whose hold was taken away. */
const status = { notStarted: 170, mutexTimeout: 172, abandoned: 176 } as const;

/** So long after somebody has removed the files of the mutex they stand again. */
const keepHoldEveryMs = 1_000;

type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/**
 * The exit status: the command's own, 128 + n when signal n ended it or the wait.
 * @throws UnjamError `command-not-found`, `state-directory`: nothing was run
 */
export async function hold(request: HoldRequest): Promise<number> {
  const { isolation, command, environment, tell, cwd } = request;
  const file = findExecutable(command[0], cwd, environment);
  if (file === null)
    throw new UnjamError(
      'command-not-found',
      `The command "${command[0]}" was not found, or is not executable.`,
      'Check its spelling and PATH, or give its full path; nothing was run.',
    );
  const broken = scriptFileProblem(file, environment['PATH']) ?? wordProblem(command, environment);
  if (broken !== null) throw new UnjamError('command-not-found', broken.message, broken.next);
  await openStateDirectory(request.stateDirectory, tell);
  const control = await openProcessControl();
  control.attend?.(request.stateDirectory);
  await using fleet = isFleetMutex(isolation.mutex)
    ? (await import('./fleet/index.ts')).joinedFleet(request.stateDirectory, control, 'hold')
    : null;
  const mutexes = new Mutexes(
    join(request.stateDirectory, 'mutexes'),
    control,
    witnessOf(request.stateDirectory, control),
    () => fleet,
  );
  const mutex = await mutexes.ready(isolation.mutex);
  const id = randomUUID();
  const ticket = ticketAt(new Date(), randomBytes(3).toString('hex'));
  const ancestors = ancestorsOf(environment['UNJAM_RUN']);
  const signals = new Signals();

  const granted = await queue();
  if (typeof granted === 'number') return granted;
  const script = await launch(granted);
  return script === null ? status.abandoned : await run(script, granted);

  /** The hold, or the exit status. */
  async function queue(): Promise<Hold | number> {
    let waited = false;
    const outcome = await waitInQueue({
      now: () => control.now(),
      mutex,
      isolation,
      waiter: {
        id,
        ticket,
        name:
          request.name ??
          redactWords([basename(command[0]), ...command.slice(1)])
            .join(' ')
            .slice(0, 80),
        level: isolation.level,
        runner: control.self,
        ancestors,
        queuedAt: Date.now(),
        ...(isolation.inherit ? { inherit: true } : {}),
        unsupervised: true,
      },
      inbox: {
        listen: (leave) =>
          signals.listen(() => leave({ verb: 'kill', id, at: Date.now(), actor: unjam, reason: null, evidence: [] })),
        park: () => signals.listen(null),
      },
      log: {
        append: ({ type }, line) => {
          waited ||= type === 'queued';
          if (line) tell(line.text);
        },
      },
      onQueued: () => undefined,
    });
    switch (outcome.kind) {
      case 'granted':
        if (waited) tell(lines.acquired(isolation.mutex, outcome.waitedMs, outcome.hold.grantedAt).text);
        for (const line of notIsolated(outcome.state, isolation.mutex, outcome.hold)) tell(line.text);
        return outcome.hold;
      case 'asked-to-leave':
        tell(`${signals.last} ended the wait for mutex "${isolation.mutex}". The command was not run.`);
        return 128 + constants.signals[signals.last ?? 'SIGINT'];
      case 'timed-out':
        tell(lines.gaveUpWaiting(isolation.mutex, outcome.waitedMs, holderFacts(outcome.state, Date.now())).text);
        return status.mutexTimeout;
      case 'deadlock':
        tell(lines.startFailed(lines.wouldDeadlock(isolation.mutex, outcome.holder)).text);
        return status.notStarted;
      case 'nothing-to-inherit':
        tell(lines.startFailed(lines.nothingToInherit(isolation.mutex, isolation.level)).text);
        return status.notStarted;
      case 'removed':
        tell(`The place in the queue of mutex "${isolation.mutex}" was taken away. The command was not run.`);
        return status.abandoned;
    }
  }

  /** Null when the hold was taken away before the command could run. */
  async function launch({ fence }: Hold): Promise<LaunchedScript | null> {
    const script = await control
      .launchAttached({
        file: file ?? '',
        args: command.slice(1),
        cwd,
        environment: {
          ...environment,
          UNJAM_RUN: [...ancestors, id].join('/'),
          UNJAM_TICKET: ticket,
          UNJAM_HOME: request.stateDirectory,
          UNJAM_MUTEX: isolation.mutex,
          UNJAM_FENCE: String(fence),
        },
        runId: id,
      })
      .catch(async (error: Error) => {
        await lasting(() => mutex.release(id, fence));
        throw new UnjamError(
          'start-failed',
          `The command could not be run: ${error.message}.`,
          'Look at its rights; the mutex was given back.',
        );
      });
    // Still behind its gate: from here on the hold is the command's too.
    if (await lasting(() => mutex.confirm(id, fence, script.scope))) return script;
    script.abort();
    await script.exited;
    tell(`The hold of mutex "${isolation.mutex}" was taken away before the command could run. It was not run.`);
    return null;
  }

  async function run(script: LaunchedScript, granted: Hold): Promise<number> {
    const { fence } = granted;
    const own = { ...granted, scope: script.scope };
    const keeping = setInterval(() => void mutex.heal(own).catch(() => undefined), keepHoldEveryMs);
    signals.listen((signal) => {
      // The terminal's own Ctrl-C has reached the command already: it is in the same process group.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) void control.interrupt(script.scope, signal);
    });
    const over = Promise.withResolvers<void>();
    const driver = new Driver(
      {
        control,
        scope: script.scope,
        append: (_body, line) => line && tell(line.text),
        killDisabled: false,
        cancel: { signal: 'SIGTERM', graceMs: 0 },
        clocks: new LimitClocks({ overallMs: null, noOutputMs: null }),
        hasWritten: () => false,
        mutexFacts: () => null,
        isAbandoned: () => false,
        cleanUp: () => Promise.resolve(),
        conclude: async () => {
          const left = control.tree(script.scope).map((m) => m.identity);
          clearInterval(keeping);
          await giveBack(mutex, id, fence, isolation.mutex, tell).catch(
            (error: Error) =>
            tell(`Mutex "${isolation.mutex}" could not be given back (${error.message}); it is free when this has ended.`), // prettier-ignore
          );
          if (left.length > 0) tell(lines.leftRunning(left, null, Date.now()).text);
          over.resolve();
        },
      },
      { ...newLife, stage: { kind: 'running' } },
    );
    script.release();
    const ended = await script.exited;
    driver.rootExited(ended.code, ended.signal, Date.now());
    await over.promise;
    driver.close();
    signals.close();
    return ended.code ?? 128 + ((constants.signals as Record<string, number>)[ended.signal ?? ''] ?? 0);
  }
}

async function giveBack(
  mutex: Mutex,
  id: string,
  fence: number,
  name: string,
  tell: (line: string) => void,
): Promise<void> {
  const before = mutex.read();
  const place = placeOf(await lasting(() => mutex.release(id, fence)), id);
  // A host may have seen the end of the command first, and forgotten that it was abandoned.
  const wasTaken = before.version > 0 && placeOf(before, id).kind !== 'holds';
  if (place.kind !== 'abandoned' && !wasTaken) return;
  tell(`The hold of mutex "${name}" was taken away while the command ran: it was not isolated to its end.`);
  await lasting(() => mutex.orphanEnded(id));
}

/** The signals that would end the wrapper; it stays as long as its command. */
class Signals {
  last: Interrupt | null = null;
  #heard = true;
  #listener: ((signal: Interrupt) => void) | null = null;
  readonly #handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    const handler = (): void => {
      this.last = signal;
      this.#heard = this.#listener !== null;
      this.#listener?.(signal);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });

  /** Hands every signal to `listener`, first the one that came while nobody listened. */
  listen(listener: ((signal: Interrupt) => void) | null): void {
    this.#listener = listener;
    if (listener === null || this.#heard || this.last === null) return;
    this.#heard = true;
    listener(this.last);
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }
}
