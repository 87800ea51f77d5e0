/** The life of one script in its runner: queue, launch, watch, verdict. */
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessIdentity } from '../domain/identity.ts';
import * as lines from '../domain/lines.ts';
import type { Hold, MutexState } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import { type ExitRecord, type Outcome, type ScriptSpec, type TreeScope, verdictOf } from '../domain/script.ts';
import type { Mutex, Mutexes } from '../locks/index.ts';
import { LogIndexer } from '../logs/index.ts';
import type { LaunchedScript, ProcessControl } from '../processes/index.ts';
import { fileSize, RunDirectory, runnerProtocol } from '../run-directory/run-directory.ts';
import { runCleanup } from './cleanup.ts';
import { startClocks } from './clocks.ts';
import { type Cause, Ending, type EndSummary } from './ending.ts';
import { Inbox } from './inbox.ts';
import { lasting } from '../run-directory/lasting.ts';
import { heldMutexFacts, holderFacts, mutexFacts, notIsolated } from './mutex-facts.ts';
import { waitInQueue } from './queue.ts';
import { ScriptLog } from './script-log.ts';

export interface SessionContext {
  readonly directory: RunDirectory;
  readonly spec: ScriptSpec;
  readonly environment: Readonly<Record<string, string>>;
  readonly control: ProcessControl;
  readonly mutexes: Mutexes;
  readonly killDisabled: boolean;
  /** The start is safe: runner.json stands and the script has its place in the queue. */
  readonly onClaimed: () => void;
}

const orphanPollMs = 1_000;

export class Session {
  readonly #c: SessionContext;
  readonly #indexer: LogIndexer;
  readonly #log: ScriptLog;
  readonly #inbox: Inbox;
  readonly #mutex: Mutex | null;
  #hold: Hold | null = null;
  #waitedMs = 0;
  /** A host that found no runner for too long has concluded "never started": then that holds. */
  #tooLate = false;
  /** Who was left running on purpose when the script exited. */
  #left: readonly ProcessIdentity[] = [];
  #lastOutput = performance.now();
  #hasLostOutput = false;

  constructor(context: SessionContext) {
    this.#c = context;
    this.#indexer = new LogIndexer(context.directory, () => {
      this.#lastOutput = performance.now();
    });
    this.#log = new ScriptLog(context.directory, this.#indexer, 'runner');
    this.#inbox = new Inbox(context.directory);
    this.#mutex = context.spec.isolation ? context.mutexes.open(context.spec.isolation.mutex) : null;
  }

  /** Resolves when nothing is left to watch. */
  async run(): Promise<void> {
    this.#indexer.start();
    this.#c.control.prepareLaunch?.(this.#c.directory);
    try {
      if (await this.#takeMutex()) await this.#runScript();
    } finally {
      this.#inbox.close();
      this.#indexer.close();
      // The last word: from here on nobody adds to the log or its index.
      const left = this.#left;
      const emptyAt = left.length === 0 ? Date.now() : null;
      await lasting(() => this.#c.directory.writeTree({ schema: 1, emptyAt, left }));
    }
  }

  get log(): ScriptLog {
    return this.#log;
  }

  #claim(): void {
    const { directory, control } = this.#c;
    const record = { schema: 1, protocol: runnerProtocol, runner: control.self, claimedAt: Date.now() } as const;
    this.#tooLate = !directory.writeRunner(record);
    this.#c.onClaimed();
  }

  /** True when the script may start. */
  async #takeMutex(): Promise<boolean> {
    const { spec, control } = this.#c;
    if (this.#mutex === null || spec.isolation === null) {
      this.#claim();
      return !this.#tooLate;
    }
    const name = spec.isolation.mutex;
    const outcome = await waitInQueue({
      mutex: this.#mutex,
      isolation: spec.isolation,
      waiter: {
        id: spec.runId,
        ticket: spec.ticket,
        name: spec.name,
        level: spec.isolation.level,
        runner: control.self,
        ancestors: spec.ancestors,
        queuedAt: Date.now(),
        ...(spec.isolation.inherit ? { inherit: true } : {}),
      },
      inbox: this.#inbox,
      log: this.#log,
      onQueued: () => this.#claim(),
    });
    switch (outcome.kind) {
      case 'granted':
        this.#hold = outcome.hold;
        this.#waitedMs = outcome.waitedMs;
        if (this.#tooLate) {
          await this.#release(this.#mutex, outcome.hold);
          return false;
        }
        this.#tellGrant(name, outcome.hold, outcome.state, outcome.waitedMs);
        return true;
      case 'asked-to-leave': {
        const { request } = outcome;
        const verb = request.verb === 'cancel' ? 'Cancel' : 'Force Kill';
        const line = lines.leftQueue(name, request.actor, verb, Date.now(), request.reason);
        this.#log.append(
          request.verb === 'cancel'
            ? {
                type: 'cancel',
                requestId: request.id,
                actor: request.actor,
                signal: spec.cancel.signal,
                until: Date.now(),
                escalate: false,
                evidence: [],
              }
            : { type: 'kill', requestId: request.id, actor: request.actor, count: 0, evidence: [] },
          line,
        );
        await this.#conclude({ kind: 'cancelled', actor: request.actor, detail: 'left the queue; never started' });
        return false;
      }
      case 'timed-out': {
        const holders = holderFacts(outcome.state, Date.now());
        await this.#conclude(
          { kind: 'timed-out', timeout: 'mutex' },
          lines.gaveUpWaiting(name, outcome.waitedMs, holders),
        );
        return false;
      }
      case 'deadlock': {
        const why = lines.wouldDeadlock(name, outcome.holder);
        await this.#conclude({ kind: 'failed-to-start', detail: why }, lines.startFailed(why));
        this.#tellHolder(outcome.holder, lines.startedDeadlock(name, spec));
        return false;
      }
      case 'nothing-to-inherit': {
        const why = lines.nothingToInherit(name, spec.isolation.level);
        await this.#conclude({ kind: 'failed-to-start', detail: why }, lines.startFailed(why));
        return false;
      }
      case 'removed': {
        // Only an Abandon takes a living waiter out; the host that did it tells why.
        await this.#conclude({ kind: 'cancelled', detail: 'taken out of the queue; never started' });
        return false;
      }
    }
  }

  /** The holder's own runner gives the line its place among its output. */
  #tellHolder(holder: Hold, line: lines.Line): void {
    try {
      const beside = new RunDirectory(join(dirname(this.#c.directory.path), nameKey(holder.ticket)));
      if (!holder.unsupervised) beside.append('runner', { type: 'note' }, line);
    } catch {
      // Its folder is gone, or the disk is full: this script's own log says it too.
    }
  }

  #tellGrant(name: string, hold: Hold, state: MutexState, waitedMs: number): void {
    const waited = waitedMs > 20 || hold.grantedAt > hold.queuedAt + 20;
    this.#log.append(
      { type: 'granted', mutex: name, fence: hold.fence, waitedMs },
      waited ? lines.acquired(name, waitedMs, hold.grantedAt) : undefined,
    );
    for (const line of notIsolated(state, name, hold)) this.#log.append({ type: 'note' }, line);
  }

  async #runScript(): Promise<void> {
    const { spec, control, directory } = this.#c;
    let launched: LaunchedScript;
    try {
      launched = await control.launch({
        file: spec.file,
        args: spec.command.slice(1),
        cwd: spec.cwd,
        environment: { ...this.#c.environment, ...this.#unjamEnvironment() },
        runId: spec.runId,
        stdoutPath: directory.stdoutPath,
        stderrPath: directory.stderrPath,
        onOutputLost: () => this.#outputLost(),
      });
    } catch (error) {
      const why = (error as Error).message;
      await this.#conclude({ kind: 'failed-to-start', detail: why }, lines.startFailed(why));
      return;
    }
    const hold = this.#hold;
    // On a full disk it waits behind its gate: it has been acknowledged.
    if (hold && !(await lasting(() => this.#mutex?.confirm(hold.id, hold.fence, launched.scope)))) {
      launched.abort();
      await this.#conclude({ kind: 'cancelled', detail: 'abandoned before it could start' });
      return;
    }
    const startedAt = Date.now();
    const start = performance.now();
    await lasting(() =>
      directory.writeStarted({
        schema: 1,
        scope: launched.scope,
        fence: hold?.fence ?? null,
        startedAt,
        waitedMs: this.#waitedMs,
      }),
    );
    this.#lastOutput = start;
    launched.release();
    this.#log.append({ type: 'started', pid: launched.scope.root.pid });
    await this.#watch(launched, start);
  }

  #outputLost(): void {
    if (!this.#hasLostOutput) this.#log.append({ type: 'note' }, lines.outputLost());
    this.#hasLostOutput = true;
  }

  #unjamEnvironment(): Record<string, string> {
    const { spec } = this.#c;
    return {
      UNJAM_RUN: [...spec.ancestors, spec.runId].join('/'),
      UNJAM_TICKET: spec.ticket,
      // A command of Unjam that the script runs must mean this very host and its mutexes.
      UNJAM_HOME: dirname(dirname(this.#c.directory.path)),
      ...(spec.isolation ? { UNJAM_MUTEX: spec.isolation.mutex } : {}),
      ...(this.#hold ? { UNJAM_FENCE: String(this.#hold.fence) } : {}),
    };
  }

  /** From the first instruction to the last process of the tree. */
  async #watch(launched: LaunchedScript, start: number): Promise<void> {
    const { spec, control, directory } = this.#c;
    const { scope } = launched;
    // Set once; the ending asks for it.
    let exit: ExitRecord | null = null;
    const forced = Promise.withResolvers<{ cause: Cause; summary: EndSummary }>();
    const ending = new Ending({
      control,
      scope,
      log: this.#log,
      killDisabled: this.#c.killDisabled,
      graceMs: spec.cancel.graceMs,
      signal: spec.cancel.signal,
      mutexFacts: () => this.#facts(),
      rootExit: () => (exit === null ? null : { code: exit.code, signal: exit.signal, at: exit.endedAt }),
      onEmpty: (cause, summary) => forced.resolve({ cause, summary }),
    });
    const stopClocks = startClocks(spec.timeouts, ending, {
      lastOutput: () => {
        this.#indexer.look();
        return this.#lastOutput;
      },
      spared: () => directory.readAbandoned() !== null,
      tell: (line) => this.log.append({ type: 'note' }, line),
    });
    this.#inbox.listen((request) => ending.handle(request));

    const status = await launched.exited;
    const endedAt = Date.now();
    await control.drained?.(scope, directory);
    this.#indexer.look(true);
    const record: ExitRecord = {
      schema: 1,
      ...status,
      endedAt,
      durationMs: performance.now() - start,
      stdoutBytes: fileSize(directory.stdoutPath).bytes,
      stderrBytes: fileSize(directory.stderrPath).bytes,
    };
    exit = record; // before it is on disk: a full one must not make an exited script look alive
    await lasting(() => directory.writeExit(record));
    this.#log.append({ type: 'exited', exit: { code: status.code, signal: status.signal, endedAt } });

    if (!ending.active && directory.readAbandoned() === null) {
      stopClocks();
      await this.#exitedByItself(record, scope);
      return;
    }
    ending.rootExited();
    const end = await Promise.race([forced.promise, this.#orphanGone(ending, scope)]);
    stopClocks();
    if (spec.cleanup && end) await runCleanup(spec, { ...this.#c.environment, ...this.#unjamEnvironment() }, this.#log);
    if (end) await this.#forcedEnd(end.cause, end.summary, record, scope);
    await this.#orphanEnded(record, scope);
  }

  /** What an exited script left running was started on purpose, a service for instance: it does not keep the mutex. */
  async #exitedByItself(exit: ExitRecord, scope: TreeScope): Promise<void> {
    const left = this.#c.control.tree(scope).map((m) => m.identity);
    await this.#conclude(
      { kind: 'exited', exitCode: exit.code, signal: exit.signal, durationMs: exit.durationMs },
      (mutex) =>
        left.length === 0 ? lines.jointGoesOn(mutex, Date.now()) : lines.leftRunning(left, mutex, Date.now()),
    );
    this.#left = left;
  }

  async #forcedEnd(cause: Cause, summary: EndSummary, exit: ExitRecord, scope: TreeScope): Promise<void> {
    const base = {
      total: summary.total,
      afterMs: summary.afterMs,
      root: scope.root,
      exit: lines.exitText(exit),
      at: Date.now(),
    };
    const line = (mutex: lines.MutexFacts | null): lines.Line =>
      summary.how === 'kill' ? lines.killed({ ...base, mutex }) : lines.endedAfterCancel({ ...base, mutex });
    if (this.#c.directory.readAbandoned() !== null) this.#log.append({ type: 'note' }, line(null));
    else
      await this.#conclude(
        {
          kind: cause.kind,
          timeout: cause.timeout,
          actor: cause.actor,
          exitCode: exit.code,
          signal: exit.signal,
          durationMs: exit.durationMs,
        },
        line,
      );
  }

  /** An abandoned script's tree is gone: facts are added, the verdict stays. */
  async #orphanEnded(exit: ExitRecord, scope: TreeScope): Promise<void> {
    const { directory, spec } = this.#c;
    const abandoned = directory.readAbandoned();
    if (abandoned === null) return;
    const bytes = fileSize(directory.stdoutPath).bytes + fileSize(directory.stderrPath).bytes - abandoned.logBytes;
    this.#log.append(
      { type: 'orphan-ended' },
      lines.orphanExited(scope.root, Date.now(), abandoned.at, lines.exitText(exit), Math.max(0, bytes)),
    );
    await lasting(() => this.#mutex?.orphanEnded(spec.runId));
  }

  /** Resolves when the script was abandoned and nothing of its tree is left, while no end is under way. */
  async #orphanGone(ending: Ending, scope: TreeScope): Promise<null> {
    const { control, directory } = this.#c;
    while (ending.active || directory.readAbandoned() === null || control.treeLiveness(scope) !== 'dead')
      await delay(orphanPollMs);
    return null;
  }

  /** Creates the verdict, releases the mutex, and tells both. An earlier verdict (an abandon) holds. */
  async #conclude(
    outcome: Outcome,
    line?: lines.Line | ((mutex: lines.MutexFacts | null) => lines.Line | undefined),
  ): Promise<void> {
    const { directory, spec } = this.#c;
    const verdict = verdictOf(outcome, Date.now());
    this.#indexer.look(true);
    const first = await lasting(() => directory.writeVerdict(verdict));
    let facts: lines.MutexFacts | null = null;
    if (this.#hold && this.#mutex && spec.isolation) {
      const state = await this.#release(this.#mutex, this.#hold);
      facts = mutexFacts(state, spec.isolation.mutex, this.#hold);
      this.#hold = null;
    }
    if (!first) return;
    this.#log.append({ type: 'final', verdict }, typeof line === 'function' ? line(facts) : line);
  }

  #release(mutex: Mutex, hold: Hold): Promise<MutexState> {
    return lasting(() => mutex.release(hold.id, hold.fence));
  }

  #facts(): lines.MutexFacts | null {
    const { spec } = this.#c;
    if (!this.#mutex || !this.#hold || !spec.isolation) return null;
    return heldMutexFacts(this.#mutex.read(), spec.isolation.mutex, spec.runId);
  }
}
