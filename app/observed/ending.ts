/**
 * Cancel and Force Kill of one observed script. Only the script part that was there when the person decided, and what
 * has come of it since, is signalled: a next step that the carrier starts meanwhile is not.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { keyOf, type Row } from '../agents/known.ts';
import type { ObservedStage } from '../agents/judge.ts';
import type { ObservedScript } from '../agents/observed-script.ts';
import { refusal, type RefusalFacts, refusalOfHolder } from '../agents/refusals.ts';
import type { Survivor } from '../domain/events.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import * as lines from '../domain/lines.ts';
import type { Line } from '../domain/lines.ts';
import { type Actor, unjam } from '../domain/script.ts';
import type { ObservedKind } from '../journal/journal.ts';
import type { EndOutcome, ForeignProcesses, ProcessControl } from '../processes/index.ts';
import type { Look, Observer } from './observer.ts';
import { Targets } from './targets.ts';

export interface EndingOptions {
  readonly control: ProcessControl;
  readonly foreign: ForeignProcesses;
  readonly observer: Observer;
  /** UNJAM_DEBUG_DISABLE_KILL: nothing is ended. Tests only. */
  readonly killDisabled: boolean;
  readonly settleMs: () => number;
  /** How long the carrier may take after the script has gone. */
  readonly carrierMs: number;
  readonly changed: () => void;
  readonly say: (line: Line, kind: ObservedKind, actor: Actor, script: ObservedScript) => void;
}

export interface Attempt extends Line {
  readonly at: number;
  readonly what: 'cancel' | 'kill';
  readonly actor: Actor;
}

const lookEveryMs = 200;
/** The end of a script stays visible for so long, then the row is what the carrier does next. */
const endedShownMs = 15_000;

export class ObservedEnding {
  script: ObservedScript;
  readonly #o: EndingOptions;
  readonly #targets: Targets;
  readonly #outputs = new Set<string>();
  /** What the last verb was for. */
  #aimedAt: 'script' | 'holders' = 'script';
  #awaitsCarrier = false;
  readonly #closed = new AbortController();
  readonly #attempts: Attempt[] = [];
  #stage: ObservedStage = { kind: 'none' };
  /** `control.now` of its beginning. */
  #stageAt = 0;
  /** Each verb takes the turn; what the one before it still waits for comes to nothing. */
  #turn = 0;

  constructor(script: ObservedScript, options: EndingOptions) {
    this.script = script;
    this.#o = options;
    this.#targets = new Targets({ ...options, facts: (look) => this.#facts(look) });
  }

  /** What was asked for, oldest first. */
  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  get stage(): ObservedStage {
    return this.#stage;
  }

  /** True while a row must stay although its processes are gone. */
  get isOpen(): boolean {
    const stage = this.#stage;
    if (stage.kind !== 'ended') return stage.kind !== 'none';
    return this.#awaitsCarrier || this.#o.control.now() - this.#stageAt < endedShownMs;
  }

  /**
   * What an earlier verb was for, still lives, and is none of `members`: Cancel has ended the shell above it, and it
   * stands below the root of the script no more.
   */
  orphans(table: readonly Row[], members: readonly Row[]): readonly Row[] {
    if (this.#aimedAt === 'holders') return [];
    const known = new Set(members.map((m) => keyOf(m.identity)));
    return table.filter((r) => r.state !== 'zombie' && this.#targets.has(r.identity) && !known.has(keyOf(r.identity)));
  }

  close(): void {
    this.#turn += 1;
    this.#closed.abort();
  }

  /** Answers when the signal was sent, or could not be; what follows goes on by itself. @throws Refused */
  async cancel(actor: Actor, reason: string | null, graceMs: number): Promise<void> {
    const turn = (this.#turn += 1);
    const targets = this.#begin(actor);
    const since = Date.now();
    const until = this.#o.control.now() + graceMs; // what people see may be an hour off when the clock is set
    this.#set({ kind: 'cancelling', since, until: since + graceMs });
    const outcome = await this.#o.foreign.interrupt(targets);
    if (turn !== this.#turn) return;
    if (outcome.kind === 'undeliverable') {
      this.#set({ kind: 'not-deliverable', since, why: outcome.message });
      this.#say(lines.observedNotDeliverable(this.#name, actor, outcome.message), 'observed-cancel', actor);
      return;
    }
    const what = outcome.kind === 'sent' ? outcome.what : 'nothing, it had gone';
    this.#say(lines.observedCancel(this.#name, actor, reason, what, graceMs), 'observed-cancel', actor);
    this.#guard(this.#awaitCancel(turn, actor, until));
  }

  /** Answers when the end was sent; what follows goes on by itself. @throws Refused */
  async kill(actor: Actor, reason: string | null): Promise<void> {
    const turn = (this.#turn += 1);
    const targets = this.#begin(actor);
    this.#say(lines.observedKill(this.#name, actor, reason, targets), 'observed-kill', actor);
    this.#set({ kind: 'killing', since: Date.now(), of: targets.length, gone: 0 });
    const frozen = this.#targets.freeze();
    this.#guard(this.#endTree(turn, actor, frozen));
  }

  /** The second, separately confirmed step. @throws Refused */
  async endHolders(actor: Actor, reason: string | null): Promise<void> {
    const stage = this.#stage;
    if (stage.kind !== 'carrier-waits') throw new Refused('Nobody was seen that holds its output open.');
    const turn = (this.#turn += 1);
    const look = this.#o.observer.lookNow();
    const facts = this.#facts(look);
    const now = this.#o.foreign.writers([...this.#outputs]);
    const wanted = new Set(stage.holders.map(keyOf));
    const rows = look.table.filter(
      (r) => wanted.has(keyOf(r.identity)) && now.some((h) => keyOf(h) === keyOf(r.identity)),
    );
    const refused: string[] = [];
    const targets = rows.filter((row) => {
      const why = refusalOfHolder(row, facts);
      if (why !== null) refused.push(why);
      return why === null;
    });
    if (refused.length > 0) this.#say(lines.observedRefused(this.#name, refused), 'observed-refused', actor);
    if (targets.length === 0) throw new Refused(refused[0] ?? 'The processes that held its output open have gone.');
    const identities = targets.map((t) => t.identity);
    this.#targets.aimAt(identities);
    this.#aimedAt = 'holders';
    this.#say(lines.observedKill(this.#name, actor, reason, identities), 'observed-kill', actor);
    this.#set({ kind: 'killing', since: Date.now(), of: targets.length, gone: 0 });
    for (const of of identities) if (!this.#o.killDisabled) this.#o.control.end(of);
    this.#guard(this.#settle(turn, actor, new Map()));
  }

  get #name(): lines.ObservedName {
    return { title: this.script.title, agent: this.script.recogniser.name };
  }

  /** Takes the script part of this moment, and what its output goes to. */
  #begin(actor: Actor): ProcessIdentity[] {
    const look = this.#o.observer.lookNow();
    const script = look.observation.scripts.find((s) => s.id === this.script.id);
    const members = script?.members ?? [];
    const rows = [...members, ...this.orphans(look.table, members)];
    if (rows.length === 0) throw new Refused('It has ended; there is nothing to signal.');
    if (script !== undefined) this.script = { ...script, title: this.script.title, log: script.log ?? this.script.log };
    const facts = this.#facts(look);
    const refused: string[] = [];
    const targets: ProcessIdentity[] = [];
    for (const row of rows) {
      const why = refusal(row, facts, this.#targets.aims);
      if (why === null) targets.push(row.identity);
      else refused.push(why);
    }
    if (refused.length > 0) this.#say(lines.observedRefused(this.#name, refused), 'observed-refused', actor);
    if (targets.length === 0) throw new Refused(`${refused[0]}.`);
    this.#targets.aimAt(targets);
    this.#aimedAt = 'script';
    for (const of of targets) for (const output of this.#o.foreign.outputs(of)) this.#outputs.add(output);
    return targets;
  }

  #facts(look: Look): RefusalFacts {
    const { observer, foreign } = this.#o;
    const of = look.observation.scripts.find((s) => s.id === this.script.id);
    return {
      system: observer.system,
      forest: look.forest,
      observation: look.observation,
      script: of ?? this.script,
      self: observer.self,
      ofUnjam: observer.ofUnjam(look),
      services: foreign.services(),
    };
  }

  async #awaitCancel(turn: number, actor: Actor, until: number): Promise<void> {
    while (turn === this.#turn) {
      this.#targets.extend();
      const left = this.#targets.alive();
      if (left.length === 0) return this.#ended(turn, actor, 'cancel');
      if (this.#o.control.now() >= until) {
        this.#set({ kind: 'cancel-ignored', since: Date.now(), left: left.length, of: this.#targets.size });
        this.#say(lines.observedIgnored(this.#name, left, this.#targets.size), 'observed-ignored', actor);
        return this.#awaitLateEnd(turn, actor);
      }
      await this.#pause(Math.min(lookEveryMs, Math.max(1, until - this.#o.control.now())));
    }
  }

  async #awaitLateEnd(turn: number, actor: Actor): Promise<void> {
    while (turn === this.#turn) {
      await this.#pause(5 * lookEveryMs);
      if (turn === this.#turn && this.#targets.alive().length === 0) return this.#ended(turn, actor, 'cancel');
    }
  }

  async #endTree(turn: number, actor: Actor, frozen: ReadonlySet<string>): Promise<void> {
    const outcomes = new Map<string, EndOutcome>();
    this.#targets.end(outcomes);
    this.#targets.thaw(frozen, outcomes);
    await this.#settle(turn, actor, outcomes);
  }

  async #settle(turn: number, actor: Actor, outcomes: Map<string, EndOutcome>): Promise<void> {
    const until = this.#o.control.now() + this.#o.settleMs();
    for (;;) {
      if (turn !== this.#turn) return;
      const left = this.#targets.alive();
      if (left.length === 0) return this.#ended(turn, actor, 'kill');
      const stage = this.#stage;
      if (stage.kind === 'killing')
        this.#set({ ...stage, of: this.#targets.size, gone: this.#targets.size - left.length });
      if (this.#o.control.now() >= until) {
        const survivors = left.map((of): Survivor => {
          const outcome = outcomes.get(keyOf(of)) ?? { kind: 'sent' };
          return { process: of, ...this.#o.control.whyAlive(of, outcome) };
        });
        const total = this.#targets.size;
        this.#set({ kind: 'unkillable', since: Date.now(), survivors, of: total });
        this.#say(lines.observedUnkillable(this.#name, survivors, total), 'observed-unkillable', actor);
        return this.#awaitLateEnd(turn, actor);
      }
      this.#targets.extend();
      this.#targets.end(outcomes);
      await this.#pause(Math.min(lookEveryMs, Math.max(1, until - this.#o.control.now())));
    }
  }

  /** The script has gone. Whether its carrier goes on, or somebody keeps it from reading to the end of the output. */
  async #ended(turn: number, actor: Actor, how: 'cancel' | 'kill'): Promise<void> {
    const since = Date.now();
    this.#set({ kind: 'ended', since, how });
    const count = this.#targets.size;
    this.#awaitsCarrier = true;
    const holders = await this.#heldOpen(turn);
    if (turn !== this.#turn) return;
    this.#awaitsCarrier = false;
    const carrier = this.#waiting();
    if (carrier !== undefined && holders.length > 0) {
      this.#set({ kind: 'carrier-waits', since: Date.now(), how, carrier, holders });
      this.#say(lines.observedOutputHeld(this.#name, carrier, holders), 'observed-output-held', actor);
      return this.#awaitRelease(turn, how);
    }
    const then =
      this.script.carriers.length === 0
        ? this.script.recogniser.ended
        : carrier === undefined
          ? `Its carrier has reported and ended. ${this.script.recogniser.ended}`
          : `${carrier.name} (PID ${carrier.pid}) goes on.`;
    this.#say(
      lines.observedGone(this.#name, how === 'kill' ? 'Force Kill' : 'Cancel', count, since, then),
      'observed-gone',
      actor,
    );
    this.#set({ kind: 'ended', since, how });
  }

  /** The innermost carrier that lives; where none does, the agent, if it reads the output of the script itself. */
  #waiting(): ProcessIdentity | undefined {
    const { control, foreign } = this.#o;
    const lives = ({ identity }: Row): boolean => control.liveness(identity) === 'alive';
    const carrier = this.script.carriers.findLast(lives);
    if (carrier !== undefined) return carrier.identity;
    const agent = this.script.agent?.process;
    const outputs = [...this.#outputs];
    const reads = agent !== undefined && outputs.length > 0 && lives(agent) && foreign.reads(agent.identity, outputs);
    return reads ? agent.identity : undefined;
  }

  /** Who still has the output open when the carrier has had its time; nobody as soon as the carrier has gone. */
  async #heldOpen(turn: number): Promise<readonly ProcessIdentity[]> {
    if (this.#outputs.size === 0) return [];
    const since = this.#o.control.now();
    for (;;) {
      const holders = this.#holders();
      if (holders.length === 0 || this.#waiting() === undefined || turn !== this.#turn) return [];
      if (this.#o.control.now() - since >= this.#o.carrierMs) return holders;
      await this.#pause(lookEveryMs);
    }
  }

  #holders(): readonly ProcessIdentity[] {
    const spared = new Set(this.script.carriers.map((c) => keyOf(c.identity)));
    if (this.script.agent !== null) spared.add(keyOf(this.script.agent.process.identity));
    return this.#o.foreign.writers([...this.#outputs]).filter((h) => !spared.has(keyOf(h)) && !this.#targets.has(h));
  }

  async #awaitRelease(turn: number, how: 'cancel' | 'kill'): Promise<void> {
    while (turn === this.#turn) {
      await this.#pause(5 * lookEveryMs);
      if (turn !== this.#turn) return;
      if (this.#waiting() === undefined || this.#holders().length === 0)
        return this.#set({ kind: 'ended', since: Date.now(), how });
    }
  }

  #set(stage: ObservedStage): void {
    this.#stage = stage;
    this.#stageAt = this.#o.control.now();
    this.#o.changed();
  }

  #say(text: Line, kind: ObservedKind, actor: Actor): void {
    const what = kind === 'observed-cancel' ? 'cancel' : kind === 'observed-kill' ? 'kill' : null;
    if (what !== null) this.#attempts.push({ at: Date.now(), what, actor, ...text });
    this.#o.say(text, kind, actor, this.script);
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closed.signal, ref: false }).catch(() => undefined);
  }

  /** What goes on by itself must end nobody's process but its own: a fault is said, not thrown into the host. */
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#o.say(
        { code: 'W399', text: `Watching "${this.script.title}" failed: ${why}` },
        'observed-failed',
        unjam,
        this.script,
      );
      this.#set({ kind: 'none' });
    });
  }
}

/** Why a verb was not carried out; its message is for people. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
