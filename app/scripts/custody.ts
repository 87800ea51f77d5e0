/** Looks after scripts that have lost their runner: concludes by the recovery matrix, or watches them in its place. */
import type { RunnerRequest } from '../domain/events.ts';
import { sameBoot, sameProcess } from '../domain/identity.ts';
import * as lines from '../domain/lines.ts';
import { conclude } from '../domain/recovery.ts';
import { type Outcome, verdictOf } from '../domain/script.ts';
import type { Mutex, Mutexes } from '../locks/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { sweepTemporaries } from '../run-directory/atomic-file.ts';
import { runnerProtocol } from '../run-directory/run-directory.ts';
import { type Cause, heldMutexFacts } from '../runner/index.ts';
import { finishAbandon } from './abandon.ts';
import { Adoption } from './adoption.ts';
import type { ScriptRecord } from './record.ts';
import type { Register } from './register.ts';

/** A runner is read as a whole again after this; until then its pid is enough. */
const verifiedForMs = 10_000;

export interface CustodyOptions {
  readonly register: Register;
  readonly control: ProcessControl;
  readonly mutexes: Mutexes;
  readonly killDisabled: boolean;
  readonly log: (line: string) => void;
}

export class Custody {
  readonly #o: CustodyOptions;
  readonly #adoptions = new Map<string, Adoption>();

  constructor(options: CustodyOptions) {
    this.#o = options;
  }

  has(record: ScriptRecord): boolean {
    return this.#adoptions.has(record.spec.runId);
  }

  /** Carries out a request that no runner answered. */
  handle(record: ScriptRecord, request: RunnerRequest): void {
    this.#adopt(record).handle(request);
  }

  /** Looks at a script and takes it over when its runner is gone; true when something was concluded or begun. */
  look(record: ScriptRecord): boolean {
    const { control, register } = this.#o;
    if (record.isOrphan && record.abandoned === null) finishAbandon(record, control);
    if (this.has(record)) return false;
    const { runner } = record;
    if (runner && control.liveness(runner.runner, verifiedForMs) !== 'dead') return false;
    register.refresh(record); // what the runner wrote in its last moment
    if (record.isFinal && !record.isOrphan) return false;
    if (record.runner !== runner) return false; // it has claimed the script just now: nobody has asked whether it lives
    return this.#judge(record);
  }

  /** Says the last word for a runner that died between its verdict and that: true when it was needed. */
  finish(record: ScriptRecord): boolean {
    const { control, register } = this.#o;
    register.refresh(record);
    if (record.tree !== null || (record.runner && control.liveness(record.runner.runner) !== 'dead')) return false;
    this.#settle(record);
    register.refresh(record);
    return true;
  }

  conclude(record: ScriptRecord, outcome: Outcome, line?: lines.Line): void {
    const { register } = this.#o;
    const verdict = verdictOf(outcome, Date.now());
    try {
      if (record.directory.writeVerdict(verdict)) this.#append(record, { type: 'final', verdict }, line);
      this.#settle(record);
    } catch (error) {
      this.#o.log(
        `W396 The end of ${record.spec.ticket} could not be written: ${(error as Error).message}. It is repeated.`,
      );
    }
    register.refresh(record);
  }

  close(): void {
    for (const adoption of this.#adoptions.values()) adoption.close();
  }

  /** The mutex that the script was started under, or null. */
  mutexOf(record: ScriptRecord): Mutex | null {
    return record.spec.isolation ? this.#o.mutexes.open(record.spec.isolation.mutex) : null;
  }

  #judge(record: ScriptRecord): boolean {
    const { control } = this.#o;
    const scope = record.started?.scope ?? null;
    const conclusion = conclude({
      claimed: record.runner !== null,
      ageMs: record.ageMs,
      runner: 'dead',
      started: scope !== null,
      tree: scope === null ? 'dead' : control.treeLiveness(scope),
      exit: record.exit !== null,
      rebooted: record.runner !== null && !sameBoot(record.runner.runner, control.self),
    });
    switch (conclusion.kind) {
      case 'wait':
      case 'leave-to-runner':
        return false;
      case 'orphaned':
        this.#adopt(record);
        if (scope) this.#append(record, { type: 'note' }, lines.runnerDied(scope.root, this.#facts(record)));
        return true;
      case 'conclude-exit':
        // A runner that had begun an end and died before it said so: what it began is the verdict.
        this.#afterGone(record, begunEnd(record));
        return true;
      case 'never-started':
        // runner.json decides between this and a runner that comes late: it does not run when it was not first.
        if (record.runner === null && !this.#claimForNobody(record)) return false;
        this.conclude(record, { kind: 'never-started', detail: conclusion.why }, lines.startFailed(conclusion.why));
        return true;
      case 'lost':
        this.#afterGone(record, null, conclusion.why);
        return true;
    }
  }

  #claimForNobody(record: ScriptRecord): boolean {
    const runner = { ...this.#o.control.self, pid: 0, startTime: '0', name: 'nobody' };
    try {
      return record.directory.writeRunner({ schema: 1, protocol: runnerProtocol, runner, claimedAt: Date.now() });
    } catch {
      return false; // a full disk: the next look tries again
    }
  }

  #adopt(record: ScriptRecord): Adoption {
    const known = this.#adoptions.get(record.spec.runId);
    if (known) return known;
    record.adopted = true;
    const adoption = new Adoption({
      record,
      control: this.#o.control,
      killDisabled: this.#o.killDisabled,
      mutexFacts: () => this.#facts(record),
      onGone: (forced) => this.#afterGone(record, forced?.cause ?? null),
    });
    this.#adoptions.set(record.spec.runId, adoption);
    return adoption;
  }

  /** Nothing of the tree is left, and no runner says so. Repeated by the next look when the disk refuses it. */
  #afterGone(
    record: ScriptRecord,
    cause: Cause | null,
    why = 'its runner died, so its end was seen but not its exit code',
  ): void {
    const { exit, started, spec } = record;
    const seen = exit ? { exitCode: exit.code, signal: exit.signal, durationMs: exit.durationMs } : {};
    if (record.verdict?.kind === 'abandoned') {
      if (started) this.#append(record, { type: 'orphan-ended' }, lines.orphanLost(started.scope.root));
      this.#settle(record);
      this.#o.register.refresh(record);
    } else if (cause) this.conclude(record, { kind: cause.kind, timeout: cause.timeout, actor: cause.actor, ...seen });
    else if (exit) this.conclude(record, { kind: 'exited', ...seen });
    else {
      const root = started?.scope.root ?? null;
      const owner = root === null ? null : this.#o.control.identify(root.pid);
      const stranger = root !== null && owner !== null && !sameProcess(owner, root) ? owner : null;
      this.conclude(record, { kind: 'lost', detail: why }, lines.lost(why, spec.isolation?.mutex ?? null, stranger));
    }
    this.#o.register.changed();
  }

  /** The last word of a script: its log is closed, its place at the mutex is given up. */
  #settle(record: ScriptRecord): void {
    this.#adoptions.get(record.spec.runId)?.close();
    this.#adoptions.delete(record.spec.runId);
    record.directory.writeTree({ schema: 1, emptyAt: Date.now(), left: [] });
    sweepTemporaries(record.directory.path, (pid) => this.#o.control.identify(pid) !== null);
    // What a full disk refuses is left to the reaper: nobody of this script lives.
    void this.#release(record).catch(() => undefined);
  }

  async #release(record: ScriptRecord): Promise<void> {
    const mutex = this.mutexOf(record);
    if (!mutex) return;
    const fence = record.started?.fence;
    if (fence != null) await mutex.release(record.spec.runId, fence);
    await mutex.leave(record.spec.runId);
    await mutex.orphanEnded(record.spec.runId);
  }

  #append(record: ScriptRecord, ...event: [Parameters<Register['append']>[1], lines.Line?]): void {
    this.#o.register.append(record, ...event);
    this.#adoptions.get(record.spec.runId)?.look();
  }

  #facts(record: ScriptRecord): lines.MutexFacts | null {
    const { isolation, runId } = record.spec;
    const mutex = this.mutexOf(record);
    return mutex && isolation ? heldMutexFacts(mutex.read(), isolation.mutex, runId) : null;
  }
}

/** Null when nobody had begun to end the script. */
function begunEnd({ progress, spec }: ScriptRecord): Cause | null {
  const { begun } = progress;
  if (begun === null) return null;
  // Its runner died between the intent and the line that names the limit.
  const limit = spec.timeouts.overallMs === null ? 'no-output' : 'overall';
  return { ...begun, timeout: begun.kind === 'timed-out' ? (begun.timeout ?? limit) : null };
}
