/**
 * Starts, watches, cancels, kills, abandons, completes and recovers scripts. It holds nothing that a crash could
 * lose: what it knows is read from run directories and mutexes, what it decides is written there first.
 */
import { join } from 'node:path';
import type { MutexView, Parsed, ScriptDetail, ScriptView, Snapshot } from '../contract/methods.ts';
import { defaultThresholds, type Thresholds } from '../domain/condition-facts.ts';
import type { EventBody } from '../domain/events.ts';
import type { HostLog } from '../domain/host-log.ts';
import { limits } from '../domain/limits.ts';
import * as lines from '../domain/lines.ts';
import type { MutexState } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import type { OverviewScript } from '../domain/overview.ts';
import type { Actor } from '../domain/script.ts';
import { asleepSince, awakeAt, look } from '../domain/sleep.ts';
import type { Journal } from '../journal/journal.ts';
import type { Mutexes } from '../locks/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { Reserve } from '../run-directory/reserve.ts';
import { Completions } from './completions.ts';
import { Custody, verifiedForMs } from './custody.ts';
import { HealthSampler } from './health.ts';
import { abandonHold, resumeMutex } from './mutex-commands.ts';
import { NearLimits } from './near-limit.ts';
import { MutexReader } from './mutex-reader.ts';
import { Pruner, type Retention } from './prune.ts';
import type { ScriptRecord } from './record.ts';
import { Register } from './register.ts';
import { RunFolders } from './run-folders.ts';
import type { RunnerCommand } from './runner-pool.ts';
import { Starter } from './starter.ts';
import type { Tally } from './tally.ts';
import { abandon, abandonedElsewhere, abandonOverdue } from './verbs/abandon.ts';
import { cancel } from './verbs/cancel.ts';
import { completeScript } from './verbs/complete.ts';
import { endProcess } from './verbs/end-process.ts';
import { kill } from './verbs/kill.ts';
import { take } from './verbs/take.ts';
import type { VerbTools } from './verbs/request.ts';
import { Views } from './views/views.ts';

export interface SupervisorOptions {
  readonly stateDirectory: string;
  readonly control: ProcessControl;
  readonly mutexes: Mutexes;
  readonly journal: Journal;
  readonly runner: RunnerCommand;
  readonly killDisabled: boolean;
  /** How the program of this host was replaced since it started; null when it was not. */
  readonly outdated?: () => string | null;
  /** Of the script of that name; asked for at every look, so that a change holds at once. */
  readonly thresholds?: (script: string) => Thresholds;
  /** After this a script that could not be ended is abandoned by the host itself, ms; null = never. */
  readonly autoAbandonMs?: () => number | null;
  /** Done before that, and waited for: all other looks at scripts wait too. Must not throw. */
  readonly beforeAutoAbandon?: (ticket: string) => Promise<void>;
  /** Up to 5 s before the runner ends a script for its time; the runner does not wait. Must not throw. */
  readonly beforeTimeLimit?: (ticket: string) => void;
  /** How many finished scripts are kept, how long, and in how much space. */
  readonly retention?: () => Retention;
  /** One line for the host's own log (stderr). */
  readonly log: HostLog;
}

const tickMs = 1_000;
/** The files of a script whose events are watched are looked at in every so many ticks, in case the watch has missed one. */
const watchedEvery = 5;
/** Samples of the trees: while somebody looks or waits, and while neither does. */
const healthEveryMs = { looked: 10_000, quiet: 30_000 };
const pruneEveryMs = 10_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #register: Register;
  readonly #custody: Custody;
  readonly #starter: Starter;
  readonly #folders: RunFolders;
  readonly #health: HealthSampler;
  readonly #reader: MutexReader;
  readonly #reserve: Reserve;
  readonly #nearLimits = new NearLimits();
  readonly #pruner: Pruner;
  readonly #tools: VerbTools;
  #ticks = 0;
  #ticking = false;
  readonly #doneAt = { health: -Infinity, prune: performance.now() };
  #timer: NodeJS.Timeout | null = null;
  #awake = awakeAt(Date.now());
  #sequence = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#register = new Register(
      options.journal,
      options.log,
      new Completions(options.log, (bytes) => options.control.decodeOutput(bytes)),
    );
    this.#custody = new Custody({ ...options, register: this.#register });
    this.#starter = new Starter({
      ...options,
      runsPath: this.runsPath,
      register: this.#register,
      custody: this.#custody,
    });
    this.#folders = new RunFolders({
      ...options,
      path: this.runsPath,
      register: this.#register,
      isStarting: (folder) => this.#starter.isStarting(folder),
      runnerIsDead: (record) => this.#custody.runnerIsDead(record, verifiedForMs),
    });
    this.#health = new HealthSampler(options.control);
    this.#reader = new MutexReader(options.mutexes, options.log);
    this.#reserve = new Reserve(options.stateDirectory);
    this.#tools = {
      ...options,
      register: this.#register,
      custody: this.#custody,
      reserve: this.#reserve,
      evidence: (record) => this.#evidence(record),
      mutexOf: (record) => this.#custody.mutexOf(record),
    };
    this.#pruner = new Pruner({ ...options, forget: (record) => this.#register.forget(record) });
  }

  get runsPath(): string {
    return join(this.#options.stateDirectory, 'runs');
  }

  /** Re-adopts every script of the state directory, then keeps watching. */
  async open(): Promise<void> {
    this.#folders.open();
    await this.#tick();
    this.#timer = setInterval(() => void this.#tick(), tickMs);
    this.#starter.prepare();
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#register.close();
    this.#custody.close();
    this.#starter.close();
  }

  /** A script runs or waits, or an orphan lives. */
  get isWatching(): boolean {
    return this.#register.living.length > 0;
  }

  /** Calls `listener` after every change. Returns what ends it. */
  onChange(listener: () => void): () => void {
    return this.#register.onChange(listener);
  }

  /** Something outside of the scripts has changed what is to be seen of them. */
  changed(): void {
    this.#register.changed();
  }

  list(all: boolean): ScriptView[] {
    const views = this.#views();
    return views.snapshot(0, all ? this.#register.all : this.#register.living).scripts;
  }

  /** @throws UnjamError `unknown-ticket` */
  view(ticket: string): ScriptView {
    const record = this.record(ticket);
    return this.#views().script(record);
  }

  get(ticket: string): ScriptDetail {
    return this.#views().detail(this.record(ticket), this.#options.control);
  }

  /** Living scripts, orphans, and what became final in the last day, at most 500 of those; `more` counts in the overview. */
  snapshot(more: readonly OverviewScript[] = []): Snapshot {
    const since = Date.now() - 86_400_000;
    const over = this.#register.all
      .filter((r) => r.isFinal && !r.isOrphan && (r.endedAt ?? 0) > since)
      .sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))
      .slice(0, 500);
    this.#sequence += 1;
    return this.#views().snapshot(this.#sequence, [...this.#register.living, ...over], more);
  }

  /** Who asked for the scripts that live now, as far as that is known: the process of `unjam run`. */
  get askers(): readonly { readonly of: ProcessIdentity; readonly ticket: string }[] {
    return this.#register.living.flatMap(({ isFinal, spec }) =>
      isFinal || spec.startedBy === undefined ? [] : [{ of: spec.startedBy, ticket: spec.ticket }],
    );
  }

  /** Since this host began. */
  get tally(): Tally {
    return this.#register.tally;
  }

  locks(): MutexView[] {
    return this.#views().mutexes();
  }

  /** @throws UnjamError `unknown-ticket` */
  record(ticket: string): ScriptRecord {
    return this.#register.find(ticket);
  }

  /** Idempotent per ticket: the same ticket never runs twice, whoever asks, however often. */
  async start(input: Parsed<'scripts.start'>, actor: Actor, asker?: number): Promise<ScriptView> {
    const record = await this.#starter.start(input, actor, asker);
    if (input.waitMs) await this.#register.untilFinal(record, input.waitMs);
    this.#register.refresh(record);
    return this.#views().script(record);
  }

  async cancel(input: Parsed<'scripts.cancel'>, actor: Actor): Promise<ScriptView> {
    return this.#views().script(await cancel(input, actor, this.#tools));
  }

  async kill(input: Parsed<'scripts.kill'>, actor: Actor): Promise<ScriptView> {
    return this.#views().script(await kill(input, actor, this.#tools));
  }

  async abandon(input: Parsed<'scripts.abandon'>, actor: Actor): Promise<ScriptView> {
    return this.#views().script(await abandon(input, actor, this.#tools));
  }

  async endProcess(input: Parsed<'scripts.endProcess'>, actor: Actor): Promise<ScriptView> {
    return this.#views().script(await endProcess(input, actor, this.#tools));
  }

  take(input: Parsed<'scripts.take'>, actor: Actor): ScriptView {
    return this.#views().script(take(input, actor, this.#tools));
  }

  async complete(ticket: string): Promise<{ removed: boolean; warning: string | null }> {
    const record = this.record(ticket);
    const result = await completeScript(record, this.#options.control, (line) => {
      this.#register.append(record, { type: 'note' }, line);
      this.#register.refresh(record);
    });
    if (result.removed) this.#register.forget(record);
    return result;
  }

  /** A line of what somebody did beside the verbs. */
  note(ticket: string, body: EventBody, line: lines.Line): void {
    const record = this.record(ticket);
    this.#register.append(record, body, line);
    this.#register.refresh(record);
  }

  async resume(name: string, actor: Actor): Promise<MutexView> {
    return this.#afterwards(await resumeMutex(this.#reader.busy(), name, actor, this.#options));
  }

  async abandonHold(input: Parsed<'locks.abandon'>, actor: Actor): Promise<MutexView> {
    return this.#afterwards(await abandonHold(this.#reader.busy(), input, actor, this.#options));
  }

  /** What operators should know of the mutexes, and what to do. */
  get warnings(): MutexReader['warnings'] {
    return this.#reader.warnings;
  }

  #afterwards(state: MutexState): MutexView {
    this.#register.changed();
    return this.#views().mutex(state);
  }

  async #tick(): Promise<void> {
    if (this.#ticking) return; // the disk is slow: the look that is under way comes first
    this.#ticking = true;
    try {
      this.#awake = look(this.#awake, Date.now());
      this.#reserve.keep();
      this.#options.journal.flush();
      let changed = false;
      // What a script left running on purpose keeps its cgroup beyond its runner: nobody says when it goes.
      if (this.#ticks % watchedEvery === 0) {
        this.#options.control.sweep?.(this.#runnerPids());
        this.#folders.sweepOver();
      }
      this.#ticks += 1;
      this.#folders.look();
      for (const [i, record] of this.#register.living.entries()) {
        if ((i + this.#ticks) % watchedEvery === 0 || !this.#register.isWatched(record)) this.#register.refresh(record);
        await this.#folders.remake(record);
        if (!record.isFinal || record.isOrphan) changed = this.#custody.look(record) || changed;
      }
      for (const { spec } of this.#nearLimits.look(this.#register.living, Date.now()))
        this.#options.beforeTimeLimit?.(spec.ticket);
      const { autoAbandonMs, beforeAutoAbandon = () => Promise.resolve() } = this.#options;
      await abandonOverdue(this.#register.living, autoAbandonMs?.() ?? null, this.#tools, beforeAutoAbandon);
      await abandonedElsewhere(this.#register.living, this.#tools);
      for (const record of this.#register.all)
        if (record.isFinal && record.tree === null && !record.isOrphan)
          changed = this.#custody.finish(record) || changed;
      for (const { mutex } of this.#reader.busy())
        await mutex
          .reap()
          .catch((error: Error) => this.#options.log(`W396 A mutex could not be tidied: ${error.message}.`));
      const isQuiet = !this.#register.isObserved && !this.#register.living.some((r) => r.state === 'queued');
      await this.#now('health', healthEveryMs[isQuiet ? 'quiet' : 'looked'], () => this.#sampleHealth());
      await this.#now('prune', pruneEveryMs, () =>
        this.#pruner.round(this.#register.all, this.#options.retention?.() ?? limits),
      );
      if (changed) this.#register.changed();
    } catch (error) {
      this.#options.log(`W396 A look at the scripts failed: ${(error as Error).message}. It will be tried again.`);
    } finally {
      this.#ticking = false;
    }
  }

  #runnerPids(): ReadonlySet<number> {
    return new Set(this.#register.living.flatMap((r) => r.runner?.runner.pid ?? []));
  }

  async #now(what: 'health' | 'prune', everyMs: number, act: () => void | Promise<void>): Promise<void> {
    const now = performance.now();
    if (now < this.#doneAt[what] + everyMs) return;
    // On a common beat with the look for observed scripts, which then needs no table of processes of its own.
    this.#doneAt[what] = now - (now % everyMs);
    await act();
  }

  #evidence(record: ScriptRecord): string[] {
    const { for: pro, against } = this.#views().evidence(record);
    return [...pro, ...against];
  }

  #views(): Views {
    return new Views({
      now: Date.now(),
      machine: this.#options.control.self.machine,
      records: this.#register.records,
      mutexes: this.#reader.busy().map(({ state }) => state),
      health: (record) => this.#health.of(record.spec.runId),
      usual: (record) => this.#register.usual(record.spec.name),
      asleepSince: (since) => asleepSince(this.#awake, since),
      // Nobody asks how long a finished script was silent: hundreds of names are compared with no rule.
      thresholds: (record) =>
        (record.isFinal ? undefined : this.#options.thresholds?.(record.spec.name)) ?? defaultThresholds,
    });
  }

  /** Tells each script that waits, once for each holder, that the holder looks stuck. */
  #tellWaiters(): void {
    const waiting = this.#register.living.filter((r) => r.state === 'queued');
    if (waiting.length === 0) return;
    const views = this.#views();
    for (const record of waiting) {
      const { holder, mutex } = views.script(record);
      const stuck = holder?.stuck === true ? this.#register.records.get(nameKey(holder.ticket)) : undefined;
      if (!holder || !stuck || mutex === null || record.life.toldStuck.includes(holder.ticket)) continue;
      const line = lines.holderStuck(mutex, holder, views.evidence(stuck).for, this.#options.control.self.machine);
      this.#register.append(record, { type: 'holder-stuck', holder: holder.ticket }, line);
    }
  }

  #sampleHealth(): void {
    this.#tellWaiters();
    const running = this.#register.living.filter((r) => !r.isFinal);
    this.#health.sample(new Map(running.flatMap((r) => (r.started ? [[r.spec.runId, r.started.scope] as const] : []))));
  }
}
