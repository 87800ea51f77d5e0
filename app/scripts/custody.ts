/**
 * Looks after scripts whose runner is dead or does not answer: judges what is left, or carries on their lifecycle with
 * the same table, clocks, limits and clean-up as the runner.
 */
import type { RunnerRequest } from '../domain/events.ts';
import { fineDuration } from '../domain/durations.ts';
import type { HostLog } from '../domain/host-log.ts';
import { sameBoot, sameProcess } from '../domain/identity.ts';
import { judge } from '../domain/judgement.ts';
import type { Cause, How, Life } from '../domain/life.ts';
import * as lines from '../domain/lines.ts';
import { type ExitRecord, type Outcome, type TreeScope, verdictOf } from '../domain/script.ts';
import { CallerWatch } from '../ladder/caller-watch.ts';
import { needsCleanup, runCleanup } from '../ladder/cleanup.ts';
import { Driver, type Summary } from '../ladder/driver.ts';
import { LimitClocks } from '../ladder/limit-clocks.ts';
import { heldMutexFacts } from '../ladder/mutex-facts.ts';
import { ScriptLog } from '../ladder/script-log.ts';
import type { Mutex, Mutexes } from '../locks/index.ts';
import { LogIndexer } from '../logs/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { sweepTemporaries } from '../run-directory/atomic-file.ts';
import { runnerProtocol } from '../run-directory/run-directory.ts';
import type { ScriptRecord } from './record.ts';
import type { Register } from './register.ts';
import { finishAbandon } from './verbs/abandon-record.ts';

/**
 * A runner is read as a whole again after this; until then its pid is enough. Longer than the time between two samples of
 * health: whom the table of a sample shows needs no look of its own.
 */
export const verifiedForMs = 40_000;

export interface CustodyOptions {
  readonly register: Register;
  readonly control: ProcessControl;
  readonly mutexes: Mutexes;
  readonly killDisabled: boolean;
  readonly log: HostLog;
}

interface Adoption {
  readonly driver: Driver;
  readonly caller: CallerWatch;
  readonly indexer: LogIndexer;
}

export class Custody {
  readonly #options: CustodyOptions;
  readonly #adoptions = new Map<string, Adoption>();

  constructor(options: CustodyOptions) {
    this.#options = options;
  }

  has(record: ScriptRecord): boolean {
    return this.#adoptions.has(record.spec.runId);
  }

  runnerIsDead(record: ScriptRecord, trustedForMs = 0): boolean {
    return record.runner === null || this.#options.control.liveness(record.runner.runner, trustedForMs) === 'dead';
  }

  /** Carries out a request that no runner answered. */
  handle(record: ScriptRecord, request: RunnerRequest): void {
    this.#adopt(record)?.driver.handle(request);
  }

  /** Looks at a script and takes it over when its runner is dead; true when something was concluded or begun. */
  look(record: ScriptRecord): boolean {
    const { control, register } = this.#options;
    if (record.isOrphan && record.abandoned === null) finishAbandon(record, control);
    const adoption = this.#adoptions.get(record.spec.runId);
    if (adoption) {
      const request = record.isOrphan ? null : adoption.caller.look();
      if (request) adoption.driver.handle(request);
      return request !== null;
    }
    const { runner } = record;
    if (runner && !this.runnerIsDead(record, verifiedForMs)) return false;
    register.refresh(record); // what the runner wrote in its last moment
    if (record.isFinal && !record.isOrphan) return false;
    if (record.runner !== runner) return false; // it has claimed the script just now: nobody has asked whether it lives
    return this.#judge(record);
  }

  /** Closes a script whose runner died between its verdict and tree.json: true when that was needed. */
  finish(record: ScriptRecord): boolean {
    const { register } = this.#options;
    register.refresh(record);
    if (record.tree !== null || this.has(record) || !this.runnerIsDead(record)) return false;
    this.#settle(record);
    register.refresh(record);
    return true;
  }

  /** Writes the verdict; what a full disk refuses is repeated by the next look. */
  conclude(record: ScriptRecord, outcome: Outcome, line?: lines.Line): void {
    const { register } = this.#options;
    const verdict = verdictOf(outcome, Date.now());
    this.#safely(record, () => {
      if (record.directory.writeVerdict(verdict)) this.#append(record, { type: 'final', verdict }, line);
      this.#settle(record);
    });
    register.refresh(record);
  }

  /**
   * Claims a script in the name of nobody, so that a runner that comes late does not run it.
   * False when a runner was first, or the disk refuses: then nothing may be concluded.
   */
  claimForNobody(record: ScriptRecord): boolean {
    const runner = { ...this.#options.control.self, pid: 0, startTime: '0', name: 'nobody' };
    try {
      return record.directory.writeRunner({ schema: 1, protocol: runnerProtocol, runner, claimedAt: Date.now() });
    } catch {
      return false;
    }
  }

  close(): void {
    for (const runId of [...this.#adoptions.keys()]) this.#release(runId);
  }

  /** The mutex that the script was started under, or null. */
  mutexOf(record: ScriptRecord): Mutex | null {
    const { mutexes } = this.#options;
    const name = record.spec.isolation?.mutex;
    return name !== undefined && mutexes.has(name) ? mutexes.open(name) : null;
  }

  #judge(record: ScriptRecord): boolean {
    const { control } = this.#options;
    const scope = record.started?.scope ?? null;
    const judgement = judge({
      claimed: record.runner !== null,
      ageMs: record.ageMs,
      started: scope !== null,
      tree: scope === null ? 'dead' : control.treeLiveness(scope),
      exit: record.exit !== null,
      cleanupDue: record.spec.cleanup !== null && !record.life.cleaned && !record.isFinal,
      rebooted: record.runner !== null && !sameBoot(record.runner.runner, control.self),
    });
    switch (judgement.kind) {
      case 'wait':
        return false;
      case 'adopt':
        if (scope)
          this.#append(record, { type: 'note' }, lines.runnerDied(scope.root, record.exit, this.#facts(record)));
        this.#adopt(record);
        return true;
      case 'exited':
        // A runner that had begun an end and died before it said so: what it began is the verdict.
        this.#tellCleanup(record, 'the machine was restarted');
        this.#over(record, begunCause(record));
        return true;
      case 'never-started':
        if (record.runner === null && !this.claimForNobody(record)) return false;
        this.conclude(record, { kind: 'never-started', detail: judgement.why }, lines.startFailed(judgement.why));
        return true;
      case 'lost':
        this.#tellCleanup(record, judgement.why);
        this.#over(record, null, judgement.why);
        return true;
    }
  }

  /** Null when the script has no process to look after. */
  #adopt(record: ScriptRecord): Adoption | null {
    const { spec, directory, started } = record;
    const known = this.#adoptions.get(spec.runId);
    if (known) return known;
    if (!started) return null;
    const { control, killDisabled } = this.#options;
    const { scope } = started;
    let bytes = record.logBytes();
    const indexer = new LogIndexer(directory, () => undefined);
    const log = new ScriptLog(directory, indexer, 'host');
    const root = control.identify(scope.root.pid); // by the clock of this moment: one that was set ends no script
    const { startedAt } = root?.startTime === scope.root.startTime ? root : started;
    const ranMs = Math.max(0, Date.now() - startedAt);
    const silentMs = Math.min(ranMs, Math.max(0, Date.now() - (record.lastOutputAt() ?? startedAt)));
    // Read while it can be: a clean-up command needs it after the script has gone.
    const environment = spec.cleanup ? (control.environmentOf?.(scope.root) ?? null) : null;
    const driver = new Driver(
      {
        control,
        scope,
        killDisabled,
        adopted: true,
        cancel: spec.cancel,
        clocks: new LimitClocks(spec.timeouts, ranMs, silentMs, bytes > 0),
        append: (body, line) => {
          log.append(body, line);
          this.#options.register.refresh(record);
        },
        hasWritten: () => {
          indexer.look();
          const now = record.logBytes();
          const written = now !== bytes;
          bytes = now;
          return written;
        },
        mutexFacts: () => this.#facts(record),
        isAbandoned: () => record.verdict?.kind === 'abandoned',
        cleanUp: (how, life, begin) => this.#cleanUp(record, { how, life, environment, log, begin }),
        conclude: async (how, summary) => {
          await control.drained?.(scope, directory);
          this.#release(spec.runId);
          this.#concluded(record, how, summary, driver.life.cause);
        },
      },
      lifeToCarryOn(record),
    );
    const adoption = { driver, caller: new CallerWatch(spec, control), indexer };
    this.#adoptions.set(spec.runId, adoption);
    indexer.look(true);
    return adoption;
  }

  async #cleanUp(
    record: ScriptRecord,
    {
      how,
      life,
      environment,
      log,
      begin,
    }: {
      readonly how: How;
      readonly life: Life;
      readonly environment: Readonly<Record<string, string>> | null;
      readonly log: ScriptLog;
      readonly begin: (scope: TreeScope) => void;
    },
  ): Promise<void> {
    const { spec } = record;
    if (!spec.cleanup || (record.isFinal && !record.isOrphan) || (how === 'self' && life.abandoned)) return;
    if (environment === null && life.cleanup === null) log.append({ type: 'note' }, lines.cleanupWithoutEnvironment());
    const context = {
      spec,
      environment: { ...(environment ?? (process.env as Record<string, string>)), UNJAM_TICKET: spec.ticket },
      umask: 0o022,
      niceness: 0,
      limits: null,
      control: this.#options.control,
      log,
    };
    await runCleanup(context, { how, cause: life.cause, exit: record.exit }, life.cleanup, begin);
  }

  /** Of a clean-up that nobody can run any more. */
  #tellCleanup(record: ScriptRecord, why: string): void {
    const { cleanup } = record.spec;
    const cause = begunCause(record);
    if (!cleanup || record.life.cleaned || record.isFinal) return;
    if (!needsCleanup(cleanup.when, { how: cause === null ? 'self' : 'cancel', cause, exit: record.exit })) return;
    this.#append(
      record,
      { type: 'note' },
      record.life.cleanup === null
        ? lines.cleanupNotRun(why)
        : lines.cleanupFailed(`${why} while it ran`, fineDuration(cleanup.timeoutMs)),
    );
  }

  /** The tree is gone. A runner that is only suspended writes the exit status itself when it goes on. */
  #concluded(record: ScriptRecord, how: How, summary: Summary, cause: Cause | null): void {
    const { register, control } = this.#options;
    register.refresh(record);
    const root = record.started?.scope.root;
    if (record.isFinal && !record.isOrphan) {
      if (root && cause)
        this.#append(record, { type: 'note' }, lines.leftoversKilled(summary.total, summary.afterMs, root));
      register.changed();
      return;
    }
    if (how === 'self' && record.runner !== null && control.liveness(record.runner.runner) !== 'dead') return;
    this.#over(
      record,
      how === 'self' ? begunCause(record) : cause,
      undefined,
      how === 'self' ? null : { how, summary },
    );
  }

  /** Nothing of the tree is left, and no runner says so. */
  #over(
    record: ScriptRecord,
    cause: Cause | null,
    why = 'its runner died, so its end was seen but not its exit code',
    end: { readonly how: How; readonly summary: Summary } | null = null,
  ): void {
    const { exit, started, spec } = record;
    const root = started?.scope.root ?? null;
    const seen = seenExit(exit);
    if (record.verdict?.kind === 'abandoned') {
      if (root) this.#append(record, { type: 'orphan-ended' }, lines.orphanLost(root));
      this.#safely(record, () => this.#settle(record));
      this.#options.register.refresh(record);
    } else if (cause) {
      // Its mutex is released after this line: so the line says nothing of it.
      const facts =
        root && end ? { ...end.summary, root, exit: lines.exitText(exit), mutex: null, at: Date.now() } : null;
      const line = facts && (end?.how === 'kill' ? lines.killed(facts) : lines.endedAfterCancel(facts));
      this.conclude(record, { ...cause, ...seen }, line ?? undefined);
    } else if (exit) this.conclude(record, { kind: 'exited', ...seen });
    else {
      const owner = root === null ? null : this.#options.control.identify(root.pid);
      const stranger = root !== null && owner !== null && !sameProcess(owner, root) ? owner : null;
      this.conclude(record, { kind: 'lost', detail: why }, lines.lost(why, spec.isolation?.mutex ?? null, stranger));
    }
    this.#options.register.changed();
  }

  /** Closes the script's folder and gives up its place at the mutex. A runner that still lives writes tree.json itself. */
  #settle(record: ScriptRecord): void {
    const { control } = this.#options;
    this.#release(record.spec.runId);
    if (this.runnerIsDead(record)) {
      record.directory.writeTree({ schema: 1, emptyAt: Date.now(), left: [] });
      sweepTemporaries(record.directory.path, (pid) => control.identify(pid) !== null);
    }
    // What a full disk refuses is left to the reaper: nobody of this script lives.
    void this.#giveUpMutex(record).catch(() => undefined);
  }

  async #giveUpMutex(record: ScriptRecord): Promise<void> {
    const mutex = this.mutexOf(record);
    if (!mutex) return;
    const fence = record.started?.fence;
    if (fence != null) await mutex.release(record.spec.runId, fence);
    await mutex.leave(record.spec.runId);
    await mutex.orphanEnded(record.spec.runId);
  }

  #release(runId: string): void {
    const adoption = this.#adoptions.get(runId);
    this.#adoptions.delete(runId);
    adoption?.driver.close();
    adoption?.indexer.look(true);
  }

  #append(record: ScriptRecord, ...event: [Parameters<Register['append']>[1], lines.Line?]): void {
    this.#options.register.append(record, ...event);
    this.#adoptions.get(record.spec.runId)?.indexer.look(true);
  }

  #facts(record: ScriptRecord): lines.MutexFacts | null {
    const { isolation, runId } = record.spec;
    const mutex = this.mutexOf(record);
    return mutex && isolation ? heldMutexFacts(mutex, isolation.mutex, runId) : null;
  }

  #safely(record: ScriptRecord, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.log(
        `W396 The end of ${record.spec.ticket} could not be written: ${(error as Error).message}. It will be tried again.`,
        { ticket: record.spec.ticket },
      );
    }
  }
}

const seenExit = (exit: ExitRecord | null): Partial<Outcome> =>
  exit ? { exitCode: exit.code, signal: exit.signal, durationMs: exit.durationMs } : {};

/** Where the runner had come to, completed by what its files say. */
function lifeToCarryOn(record: ScriptRecord): Life {
  const { life, exit } = record;
  const root = life.root ?? (exit ? { at: exit.endedAt, code: exit.code, signal: exit.signal, known: true } : null);
  const over = record.isFinal && !record.isOrphan;
  const { stage } = life;
  return {
    ...life,
    root,
    runnerDied: true,
    abandoned: life.abandoned || record.verdict?.kind === 'abandoned',
    ...(over
      ? {
          stage: { kind: 'final', since: Date.now() },
          cleaned: true,
          cleanup: null,
          cause: null,
          root: root ?? unknownRoot(),
        }
      : stage.kind === 'queued' || stage.kind === 'starting' || stage.kind === 'final'
        ? { stage: { kind: 'running' } }
        : {}),
  };
}

const unknownRoot = (): Life['root'] => ({ at: Date.now(), code: null, signal: null, known: false });

/** Null when nobody had begun to end the script. */
function begunCause({ life, spec }: ScriptRecord): Cause | null {
  const { cause } = life;
  if (cause === null) return null;
  // Its runner died between the intent and the line that names the limit.
  const { overallMs, noOutputMs } = spec.timeouts;
  const limit = overallMs !== null ? 'overall' : noOutputMs === null ? 'first-output' : 'no-output';
  return { ...cause, timeout: cause.kind === 'timed-out' ? (cause.timeout ?? limit) : null };
}
