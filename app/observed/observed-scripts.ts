/** The one door to observed scripts: the host asks it for lists and carries the verbs through it. */
import type { Row } from '../agents/known.ts';
import { isShown, remember, type Watched } from '../agents/memory.ts';
import type { ObservedScript } from '../agents/observed-script.ts';
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
import type { ProcessIdentity } from '../domain/identity.ts';
import { limits } from '../domain/limits.ts';
import type { OverviewScript } from '../domain/overview.ts';
import { type Actor, unjam } from '../domain/script.ts';
import type { JournalKind } from '../journal/journal.ts';
import { agentsView } from './agents-view.ts';
import { ObservedEnding, Refused } from './ending.ts';
import { foreignLocks, type Owner } from './foreign-locks.ts';
import { logOf } from './foreign-logs.ts';
import { Looking } from './looking.ts';
import type { Look } from './observer.ts';
import { OnIt } from './on-it.ts';
import type { ObservedScriptsOptions } from './options.ts';
import { ticketOf } from './through-unjam.ts';
import { detailOf, type ViewFacts, viewOf } from './views.ts';
import { waitsForLocks, whyObserved } from './why.ts';

export class ObservedScripts {
  readonly #o: ObservedScriptsOptions;
  readonly #looking: Looking;
  readonly #endings = new Map<string, ObservedEnding>();
  readonly #onIt: OnIt;
  #lockCache: { readonly look: Look; readonly answer: ForeignLocks } | null = null;

  constructor(options: ObservedScriptsOptions) {
    this.#o = options;
    this.#onIt = options.onIt ?? new OnIt([]);
    this.#looking = new Looking({
      ...options,
      looked: () => this.#forgetEndings(),
      agentSeen: ({ name, process }) => this.#say(lines.agentSeen(name, process.identity), 'agent-seen', unjam, null),
      failed: (why) =>
        this.#say(
          { code: 'W399', text: `A look at the agents of this host failed: ${why}` },
          'observed-failed',
          unjam,
          null,
        ),
    });
  }

  /** Begins to look by itself. */
  start(): void {
    this.#looking.start();
  }

  close(): void {
    this.#looking.close();
    for (const ending of this.#endings.values()) ending.close();
  }

  /** While somebody listens it looks more often. */
  onChange(listener: () => void): () => void {
    return this.#looking.onChange(listener);
  }

  /** As of the last look, for snapshots; null while observing is off or has not looked yet. */
  current(): ObservedView[] | null {
    return this.#looking.last === null || !this.#o.settings().observe
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
    await this.#looking.refresh();
    return this.current() ?? [];
  }

  async agents(): Promise<AgentsView> {
    const { observe } = this.#o.settings();
    const look = await this.#looking.refresh();
    return agentsView({
      observing: observe,
      observation: look?.observation ?? null,
      scripts: this.#shown(),
      known: this.#looking.known,
      control: this.#o.control,
    });
  }

  /** @throws UnjamError `unknown-ticket` */
  async get(id: string): Promise<ObservedDetail> {
    // After a verb nobody wants to see what was there a second before.
    if (this.#endings.has(id)) await this.#looking.look();
    else await this.#looking.refresh();
    return detailOf(this.#factsOf(this.#find(id)), { ...this.#o, verbsOff: this.#o.settings().verbsOff });
  }

  /** @throws UnjamError `unknown-ticket` */
  async why(id: string): Promise<Diagnosis> {
    await this.#looking.refresh();
    this.#find(id);
    return whyObserved(() => this.#factsOf(this.#find(id)), {
      ...this.#o,
      locks: () => this.#locks().locks,
      lookAgain: async () => void (await this.#looking.look()),
    });
  }

  /** @throws UnjamError `unknown-ticket`, `not-possible` */
  async log({ id, from, maxBytes }: Parsed<'observed.log'>): Promise<Output<'observed.log'>> {
    await this.#looking.refresh();
    return logOf(this.#find(id).script, { from, maxBytes }, this.#o.control);
  }

  async locks(): Promise<ForeignLocks> {
    await this.#looking.refresh();
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
    await this.#aim(input, actor, input.outputHolders === true);
    await this.#o.beforeKill?.(input.id, actor);
    // That took its time, and the carrier may have begun its next step: this has to be what the person decided on still.
    await this.#looking.look();
    const ending = await this.#aim(input, actor, input.outputHolders === true);
    return this.#carryOut(input.id, () =>
      input.outputHolders === true
        ? ending.endHolders(actor, input.reason ?? null)
        : ending.kill(actor, input.reason ?? null),
    );
  }

  /** "I am on it": whoever says it last is, for an hour or until it ends. @throws UnjamError `unknown-ticket`, `not-possible` */
  async take({ id, release = false }: Parsed<'observed.take'>, actor: Actor): Promise<ObservedView> {
    await this.#looking.refresh();
    const { watched } = this.#factsOf(this.#find(id));
    const { script, goneAt } = watched;
    if (goneAt !== null)
      throw new UnjamError(
        'not-possible',
        `"${script.title}" has ended; nobody needs to be on it.`,
        '"unjam ps" lists what runs.',
      );
    const now = Date.now();
    const { identity } = script.root;
    if (release && this.#onIt.of(identity, now) === null) return viewOf(this.#factsOf(watched));
    const until = release ? null : now + limits.takenMs;
    this.#onIt.say(identity, until === null ? null : { by: actor.user, since: now, until });
    const line =
      until === null
        ? lines.observedGivenBack(nameOf(script), actor)
        : lines.observedTaken(nameOf(script), actor, until);
    this.#say(line, 'taken', actor, script, { process: identity, until });
    this.#looking.changed();
    return viewOf(this.#factsOf(watched));
  }

  /**
   * What a bundle of evidence is about: the processes of the script, or those that keep its output open when it has gone.
   * @throws UnjamError `unknown-ticket`
   */
  async subject(id: string): Promise<{
    readonly name: string;
    readonly agent: string;
    readonly members: readonly { readonly identity: ProcessIdentity }[];
  }> {
    await this.#looking.look();
    const { script, goneAt } = this.#factsOf(this.#find(id)).watched;
    const stage = this.#endings.get(id)?.stage;
    const holders = stage?.kind === 'carrier-waits' ? stage.holders.map((identity) => ({ identity })) : [];
    const members = goneAt === null && script.members.length > 0 ? script.members : holders;
    return { name: script.title, agent: script.recogniser.name, members };
  }

  /** A line of what was done beside the verbs, into the journal: there is no log of the script that Unjam may write to. */
  note(id: string, kind: JournalKind, actor: Actor, line: Line): void {
    this.#say(line, kind, actor, this.#find(id).script);
  }

  /** Adds to a diagnosis what its processes wait for outside of Unjam: `apt-get` at the lock of dpkg. */
  async withForeignLocks(diagnosis: Diagnosis): Promise<Diagnosis> {
    await this.#looking.refresh();
    const own = waitsForLocks(new Set(diagnosis.processes.map((p) => p.pid)), this.#locks().locks);
    const findings = own.map((x) => ({ ...x, evidence: [...x.evidence], pids: [...x.pids] }));
    return { ...diagnosis, findings: [...findings, ...diagnosis.findings] };
  }

  #forgetEndings(): void {
    for (const [id, ending] of this.#endings)
      if (!ending.isOpen) {
        ending.close();
        this.#endings.delete(id);
      }
  }

  #shown(): Watched[] {
    const now = this.#looking.now();
    const { memory } = this.#looking;
    // Its first process has gone, and somebody it has left behind, or who keeps its output open, has not.
    const gone = [...this.#endings].filter(([id, ending]) => !memory.has(id) && ending.isOpen);
    return [...memory.values()]
      .filter((w) => isShown(w, now) || this.#endings.has(w.script.id))
      .concat(gone.map(([id]) => this.#find(id)));
  }

  #find(id: string): Watched {
    const watched = this.#looking.memory.get(id);
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

  get #table(): readonly Row[] {
    return this.#looking.last?.table ?? [];
  }

  #factsOf(seen: Watched): ViewFacts {
    const ending = this.#endings.get(seen.script.id);
    const members = seen.goneAt === null ? seen.script.members : [];
    const orphans = ending?.orphans(this.#table, members) ?? [];
    const whole = { ...seen.script, members: [...members, ...orphans] };
    const watched = orphans.length === 0 ? seen : { ...seen, script: whole, goneAt: null };
    const { script } = watched;
    return {
      watched,
      stage: ending?.stage ?? { kind: 'none' },
      through: ticketOf(script, this.#o.askers()),
      attempts: ending?.attempts ?? [],
      waiters: this.#waitersOf(script),
      taken: watched.goneAt === null ? this.#onIt.of(script.root.identity, Date.now()) : null,
      silentAfterMs: this.#o.settings().silentAfterMs,
      now: this.#looking.now(),
    };
  }

  #waitersOf(script: ObservedScript): string[] {
    const queued = (this.#looking.last?.observation.queued ?? [])
      .filter((q) => q.behind === script.id)
      .map((q) => q.title);
    const members = new Set([...script.members, ...script.carriers].map((m) => m.identity.pid));
    const own = this.#locks().locks.filter((l) => members.has(l.holder.pid));
    const atLocks = own.flatMap((l) => l.waiters.map((w) => `${w.name} (PID ${w.pid})`));
    return [...new Set([...queued, ...atLocks])];
  }

  #locks(): ForeignLocks {
    const look = this.#looking.last;
    if (look === null) return { locks: [], missing: null };
    if (this.#lockCache?.look === look) return this.#lockCache.answer;
    const { foreign, control } = this.#o;
    const { locks, hidden } = foreignLocks({
      foreign,
      look,
      more: this.#o.settings().lockPaths,
      ownerOf: (pid) => this.#ownerOf(pid),
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

  #ownerOf(pid: number): Owner {
    for (const { script } of this.#looking.memory.values())
      if (script.members.some((m) => m.identity.pid === pid) || script.carriers.some((c) => c.identity.pid === pid))
        return { script: script.id, job: `${script.title} (${script.recogniser.name})` };
    const row = this.#looking.last?.forest.byPid(pid)?.row;
    const variables = row === undefined ? null : this.#o.foreign.variables(row.identity, ['UNJAM_TICKET']);
    return { script: variables?.['UNJAM_TICKET'] ?? null, job: null };
  }

  async #aim(
    input: { readonly id: string; readonly process?: { readonly pid: number; readonly startTime: string } | undefined },
    actor: Actor,
    isSecondStep = false,
  ): Promise<ObservedEnding> {
    await this.#looking.refresh();
    const facts = this.#factsOf(this.#find(input.id));
    const { script } = facts.watched;
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
      observer: this.#looking.observer,
      killDisabled: killDisabled ?? false,
      settleMs: () => this.#o.settings().settleMs,
      carrierMs: carrierMs ?? 15_000,
      changed: () => this.#looking.changed(),
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

  #say(line: Line, kind: JournalKind, actor: Actor, script: ObservedScript | null, data: object = {}): void {
    this.#o.record({
      line,
      kind,
      actor,
      id: script?.id ?? null,
      name: script?.title ?? null,
      mutex: script?.mutex ?? null,
      data,
    });
  }
}

const nameOf = (s: ObservedScript): lines.ObservedName => ({ title: s.title, agent: s.recogniser.name });
