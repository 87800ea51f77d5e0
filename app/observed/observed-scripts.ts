/**
 * The one door to observed scripts: the host asks it for lists and carries the verbs through it. It looks by itself every
 * 30 s, every 10 s while somebody looks, and whenever it is asked.
 */
import { isShown, type Memory, remember, shifted, type Watched } from '../agents/memory.ts';
import type { ObservedScript } from '../agents/observed-script.ts';
import type { Recogniser } from '../agents/recogniser.ts';
import { recognisers as allRecognisers } from '../agents/recognisers/index.ts';
import { UnjamError } from '../contract/errors.ts';
import type {
  AgentsView,
  Diagnosis,
  ForeignLocks,
  ObservedDetail,
  ObservedView,
  Output,
  Parsed,
} from '../contract/methods.ts';
import * as lines from '../domain/lines.ts';
import { isObservedId } from '../domain/observed-id.ts';
import type { Line } from '../domain/lines.ts';
import type { OverviewScript } from '../domain/overview.ts';
import { type Actor, unjam } from '../domain/script.ts';
import type { ObservedKind } from '../journal/journal.ts';
import type { ForeignProcesses, ProcessControl } from '../processes/index.ts';
import { ObservedEnding, Refused } from './ending.ts';
import { foreignLocks } from './foreign-locks.ts';
import { readForeignLog } from './foreign-logs.ts';
import { type Look, Observer } from './observer.ts';
import { type Askers, ticketOf } from './through-unjam.ts';
import { detailOf, isoTime, missingOf, type ViewFacts, viewOf } from './views.ts';
import { waitsForLocks, whyObserved } from './why.ts';

export interface ObservedSettings {
  readonly observe: boolean;
  /** Keys of agents that are not observed. */
  readonly ignore: readonly string[];
  /** Why verbs are switched off; null when they are not. */
  readonly verbsOff: string | null;
  readonly killOff: string | null;
  readonly silentAfterMs: number;
  readonly graceMs: number;
  readonly settleMs: number;
  /** More files whose locks are shown. */
  readonly lockPaths: readonly string[];
}

export interface ObservedEntry {
  readonly line: Line;
  readonly kind: ObservedKind;
  readonly actor: Actor;
  readonly id: string | null;
  readonly name: string | null;
  readonly mutex: string | null;
}

export interface ObservedScriptsOptions {
  readonly control: ProcessControl;
  readonly foreign: ForeignProcesses;
  readonly settings: () => ObservedSettings;
  readonly killDisabled?: boolean;
  /** Who asked for the scripts of Unjam that live now. */
  readonly askers: () => Askers;
  /** Writes to journal, host log and Event Log. */
  readonly record: (entry: ObservedEntry) => void;
  readonly recognisers?: readonly Recogniser[];
  readonly self?: number;
  readonly carrierMs?: number;
}

const restMs = 30_000;
const watchedMs = 10_000;
/** A look by itself comes so long after the beat of the health sampler, which is at most a tick of a second late. */
const afterBeatMs = 1_500;
/** Then it takes the sampler's table, also when this timer is late. */
const beatTableMs = 3_000;
/** A list that is not older than this needs no new look. */
const freshMs = 1_000;
/** By how much the clock of the machine and the time that passed differ when somebody has set it, or the machine slept. */
const clockSetMs = 2_000;

export class ObservedScripts {
  readonly #o: ObservedScriptsOptions;
  readonly #all: readonly Recogniser[];
  readonly #endings = new Map<string, ObservedEnding>();
  readonly #listeners = new Set<() => void>();
  readonly #seenAgents = new Set<string>();
  #observer: Observer;
  #ignored = '';
  #memory: Memory = new Map();
  #last: Look | null = null;
  /** `control.now` of the last look. */
  #lastAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: ObservedScriptsOptions) {
    this.#o = options;
    this.#all = options.recognisers ?? allRecognisers;
    this.#observer = this.#newObserver();
  }

  /** Begins to look by itself. */
  start(): void {
    this.#schedule(0);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    for (const ending of this.#endings.values()) ending.close();
    this.#listeners.clear();
  }

  /** While somebody listens it looks more often. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1 && this.#timer !== null) this.#schedule(0);
    return () => this.#listeners.delete(listener);
  }

  /** As of the last look, for snapshots; null while observing is off or has not looked yet. */
  current(): ObservedView[] | null {
    return this.#last === null || !this.#o.settings().observe
      ? null
      : this.#shown().map((w) => viewOf(this.#factsOf(w)));
  }

  /** The stuck ones, for the overview and the tray: the others are not what somebody is called for at night. */
  stuckRows(): OverviewScript[] {
    return (this.current() ?? [])
      .filter((s) => s.stuck)
      .map((s) => ({
        ...s,
        ...s.condition,
        ticket: s.id,
        state: 'running',
        orphan: false,
        blocks: s.waiters.length,
        attempted: this.#endings.get(s.id)?.attempts.length ?? 0,
        startedAt: Date.parse(s.startedAt),
        queuedAt: null,
      }));
  }

  async list(): Promise<ObservedView[]> {
    await this.refresh();
    return this.current() ?? [];
  }

  async agents(): Promise<AgentsView> {
    const { observe } = this.#o.settings();
    const look = await this.refresh();
    const scripts = this.#shown();
    const known = this.#used().filter((r) => r.systems.includes(this.#observer.system));
    const hidden = scripts.some((w) => w.script.hidden);
    return {
      observing: observe,
      agents: (look?.observation.agents ?? []).map((a) => ({
        key: a.key,
        name: a.name,
        pid: a.process.identity.pid,
        process: a.process.identity.name,
        service: a.unit,
        scripts: scripts.filter(
          (w) => w.script.agent?.process.identity.pid === a.process.identity.pid && w.goneAt === null,
        ).length,
        verbs: known.find((r) => r.key === a.key)?.verbs ?? false,
        missing: missingOf(
          scripts.some((w) => w.script.hidden && w.script.recogniser.key === a.key),
          this.#o.control,
          scripts.find((w) => w.script.recogniser.key === a.key)?.script.user ?? null,
        ),
      })),
      known: known.map(({ key, name }) => ({ key, name })),
      queued: (look?.observation.queued ?? []).map((q) => ({
        id: q.id,
        agent: known.find((r) => r.key === q.agentKey)?.name ?? q.agentKey,
        name: q.title,
        mutex: q.mutex,
        isolation: q.isolation,
        since: isoTime(q.since),
        behind: q.behind,
      })),
      missing: missingOf(hidden, this.#o.control, null),
    };
  }

  /** @throws UnjamError `unknown-ticket` */
  async get(id: string): Promise<ObservedDetail> {
    // After a verb nobody wants to see what was there a second before.
    if (this.#endings.has(id)) await this.#look();
    else await this.refresh();
    return detailOf(this.#factsOf(this.#find(id)), { ...this.#o, verbsOff: this.#o.settings().verbsOff });
  }

  /** @throws UnjamError `unknown-ticket` */
  async why(id: string): Promise<Diagnosis> {
    await this.refresh();
    this.#find(id);
    return whyObserved(() => this.#factsOf(this.#find(id)), {
      ...this.#o,
      locks: () => this.#locks().locks,
      lookAgain: async () => void (await this.#look()),
    });
  }

  /** @throws UnjamError `unknown-ticket`, `not-possible` */
  async log({ id, from, maxBytes }: Parsed<'observed.log'>): Promise<Output<'observed.log'>> {
    await this.refresh();
    const { script } = this.#find(id);
    if (script.log === null)
      throw new UnjamError(
        'not-possible',
        `${script.recogniser.name} keeps no log of "${script.title}" on this host that Unjam can find.`,
        'Look at the log in the agent’s own server.',
      );
    const { path, form, maskedBy } = script.log;
    try {
      const { lines: read, next } = await readForeignLog(path, form, from, maxBytes);
      return {
        path,
        maskedBy,
        note: maskedBy === 'agent' ? 'Secrets are masked by the agent.' : 'As the script wrote it: nothing is masked.',
        next,
        lines: [...read],
      };
    } catch (error) {
      throw new UnjamError(
        'not-possible',
        `The log of "${script.title}" cannot be read: ${(error as Error).message}.`,
        missingOf(true, this.#o.control, script.user) ?? 'Look at it in the agent’s own server.',
      );
    }
  }

  async locks(): Promise<ForeignLocks> {
    await this.refresh();
    return this.#locks();
  }

  /** @throws UnjamError `unknown-ticket`, `not-possible`, `other-process` */
  async cancel(input: Parsed<'observed.cancel'>, actor: Actor): Promise<ObservedView> {
    const ending = await this.#aim(input, actor);
    return this.#carryOut(input.id, () =>
      ending.cancel(actor, input.reason ?? null, input.graceMs ?? this.#o.settings().graceMs),
    );
  }

  /** @throws UnjamError `unknown-ticket`, `not-possible`, `other-process` */
  async kill(input: Parsed<'observed.kill'>, actor: Actor): Promise<ObservedView> {
    const { killOff } = this.#o.settings();
    if (killOff !== null) throw new UnjamError('not-possible', killOff, 'Ask the administrator of this host.');
    const ending = await this.#aim(input, actor, input.outputHolders === true);
    return this.#carryOut(input.id, () =>
      input.outputHolders === true
        ? ending.endHolders(actor, input.reason ?? null)
        : ending.kill(actor, input.reason ?? null),
    );
  }

  /** Adds to a diagnosis what its processes wait for outside of Unjam: `apt-get` at the lock of dpkg. */
  async withForeignLocks(diagnosis: Diagnosis): Promise<Diagnosis> {
    await this.refresh();
    const own = waitsForLocks(new Set(diagnosis.processes.map((p) => p.pid)), this.#locks().locks);
    const findings = own.map((x) => ({ ...x, evidence: [...x.evidence], pids: [...x.pids] }));
    return { ...diagnosis, findings: [...findings, ...diagnosis.findings] };
  }

  /** A look that is not older than a second; null while observing is off. */
  async refresh(): Promise<Look | null> {
    if (!this.#o.settings().observe) return null;
    if (this.#last !== null && this.#o.control.now() - this.#lastAt < freshMs) return this.#last;
    return this.#look();
  }

  async #look(tableMs = 0): Promise<Look> {
    const { ignore } = this.#o.settings();
    if (ignore.join() !== this.#ignored) {
      this.#observer = this.#newObserver();
      // What is not looked at any more has not ended: nothing is said of it.
      this.#memory = new Map([...this.#memory].filter(([, w]) => !ignore.includes(w.script.recogniser.key)));
    }
    this.#ignored = ignore.join();
    const look = await this.#observer.look(tableMs);
    if (look === this.#last || this.#closed) return look;
    const before = JSON.stringify(
      [...this.#memory.values()].map((w) => [w.script.id, w.goneAt, w.script.members.length]),
    );
    this.#memory = remember(this.#asOf(look), look.observation.scripts, look.at);
    this.#last = look;
    this.#lastAt = look.seenAt;
    for (const { name, key, process } of look.observation.agents) {
      const id = `${key}:${process.identity.pid}:${process.identity.startTime}`;
      if (this.#seenAgents.has(id)) continue;
      this.#seenAgents.add(id);
      this.#say(lines.agentSeen(name, process.identity), 'agent-seen', unjam, null);
    }
    for (const [id, ending] of this.#endings)
      if (!ending.isOpen) {
        ending.close();
        this.#endings.delete(id);
      }
    const after = JSON.stringify(
      [...this.#memory.values()].map((w) => [w.script.id, w.goneAt, w.script.members.length]),
    );
    if (before !== after) this.#changed();
    return look;
  }

  /** What was seen before, by the clock of this look. */
  #asOf(look: Look): Memory {
    if (this.#last === null) return this.#memory;
    const byClock = look.at - this.#last.at;
    const setBy = byClock - (look.seenAt - this.#lastAt);
    return Math.abs(setBy) > clockSetMs ? shifted(this.#memory, setBy) : this.#memory;
  }

  /** By the clock of the last look, which is what its times are told by: nobody falls silent when it is set. */
  #now(): number {
    return this.#last === null ? Date.now() : this.#last.at + this.#o.control.now() - this.#lastAt;
  }

  #schedule(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      const look = this.#o.settings().observe
        ? this.#look(ms === 0 ? 0 : beatTableMs).then(() => undefined)
        : Promise.resolve();
      look
        .catch((error: unknown) =>
          this.#say(
            { code: 'W399', text: `A look at the agents of this host failed: ${(error as Error).message}` },
            'observed-failed',
            unjam,
            null,
          ),
        )
        .finally(() => {
          const beatMs = this.#listeners.size > 0 ? watchedMs : restMs;
          this.#schedule(beatMs - (performance.now() % beatMs) + afterBeatMs);
        });
    }, ms);
    this.#timer.unref();
  }

  #used = (): readonly Recogniser[] => {
    const { ignore } = this.#o.settings();
    return this.#all.filter((r) => !ignore.includes(r.key));
  };

  #newObserver(): Observer {
    const { control, foreign, self } = this.#o;
    return new Observer({ control, foreign, recognisers: this.#used(), ...(self === undefined ? {} : { self }) });
  }

  #shown(): Watched[] {
    const now = this.#now();
    return [...this.#memory.values()].filter((w) => isShown(w, now) || this.#endings.has(w.script.id));
  }

  #find(id: string): Watched {
    const watched = this.#memory.get(id);
    if (watched !== undefined) return watched;
    const ending = this.#endings.get(id);
    if (ending !== undefined) {
      // The processes have gone, and what the verb has come to is still to be told.
      const [gone] = [...remember(new Map(), [{ ...ending.script, members: [] }], Date.now()).values()];
      if (gone !== undefined) return { ...gone, goneAt: Date.now() };
    }
    throw new UnjamError(
      'unknown-ticket',
      isObservedId(id)
        ? `There is no observed script ${id}; it has ended.`
        : `${id} is not the id of an observed script.`,
      '"unjam ps" lists what runs.',
    );
  }

  #factsOf(watched: Watched): ViewFacts {
    const { script } = watched;
    const ending = this.#endings.get(script.id);
    return {
      watched,
      stage: ending?.stage ?? { kind: 'none' },
      through: ticketOf(script, this.#o.askers()),
      attempts: ending?.attempts ?? [],
      waiters: this.#waitersOf(script),
      silentAfterMs: this.#o.settings().silentAfterMs,
      now: this.#now(),
    };
  }

  #waitersOf(script: ObservedScript): string[] {
    const queued = (this.#last?.observation.queued ?? []).filter((q) => q.behind === script.id).map((q) => q.title);
    const members = new Set([...script.members, ...script.carriers].map((m) => m.identity.pid));
    const own = this.#locks().locks.filter((l) => members.has(l.holder.pid));
    const atLocks = own.flatMap((l) => l.waiters.map((w) => `${w.name} (PID ${w.pid})`));
    return [...new Set([...queued, ...atLocks])];
  }

  #lockCache: { readonly look: Look; readonly answer: ForeignLocks } | null = null;

  #locks(): ForeignLocks {
    const look = this.#last;
    if (look === null) return { locks: [], missing: null };
    if (this.#lockCache?.look === look) return this.#lockCache.answer;
    const { foreign, control } = this.#o;
    const { locks, hidden } = foreignLocks({
      foreign,
      look,
      more: this.#o.settings().lockPaths,
      scriptOf: (pid) => this.#scriptOf(pid),
    });
    const missing = !hidden
      ? null
      : control.platform === 'win32'
        ? 'Unjam does not see locks of the machine on Windows yet.'
        : 'The system does not show its locks (/proc/locks).';
    const answer = { locks, missing };
    this.#lockCache = { look, answer };
    return answer;
  }

  #scriptOf(pid: number): string | null {
    for (const { script } of this.#memory.values())
      if (script.members.some((m) => m.identity.pid === pid) || script.carriers.some((c) => c.identity.pid === pid))
        return script.id;
    const row = this.#last?.forest.byPid(pid)?.row;
    const variables = row === undefined ? null : this.#o.foreign.variables(row.identity, ['UNJAM_TICKET']);
    return variables?.['UNJAM_TICKET'] ?? null;
  }

  async #aim(
    input: { readonly id: string; readonly process?: { readonly pid: number; readonly startTime: string } | undefined },
    actor: Actor,
    isSecondStep = false,
  ): Promise<ObservedEnding> {
    await this.refresh();
    const watched = this.#find(input.id);
    const { script } = watched;
    const facts = this.#factsOf(watched);
    const { verbs } = detailOf(facts, { ...this.#o, verbsOff: this.#o.settings().verbsOff });
    const isWaiting = facts.stage.kind === 'carrier-waits';
    if (!verbs.kill.possible || isWaiting !== isSecondStep)
      throw new UnjamError(
        'not-possible',
        isWaiting
          ? `The script "${script.title}" has gone; what is left to end is who holds its output open.`
          : isSecondStep
            ? `Nobody was seen that holds the output of "${script.title}" open.`
            : verbs.kill.text,
        isWaiting ? `Use "unjam kill ${script.id} --output-holders".` : `Look at "unjam why ${script.id}".`,
      );
    const top = script.members[0]?.identity;
    const { process } = input;
    if (process !== undefined && (process.pid !== top?.pid || process.startTime !== top.startTime)) {
      this.#say(
        lines.observedRefused(nameOf(script), [`PID ${process.pid} is not its script any more`]),
        'observed-refused',
        actor,
        script,
      );
      throw new UnjamError(
        'other-process',
        `PID ${process.pid} is not the script of ${script.id} any more${top === undefined ? '' : `; that is PID ${top.pid} (${top.name}) now`}. Nothing was signalled.`,
        'Look at the list again.',
      );
    }
    const known = this.#endings.get(script.id);
    if (known !== undefined) return known;
    const { control, foreign, killDisabled, carrierMs } = this.#o;
    const ending = new ObservedEnding(script, {
      control,
      foreign,
      observer: this.#observer,
      killDisabled: killDisabled ?? false,
      settleMs: () => this.#o.settings().settleMs,
      carrierMs: carrierMs ?? 15_000,
      changed: () => this.#changed(),
      say: (line, kind, by, of) => this.#say(line, kind, by, of),
    });
    this.#endings.set(script.id, ending);
    return ending;
  }

  async #carryOut(id: string, act: () => Promise<void>): Promise<ObservedView> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new UnjamError('not-possible', error.message, `Look at "unjam why ${id}".`);
    }
    return viewOf(this.#factsOf(this.#find(id)));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #say(line: Line, kind: ObservedKind, actor: Actor, script: ObservedScript | null): void {
    this.#o.record({
      line,
      kind,
      actor,
      id: script?.id ?? null,
      name: script?.title ?? null,
      mutex: script?.mutex ?? null,
    });
  }
}

const nameOf = (s: ObservedScript): lines.ObservedName => ({ title: s.title, agent: s.recogniser.name });
