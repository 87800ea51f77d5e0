/** One script in its runner: claim, queue, launch, then the lifecycle table until nothing is left to watch. */
import { dirname, join } from 'node:path';
import type { ProcessIdentity } from '../domain/identity.ts';
import { type How, type Life, newLife } from '../domain/life.ts';
import type { ResourceLimits } from '../domain/resource-limits.ts';
import * as lines from '../domain/lines.ts';
import type { Hold, MutexState } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import { type ExitRecord, type Outcome, type ScriptSpec, type TreeScope, verdictOf } from '../domain/script.ts';
import { Driver, type Summary } from '../ladder/driver.ts';
import { LimitClocks } from '../ladder/limit-clocks.ts';
import { heldMutexFacts, holderFacts, mutexFacts, notIsolated } from '../ladder/mutex-facts.ts';
import { waitInQueue } from '../ladder/queue.ts';
import { ScriptLog } from '../ladder/script-log.ts';
import type { Mutex, Mutexes } from '../locks/index.ts';
import { LogIndexer } from '../logs/index.ts';
import type { LaunchedScript, ProcessControl } from '../processes/index.ts';
import { lasting } from '../run-directory/lasting.ts';
import { fileSize, RunDirectory, runnerProtocol } from '../run-directory/run-directory.ts';
import { runCleanup } from '../ladder/cleanup.ts';
import { CallerWatch } from '../ladder/caller-watch.ts';
import { Inbox } from './inbox.ts';
import { Keeper } from './keeper.ts';

export interface SessionContext {
  readonly directory: RunDirectory;
  readonly spec: ScriptSpec;
  readonly environment: Readonly<Record<string, string>>;
  readonly umask: number;
  readonly niceness: number;
  readonly limits: ResourceLimits | null;
  /** Open, and to be closed when the script has it; null = it has none. */
  readonly stdin: number | null;
  readonly control: ProcessControl;
  readonly mutexes: Mutexes;
  readonly killDisabled: boolean;
  /** The start is safe: runner.json stands and the script has its place in the queue. */
  readonly onClaimed: () => void;
}

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
  #hasWritten = false;
  #hasLostOutput = false;
  readonly #keeper: Keeper;
  readonly #caller: CallerWatch;
  #driver: Driver | null = null;

  constructor(context: SessionContext) {
    this.#c = context;
    this.#indexer = new LogIndexer(context.directory, () => {
      this.#hasWritten = true;
    });
    this.#log = new ScriptLog(context.directory, this.#indexer, 'runner');
    this.#inbox = new Inbox(context.directory);
    this.#caller = new CallerWatch(context.spec, context.control);
    this.#mutex = context.spec.isolation ? context.mutexes.open(context.spec.isolation.mutex) : null;
    this.#keeper = new Keeper({
      ...context,
      log: this.#log,
      mutex: this.#mutex,
      isAbandoned: () => this.#isAbandoned,
      isRunning: () => this.#driver?.life.stage.kind === 'running',
    });
  }

  /** Resolves when nothing is left to watch. */
  async run(): Promise<void> {
    this.#indexer.start();
    this.#c.control.prepareLaunch?.();
    try {
      if (await this.#takeMutex()) await this.#runScript();
    } finally {
      this.#answerTheRest();
      this.#inbox.close();
      this.#indexer.close();
      // Written last: from here on nobody adds to the log or its index.
      const left = this.#left;
      const emptyAt = left.length === 0 ? Date.now() : null;
      await lasting(() => this.#c.directory.writeTree({ schema: 1, emptyAt, left }));
    }
  }

  get log(): ScriptLog {
    return this.#log;
  }

  /** Called every second: puts back what somebody has removed, and looks whether the caller still lives. Never throws. */
  readonly keep = async (): Promise<void> => {
    await this.#keeper.look();
    if (this.#keeper.isOver) return;
    const request = this.#caller.look();
    if (request) this.#inbox.put(request);
  };

  #claim(): void {
    const { directory, control } = this.#c;
    const record = { schema: 1, protocol: runnerProtocol, runner: control.self, claimedAt: Date.now() } as const;
    this.#tooLate = !directory.writeRunner(record);
    if (!this.#tooLate) this.#keeper.runner = record;
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
      now: () => control.now(),
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
        this.#keeper.hold = outcome.hold;
        this.#waitedMs = outcome.waitedMs;
        if (this.#tooLate) {
          await this.#release(this.#mutex, outcome.hold);
          return false;
        }
        this.#tellGrant(name, outcome.hold, outcome.state, outcome.waitedMs);
        return true;
      case 'asked-to-leave': {
        const { request } = outcome;
        const { id: requestId, actor } = request;
        const verb = request.verb === 'cancel' ? 'Cancel' : 'Force Kill';
        this.#log.append(
          request.verb === 'cancel'
            ? { type: 'cancel', requestId, actor, signal: spec.cancel.signal, until: Date.now(), escalate: false, evidence: [] } // prettier-ignore
            : { type: 'kill', requestId, actor, count: 0, evidence: [] },
          lines.leftQueue(name, actor, verb, Date.now(), request.reason),
        );
        await this.#conclude({ kind: 'cancelled', actor, detail: 'left the queue; never started' });
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
      if (!holder.unsupervised && beside.readSpec()?.runId === holder.id)
        beside.append('runner', { type: 'note' }, line);
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
    const launch = (): Promise<LaunchedScript> =>
      control.launch({
        file: spec.file,
        args: spec.command.slice(1),
        cwd: spec.cwd,
        environment: this.#environment(),
        umask: this.#c.umask,
        niceness: this.#c.niceness,
        limits: this.#c.limits,
        stdin: this.#c.stdin,
        runId: spec.runId,
        stdoutPath: directory.stdoutPath,
        stderrPath: directory.stderrPath,
        onOutputLost: () => this.#outputLost(),
      });
    let launched: LaunchedScript;
    try {
      launched = await launch().catch(async (error: unknown) => {
        if (!isMissing(error, directory.path)) throw error;
        await this.#keeper.remake();
        return launch();
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
    if (hold) this.#keeper.hold = { ...hold, scope: launched.scope };
    const startedAt = Date.now();
    const start = performance.now();
    const { scope } = launched;
    const started = { schema: 1, scope, fence: hold?.fence ?? null, startedAt, waitedMs: this.#waitedMs } as const;
    await lasting(() => directory.writeStarted(started), this.#keeper.remake);
    this.#keeper.started = started;
    launched.release();
    this.#log.append({ type: 'started', pid: launched.scope.root.pid });
    await this.#watch(launched, start);
  }

  #outputLost(): void {
    if (!this.#hasLostOutput) this.#log.append({ type: 'note' }, lines.outputLost());
    this.#hasLostOutput = true;
  }

  #environment(): Record<string, string> {
    const { spec, environment } = this.#c;
    return {
      ...environment,
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
    const { spec, control, directory, killDisabled } = this.#c;
    const { scope } = launched;
    const over = Promise.withResolvers<void>();
    const exit = Promise.withResolvers<ExitRecord>();
    const driver = new Driver(
      {
        control,
        scope,
        killDisabled,
        cancel: spec.cancel,
        clocks: new LimitClocks(spec.timeouts),
        append: (body, line) => this.#log.append(body, line),
        hasWritten: () => {
          this.#indexer.look();
          const written = this.#hasWritten;
          this.#hasWritten = false;
          return written;
        },
        mutexFacts: () => this.#facts(),
        isAbandoned: () => this.#isAbandoned,
        cleanUp: async (how, { cause }, begin) => {
          const record = await exit.promise;
          if (how === 'self' && this.#isAbandoned) return;
          const { umask, niceness, limits } = this.#c;
          const context = { spec, environment: this.#environment(), umask, niceness, limits, control, log: this.#log };
          await runCleanup(context, { how, cause, exit: record }, null, begin);
        },
        conclude: async (how, summary) => {
          const record = await exit.promise;
          await this.#over(driver.life, how, summary, record, scope);
          over.resolve();
        },
      },
      { ...newLife, stage: { kind: 'running' } },
    );
    this.#driver = driver;
    this.#inbox.listen((request) => driver.handle(request));

    const status = await launched.exited;
    const endedAt = Date.now();
    const durationMs = performance.now() - start;
    // Told before it is on disk: a full one must not make an exited script look alive.
    driver.rootExited(status.code, status.signal, endedAt);
    await control.drained?.(scope, directory);
    this.#indexer.look(true);
    const record: ExitRecord = {
      schema: 1,
      ...status,
      endedAt,
      durationMs,
      stdoutBytes: fileSize(directory.stdoutPath).bytes,
      stderrBytes: fileSize(directory.stderrPath).bytes,
    };
    await lasting(() => directory.writeExit(record), this.#keeper.remake);
    exit.resolve(record);
    await over.promise;
    driver.close();
  }

  get #isAbandoned(): boolean {
    try {
      return this.#c.directory.readVerdict()?.kind === 'abandoned';
    } catch {
      return false; // no descriptor is left, say: limits and ends hold all the same
    }
  }

  async #over({ cause }: Life, how: How, summary: Summary, exit: ExitRecord, scope: TreeScope): Promise<void> {
    const { root } = scope;
    const seen = { exitCode: exit.code, signal: exit.signal, durationMs: exit.durationMs };
    if (how === 'self' || cause === null) {
      // What an exited script left running was started on purpose, a service for instance: it does not keep the mutex.
      const left = this.#isAbandoned ? [] : this.#c.control.tree(scope).map((m) => m.identity);
      this.#left = left;
      await this.#conclude({ kind: 'exited', ...seen }, (mutex) =>
        left.length === 0 ? lines.jointGoesOn(mutex, Date.now()) : lines.leftRunning(left, mutex, Date.now()),
      );
    } else {
      const base = { ...summary, root, exit: lines.exitText(exit), at: Date.now() };
      const line = (mutex: lines.MutexFacts | null): lines.Line =>
        how === 'kill' ? lines.killed({ ...base, mutex }) : lines.endedAfterCancel({ ...base, mutex });
      if (this.#isAbandoned) this.#log.append({ type: 'note' }, line(null));
      else await this.#conclude({ ...cause, ...seen }, line);
    }
    await this.#orphanEnded(exit, root);
  }

  /** An abandoned script's tree is gone: facts are added, the verdict stays. */
  async #orphanEnded(exit: ExitRecord, root: ProcessIdentity): Promise<void> {
    const { directory, spec } = this.#c;
    const verdict = directory.readVerdict();
    if (verdict?.kind !== 'abandoned') return;
    const logBytes = directory.readAbandoned()?.logBytes;
    const bytes = fileSize(directory.stdoutPath).bytes + fileSize(directory.stderrPath).bytes;
    this.#log.append(
      { type: 'orphan-ended' },
      lines.orphanExited(root, Date.now(), verdict.at, lines.exitText(exit), Math.max(0, bytes - (logBytes ?? bytes))),
    );
    await lasting(() => this.#mutex?.orphanEnded(spec.runId));
  }

  /** Requests that came too late are answered all the same: whoever asked must find out. */
  #answerTheRest(): void {
    const started = this.#c.directory.readStarted();
    this.#inbox.listen(({ id, verb }) =>
      this.#log.append(
        { type: 'refused', requestId: id, reason: 'the script had already ended' },
        lines.requestTooLate(verb === 'cancel' ? 'Cancel' : 'Force Kill', started?.scope.root ?? null),
      ),
    );
  }

  /** Creates the verdict, releases the mutex, and tells both. An earlier verdict (an abandon) holds. */
  async #conclude(
    outcome: Outcome,
    line?: lines.Line | ((mutex: lines.MutexFacts | null) => lines.Line | undefined),
  ): Promise<void> {
    const { directory, spec } = this.#c;
    const verdict = verdictOf(outcome, Date.now());
    this.#indexer.look(true);
    this.#keeper.isOver = true;
    const first = await lasting(() => directory.writeVerdict(verdict), this.#keeper.remake);
    let facts: lines.MutexFacts | null = null;
    if (this.#hold && this.#mutex && spec.isolation) {
      facts = mutexFacts(await this.#release(this.#mutex, this.#hold), spec.isolation.mutex, this.#hold);
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
    return heldMutexFacts(this.#mutex, spec.isolation.mutex, spec.runId);
  }
}

/** Whether the run directory itself was missing: somebody had removed it while the script waited. */
function isMissing(error: unknown, folder: string): boolean {
  const { code, path } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' && path?.startsWith(folder) === true;
}
