/**
 * Starts, watches, cancels, kills, abandons, completes and recovers scripts. It holds nothing that a crash could
 * lose: what it knows is read from run directories and mutexes, what it decides is written there first.
 */
import { mkdirSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import type { MutexView, Parsed, ScriptDetail, ScriptView, Snapshot } from '../contract/methods.ts';
import { defaultThresholds, type Thresholds, type Usual } from '../domain/condition.ts';
import type { ScriptEvent } from '../domain/events.ts';
import * as lines from '../domain/lines.ts';
import { nameKey } from '../domain/names.ts';
import { conclude } from '../domain/recovery.ts';
import type { Actor, VerdictRecord } from '../domain/script.ts';
import type { Journal } from '../journal/journal.ts';
import type { Mutex, Mutexes } from '../locks/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { RunDirectory, runnerProtocol } from '../run-directory/run-directory.ts';
import { type Cause, heldMutexFacts } from '../runner/index.ts';
import { abandonScript } from './abandon.ts';
import { acceptStart } from './accept.ts';
import { Adoption } from './adoption.ts';
import { Completions } from './completions.ts';
import { completeScript, deleteLater } from './complete.ts';
import { HealthSampler } from './health.ts';
import { MutexReader } from './mutex-reader.ts';
import { ScriptRecord } from './record.ts';
import { nextChange, sendRequest } from './request.ts';
import { type RunnerCommand, RunnerPool } from './runner-pool.ts';
import { checkTarget } from './target.ts';
import { Views } from './views.ts';

export interface SupervisorOptions {
  readonly stateDirectory: string;
  readonly control: ProcessControl;
  readonly mutexes: Mutexes;
  readonly journal: Journal;
  readonly runner: RunnerCommand;
  readonly killDisabled: boolean;
  readonly thresholds?: Thresholds;
  /** One line for the host's own log (stderr). */
  readonly log: (line: string) => void;
}

const tickMs = 1_000;
const healthEveryMs = 10_000;
const begunMs = 1_000;

export class Supervisor {
  readonly #o: SupervisorOptions;
  readonly #records = new Map<string, ScriptRecord>();
  readonly #starting = new Map<string, Promise<ScriptRecord>>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #adoptions = new Map<string, Adoption>();
  readonly #finalWaiters = new Map<string, Set<() => void>>();
  readonly #listeners = new Set<() => void>();
  readonly #usual = new Map<string, Usual | null>();
  readonly #pool: RunnerPool;
  readonly #health: HealthSampler;
  readonly #reader: MutexReader;
  readonly #completions: Completions;
  readonly #startedAt = Date.now();
  #timer: NodeJS.Timeout | null = null;
  #sampledAt = -healthEveryMs;
  #sequence = 0;

  constructor(options: SupervisorOptions) {
    this.#o = options;
    this.#pool = new RunnerPool(options.runner);
    this.#health = new HealthSampler(options.control);
    this.#reader = new MutexReader(options.mutexes);
    this.#completions = new Completions(options.log);
  }

  get runsPath(): string {
    return join(this.#o.stateDirectory, 'runs');
  }

  /** Re-adopts every script of the state directory, then keeps watching. */
  async open(): Promise<void> {
    mkdirSync(this.runsPath, { recursive: true, mode: 0o700 });
    for (const folder of readdirSync(this.runsPath)) {
      const record = ScriptRecord.load(join(this.runsPath, folder));
      if (record) this.#recover(record);
    }
    await this.#tick();
    this.#timer = setInterval(() => void this.#tick(), tickMs);
    this.#pool.prepare();
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    for (const adoption of this.#adoptions.values()) adoption.close();
    this.#pool.close();
  }

  /** Calls `listener` after every change. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // --- queries

  list(all: boolean): ScriptView[] {
    const views = this.#views();
    return views.snapshot(
      0,
      [...this.#records.values()].filter((r) => all || !r.isFinal || r.isOrphan),
    ).scripts;
  }

  get(ticket: string): ScriptDetail {
    return this.#views().detail(this.record(ticket), this.#o.control);
  }

  /** Living scripts, orphans, and what became final in the last day, at most 500. */
  snapshot(): Snapshot {
    const since = Date.now() - 86_400_000;
    const shown = [...this.#records.values()].filter((r) => !r.isFinal || r.isOrphan || (r.endedAt ?? 0) > since);
    this.#sequence += 1;
    return this.#views().snapshot(this.#sequence, shown.slice(-500));
  }

  locks(): MutexView[] {
    const views = this.#views();
    return this.#reader.busy().map(({ state }) => views.mutex(state));
  }

  /** @throws UnjamError `unknown-ticket` */
  record(ticket: string): ScriptRecord {
    const record = this.#records.get(nameKey(ticket));
    if (!record)
      throw new UnjamError(
        'unknown-ticket',
        `There is no script with the ticket "${ticket}" (result code -45).`,
        'List tickets with "unjam ps --all".',
        'ticket',
      );
    this.#refresh(record);
    return record;
  }

  /** The answer to a start names the pid, or the place in the queue: it waits the few milliseconds that takes. */
  async #untilBegun(record: ScriptRecord): Promise<void> {
    const deadline = performance.now() + begunMs;
    while (record.state === 'starting' && performance.now() < deadline) {
      await nextChange((listener) => this.onChange(listener), 20);
      this.#refresh(record);
    }
  }

  /** Resolves when the script is final, or after `ms`. */
  async untilFinal(record: ScriptRecord, ms: number): Promise<void> {
    if (record.isFinal) return;
    const key = nameKey(record.spec.ticket);
    await new Promise<void>((resolve) => {
      const waiters = this.#finalWaiters.get(key) ?? new Set();
      this.#finalWaiters.set(key, waiters);
      const done = (): void => {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiters.add(done);
    });
  }

  // --- commands

  /** Idempotent per ticket: the same ticket never runs twice, whoever asks, however often. */
  async start(input: Parsed<'scripts.start'>, actor: Actor): Promise<ScriptView> {
    const { control } = this.#o;
    const accepted = acceptStart(input, actor, {
      defaultSignal: control.defaultSignal,
      environment: process.env,
      cwd: process.cwd(),
    });
    const key = nameKey(accepted.spec.ticket);
    let record = this.#records.get(key);
    if (!record) {
      const starting = this.#starting.get(key) ?? this.#launch(key, accepted);
      this.#starting.set(key, starting);
      try {
        record = await starting;
      } finally {
        this.#starting.delete(key);
      }
    }
    await this.#untilBegun(record);
    if (input.waitMs) await this.untilFinal(record, input.waitMs);
    this.#refresh(record);
    return this.#views().script(record);
  }

  async cancel(input: Parsed<'scripts.cancel'>, actor: Actor): Promise<ScriptView> {
    const record = this.record(input.ticket);
    if (record.isFinal && !record.isOrphan) return this.#views().script(record);
    checkTarget(record, input);
    if (record.isOrphan)
      throw new UnjamError(
        'not-possible',
        `"${record.spec.name}" was abandoned; Cancel cannot be used on an orphan.`,
        'Use Force Kill on it, or leave it.',
      );
    await this.#ask(record, {
      verb: 'cancel',
      actor,
      reason: input.reason ?? null,
      signal: input.signal ?? null,
      graceMs: input.graceMs ?? null,
      escalate: input.escalate ?? !(actor.via === 'window' || actor.via === 'browser'),
    });
    return this.#views().script(record);
  }

  async kill(input: Parsed<'scripts.kill'>, actor: Actor): Promise<ScriptView> {
    const record = this.record(input.ticket);
    if (record.isFinal && !record.isOrphan) return this.#views().script(record);
    checkTarget(record, input);
    await this.#ask(record, { verb: 'kill', actor, reason: input.reason ?? null });
    return this.#views().script(record);
  }

  async abandon(input: Parsed<'scripts.abandon'>, actor: Actor): Promise<ScriptView> {
    const record = this.record(input.ticket);
    if (record.isFinal) return this.#views().script(record);
    const target = checkTarget(record, input);
    if (actor.via === 'browser' || actor.via === 'window') {
      if (target !== null && input.confirmPid !== target.pid)
        throw new UnjamError(
          'wrong-confirmation',
          `${input.confirmPid ?? 'Nothing'} is not this script's PID (${target.pid}).`,
          'Type the PID that the row shows.',
          'confirmPid',
        );
    }
    await abandonScript(record, {
      actor,
      reason: input.reason ?? null,
      holdQueue: input.holdQueue ?? false,
      evidence: this.#evidence(record),
      mutex: this.#mutexOf(record),
      control: this.#o.control,
    });
    this.#refresh(record);
    return this.#views().script(record);
  }

  async complete(ticket: string): Promise<{ removed: boolean; warning: string | null }> {
    const record = this.record(ticket);
    const result = await completeScript(record, this.#o.control);
    if (result.removed) this.#forget(record);
    return result;
  }

  async resume(name: string, actor: Actor): Promise<MutexView> {
    const found = this.#reader.busy().find(({ state }) => nameKey(state.name) === nameKey(name));
    if (!found)
      throw new UnjamError(
        'unknown-mutex',
        `No mutex "${name}" is in use.`,
        'List mutexes with "unjam locks".',
        'name',
      );
    if (!found.state.paused)
      throw new UnjamError(
        'not-paused',
        `Mutex "${found.state.name}" is not paused.`,
        'Nothing has to be done.',
        'name',
      );
    const state = await found.mutex.resume();
    const line = lines.resumed(state.name, actor, Date.now(), state.holders.at(-1)?.name ?? null);
    this.#o.log(`${line.code} ${line.text}`);
    this.#o.journal.append({
      at: Date.now(),
      ticket: null,
      name: null,
      mutex: state.name,
      who: actor.user,
      via: actor.via,
      kind: 'resume',
      code: line.code,
      text: line.text,
      source: null,
      data: null,
    });
    this.#changed();
    return this.#views().mutex(state);
  }

  // --- inside

  async #launch(key: string, { spec, environment }: ReturnType<typeof acceptStart>): Promise<ScriptRecord> {
    if (spec.isolation) this.#o.mutexes.check();
    const path = join(this.runsPath, key);
    const directory = new RunDirectory(path);
    const record = new ScriptRecord(path, spec);
    try {
      directory.create();
      directory.append('host', { type: 'note' });
      directory.writeSpec(spec);
    } catch (error) {
      throw new UnjamError(
        'state-directory',
        `The run directory "${path}" could not be written: ${(error as Error).message}.`,
        'Free space or correct the rights of the state directory; nothing was started.',
      );
    }
    this.#records.set(key, record);
    try {
      await this.#pool.start({
        runDirectory: path,
        mutexRoot: this.#o.mutexes.root,
        environment,
        killDisabled: this.#o.killDisabled,
      });
    } catch (error) {
      this.#conclude(
        record,
        { kind: 'failed-to-start', detail: (error as Error).message.replace(/\.$/, '') },
        lines.startFailed((error as Error).message.replace(/\.$/, '')),
      );
      this.#refresh(record);
      throw error;
    }
    this.#watch(record);
    this.#refresh(record);
    return record;
  }

  #recover(record: ScriptRecord): void {
    const key = nameKey(record.spec.ticket);
    this.#records.set(key, record);
    this.#refresh(record, true);
    if (record.isFinal && !record.isOrphan) return;
    this.#watch(record);
    if (record.runner && this.#o.control.liveness(record.runner.runner) === 'alive') {
      if (record.runner.protocol > runnerProtocol)
        this.#o.log(
          `W305 The runner of ${record.spec.ticket} speaks a newer protocol (${record.runner.protocol}); this host only watches it.`,
        );
      const line = lines.recovered(
        this.#startedAt,
        record.started?.scope.root ?? null,
        record.spec.ticket,
        record.spec.isolation?.mutex ?? null,
      );
      this.#append(record, { type: 'note' }, line);
    }
  }

  #watch(record: ScriptRecord): void {
    const key = nameKey(record.spec.ticket);
    if (this.#watchers.has(key)) return;
    try {
      // The events file alone: a watch on the folder would also see, and slow down, the script's own writes.
      const watcher = watch(record.directory.eventsPath, () => this.#refresh(record));
      watcher.on('error', () => undefined); // the tick goes on
      this.#watchers.set(key, watcher);
    } catch {
      // The tick goes on.
    }
  }

  /** Reads what is new in a run directory, mirrors it into the journal, and tells everybody. */
  #refresh(record: ScriptRecord, recovering = false): void {
    const wasFinal = record.isFinal;
    const news = record.refresh();
    for (const { event, source } of news) this.#mirror(record, event, source, recovering);
    if (record.isFinal && !wasFinal) this.#becameFinal(record);
    if (record.isFinal && !record.isOrphan) this.#stopWatching(record);
    if (news.length > 0) this.#changed();
  }

  #becameFinal(record: ScriptRecord): void {
    const key = nameKey(record.spec.ticket);
    for (const done of [...(this.#finalWaiters.get(key) ?? [])]) done();
    this.#finalWaiters.delete(key);
    const { verdict, spec } = record;
    if (verdict?.kind === 'exited' && verdict.exitCode === 0 && verdict.durationMs !== null) {
      this.#o.journal.recordSuccess(spec.name, verdict.at, verdict.durationMs);
      this.#usual.delete(spec.name);
    }
    this.#completions.deliver(record);
  }

  #stopWatching(record: ScriptRecord): void {
    const key = nameKey(record.spec.ticket);
    this.#watchers.get(key)?.close();
    this.#watchers.delete(key);
    this.#adoptions.get(key)?.close();
    this.#adoptions.delete(key);
  }

  #forget(record: ScriptRecord): void {
    this.#stopWatching(record);
    this.#records.delete(nameKey(record.spec.ticket));
    this.#changed();
  }

  #mirror(record: ScriptRecord, event: ScriptEvent, source: string, recovering: boolean): void {
    if (event.text === undefined && event.type !== 'started' && event.type !== 'final') return;
    const actor = 'actor' in event ? event.actor : event.type === 'final' ? event.verdict.actor : null;
    const text =
      event.text ??
      (event.type === 'final'
        ? `Final: ${event.verdict.kind}, ${lines.exitText({ code: event.verdict.exitCode, signal: event.verdict.signal })}.`
        : `Started as PID ${event.type === 'started' ? event.pid : ''}.`);
    const { spec } = record;
    this.#o.journal.append({
      at: event.at,
      ticket: spec.ticket,
      name: spec.name,
      mutex: spec.isolation?.mutex ?? null,
      who: actor?.user ?? 'unjam',
      via: actor?.via ?? 'unjam',
      kind: event.type,
      code: event.code ?? null,
      text,
      source,
      data: { evidence: 'evidence' in event ? event.evidence : [], process: record.started?.scope.root ?? null },
    });
    if (!recovering && event.text !== undefined)
      this.#o.log(`${event.code} ${spec.name} [${spec.ticket}]: ${event.text}`);
  }

  /** Sends a request to the runner; carries it out itself when the runner is dead or does not answer. */
  async #ask(record: ScriptRecord, body: Parameters<typeof sendRequest>[1]): Promise<void> {
    const adopted = this.#adoptions.get(nameKey(record.spec.ticket));
    const outcome = await sendRequest(
      record,
      { ...body, evidence: this.#evidence(record) },
      {
        refresh: () => this.#refresh(record),
        runnerAlive: () =>
          adopted === undefined && record.runner !== null && this.#o.control.liveness(record.runner.runner) !== 'dead',
        onChange: (listener) => this.onChange(listener),
      },
    );
    if (outcome.kind === 'unanswered') {
      if (record.started) (adopted ?? this.#adopt(record)).handle(outcome.request);
      else
        throw new UnjamError(
          'not-possible',
          'The runner of this script does not answer, and the script has not started.',
          'Try Abandon, or wait: it is looked at every second.',
        );
    }
    this.#refresh(record);
  }

  async #tick(): Promise<void> {
    try {
      this.#o.journal.flush();
      const { control } = this.#o;
      let changed = false;
      for (const record of this.#records.values()) {
        if (record.isFinal && !record.isOrphan) continue;
        this.#refresh(record);
        if (record.isFinal && !record.isOrphan) continue;
        if (this.#adoptions.has(nameKey(record.spec.ticket))) continue;
        const runner = record.runner ? control.liveness(record.runner.runner) : 'dead';
        if (runner !== 'dead') continue;
        this.#refresh(record); // what it wrote in its last moment
        if (record.isFinal && !record.isOrphan) continue;
        this.#judge(record, runner);
        changed = true;
      }
      for (const { mutex } of this.#reader.busy()) await mutex.reap();
      this.#sampleHealth();
      await deleteLater(control, (record) => this.#forget(record), [...this.#records.values()]);
      if (changed) this.#changed();
    } catch (error) {
      this.#o.log(`W396 A look at the scripts failed: ${(error as Error).message}. It is repeated.`);
    }
  }

  /** The recovery matrix, for a script whose runner is gone. */
  #judge(record: ScriptRecord, runner: 'dead'): void {
    const { control } = this.#o;
    const scope = record.started?.scope ?? null;
    const boot = control.self.bootId;
    const conclusion = conclude({
      claimed: record.runner !== null,
      ageMs: Date.now() - record.spec.createdAt,
      runner,
      started: scope !== null,
      tree: scope === null ? 'dead' : control.treeLiveness(scope),
      exit: record.exit !== null,
      rebooted: record.runner !== null && record.runner.runner.bootId !== boot,
    });
    switch (conclusion.kind) {
      case 'wait':
      case 'leave-to-runner':
        return;
      case 'orphaned':
        if (scope) this.#append(record, { type: 'note' }, lines.runnerDied(scope.root, this.#facts(record)));
        this.#adopt(record);
        return;
      case 'conclude-exit':
        this.#afterGone(record, null);
        return;
      case 'never-started':
        this.#conclude(record, { kind: 'never-started', detail: conclusion.why }, lines.startFailed(conclusion.why));
        return;
      case 'lost':
        this.#afterGone(record, null, conclusion.why);
        return;
    }
  }

  #adopt(record: ScriptRecord): Adoption {
    const key = nameKey(record.spec.ticket);
    const known = this.#adoptions.get(key);
    if (known) return known;
    record.adopted = true;
    const adoption = new Adoption({
      record,
      control: this.#o.control,
      killDisabled: this.#o.killDisabled,
      mutexFacts: () => this.#facts(record),
      onGone: (forced) => this.#afterGone(record, forced?.cause ?? null),
    });
    this.#adoptions.set(key, adoption);
    return adoption;
  }

  /** Nothing of the tree is left, and no runner says so. */
  #afterGone(
    record: ScriptRecord,
    cause: Cause | null,
    why = 'its runner died, so its end was seen but not its exit code',
  ): void {
    const { exit, started } = record;
    const mutex = record.spec.isolation?.mutex ?? null;
    const seen = exit ? { exitCode: exit.code, signal: exit.signal, durationMs: exit.durationMs } : {};
    if (record.verdict?.kind === 'abandoned') {
      if (started) this.#append(record, { type: 'orphan-ended' }, lines.orphanLost(started.scope.root));
    } else if (cause) this.#conclude(record, { kind: cause.kind, timeout: cause.timeout, actor: cause.actor, ...seen });
    else if (exit) this.#conclude(record, { kind: 'exited', ...seen });
    else this.#conclude(record, { kind: 'lost', detail: why }, lines.lost(why, mutex));
    record.directory.writeTree({ schema: 1, emptyAt: Date.now(), left: [] });
    void this.#release(record);
    this.#stopWatching(record);
    this.#refresh(record);
    this.#changed();
  }

  async #release(record: ScriptRecord): Promise<void> {
    const mutex = this.#mutexOf(record);
    if (!mutex) return;
    if (record.started?.fence != null) await mutex.release(record.spec.runId, record.started.fence);
    await mutex.leave(record.spec.runId);
    await mutex.orphanEnded(record.spec.runId);
  }

  #conclude(
    record: ScriptRecord,
    outcome: Partial<VerdictRecord> & Pick<VerdictRecord, 'kind'>,
    line?: lines.Line,
  ): void {
    const verdict: VerdictRecord = {
      schema: 1,
      timeout: null,
      exitCode: null,
      signal: null,
      at: Date.now(),
      durationMs: null,
      detail: null,
      actor: null,
      ...outcome,
    };
    if (record.directory.writeVerdict(verdict)) this.#append(record, { type: 'final', verdict }, line);
    record.directory.writeTree({ schema: 1, emptyAt: Date.now(), left: [] });
    void this.#release(record);
    this.#refresh(record);
  }

  #append(record: ScriptRecord, ...event: [Parameters<RunDirectory['append']>[1], lines.Line?]): void {
    try {
      record.directory.append('host', ...event);
      this.#adoptions.get(nameKey(record.spec.ticket))?.look();
    } catch (error) {
      this.#o.log(
        `W397 A line could not be written into the log of ${record.spec.ticket}: ${(error as Error).message}. ${event[1]?.text ?? ''}`,
      );
    }
  }

  #mutexOf(record: ScriptRecord): Mutex | null {
    return record.spec.isolation ? this.#o.mutexes.open(record.spec.isolation.mutex) : null;
  }

  #facts(record: ScriptRecord): lines.MutexFacts | null {
    const mutex = this.#mutexOf(record);
    return mutex && record.spec.isolation
      ? heldMutexFacts(mutex.read(), record.spec.isolation.mutex, record.spec.runId)
      : null;
  }

  #evidence(record: ScriptRecord): string[] {
    const { for: pro, against } = this.#views().evidence(record);
    return [...pro, ...against];
  }

  #views(): Views {
    return new Views({
      now: Date.now(),
      machine: this.#o.control.self.machine,
      records: this.#records,
      mutexes: this.#reader.busy().map(({ state }) => state),
      health: (record) => this.#health.of(record.spec.runId),
      usual: (record) => this.#usualOf(record.spec.name),
      thresholds: this.#o.thresholds ?? defaultThresholds,
    });
  }

  #usualOf(name: string): Usual | null {
    const known = this.#usual.get(name);
    if (known !== undefined) return known;
    const times = this.#o.journal.successes(name).sort((a, b) => a - b);
    const usual =
      times.length === 0
        ? null
        : { medianMs: times[Math.floor(times.length / 2)] ?? 0, maxMs: times.at(-1) ?? 0, runs: times.length };
    this.#usual.set(name, usual);
    return usual;
  }

  #sampleHealth(): void {
    if (performance.now() - this.#sampledAt < healthEveryMs) return;
    this.#sampledAt = performance.now();
    const running = [...this.#records.values()].filter((r) => r.started !== null && !r.isFinal);
    this.#health.sample(new Map(running.flatMap((r) => (r.started ? [[r.spec.runId, r.started.scope] as const] : []))));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
