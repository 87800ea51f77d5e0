/**
 * Carries out the lifecycle table for one script: for its runner, for a host in place of a runner that died, and for
 * `unjam hold`. One process may carry any number of them; each has one pulse and nothing else that ticks.
 */
import type { EventBody, RunnerRequest } from '../domain/events.ts';
import { type How, type Life, recall } from '../domain/life.ts';
import type { Effect, LifeEvent, Signalling } from '../domain/life-events.ts';
import { decide } from '../domain/life-table.ts';
import { limits } from '../domain/limits.ts';
import * as lines from '../domain/lines.ts';
import type { CancelSignal, TreeScope } from '../domain/script.ts';
import type { LimitClocks } from './limit-clocks.ts';
import { Pulse } from './pulse.ts';
import { type TreeControl, TreeWatch } from './tree-watch.ts';

export interface DriverContext {
  readonly control: TreeControl;
  readonly scope: TreeScope;
  readonly append: (body: EventBody, line?: lines.Line) => void;
  readonly killDisabled: boolean;
  readonly cancel: { readonly signal: CancelSignal; readonly graceMs: number };
  readonly clocks: LimitClocks;
  /** True when the script has written since the last call. */
  readonly hasWritten: () => boolean;
  readonly mutexFacts: () => lines.MutexFacts | null;
  /** Asked before anything that an Abandon forbids. */
  readonly isAbandoned: () => boolean;
  /** Runs the clean-up command, if any, and calls `begin` before its first instruction; never rejects. */
  readonly cleanUp: (how: How, life: Life, begin: (scope: TreeScope) => void) => Promise<void>;
  /** Writes the verdict and releases the mutex. Called once; a rejection is repeated by nobody. */
  readonly conclude: (how: How, summary: Summary) => Promise<void>;
  /** Given for a script whose exit status cannot be waited for: looks itself whether the root lives. */
  readonly adopted?: boolean;
}

export interface Summary {
  readonly total: number;
  readonly afterMs: number;
}

const killPaceMs = [5, 10, 20, 40, 80] as const;
const paceMs = { kill: 100, exitedInGrace: 50, grace: 250, resting: 1_000, adopted: 500 } as const;

export class Driver {
  readonly #c: DriverContext;
  #watch: TreeWatch;
  readonly #pulse: Pulse;
  #life: Life;
  /** Active time in this stage, ms. */
  #stageMs = 0;
  /** When it began, for lines: `performance.now()`. */
  #stageSince = performance.now();
  #graceMs: number;
  #settleMs: number = limits.settleMs;
  #beats = 0;
  #summary: Summary = { total: 0, afterMs: 0 };
  #closed = false;
  #lastProblem = '';

  constructor(context: DriverContext, life: Life) {
    this.#c = context;
    this.#pulse = new Pulse((activeMs) => this.#guard(() => this.#beat(activeMs)));
    this.#life = life;
    this.#watch = this.#newWatch();
    this.#graceMs = context.cancel.graceMs;
    if (context.adopted) this.#resume();
    this.#setPace();
  }

  get life(): Life {
    return this.#life;
  }

  /** Carries out what an operator asks for. */
  handle(request: RunnerRequest): void {
    this.#guard(() => {
      this.#noteRootGone();
      this.#settleMs = request.settleMs ?? limits.settleMs;
      if (request.verb === 'kill') {
        this.#send({ type: 'kill', request, left: this.#watch.look() });
        return;
      }
      const signal = request.signal ?? this.#c.cancel.signal;
      const graceMs = request.graceMs ?? this.#c.cancel.graceMs;
      this.#send({ type: 'cancel', request, signal, graceMs, left: this.#watch.look() });
    });
  }

  /** The root's exit status; `known` is false when only its end was seen. */
  rootExited(code: number | null, signal: string | null, endedAt: number, known = true): void {
    this.#guard(() => {
      this.#noteAbandon();
      this.#send({ type: 'root-exited', code, signal, endedAt, known });
      this.#beat(0); // who is left is asked now, not at the next beat
    });
  }

  close(): void {
    this.#closed = true;
    this.#pulse.set(null);
  }

  #send(event: LifeEvent): void {
    if (this.#closed) return;
    const before = this.#life.stage.kind;
    for (const effect of decide(this.#life, event, Date.now())) this.#carryOut(effect);
    if (this.#life.stage.kind !== before) this.#enter();
    this.#setPace();
  }

  #enter(): void {
    this.#stageMs = 0;
    this.#stageSince = performance.now();
    this.#beats = 0;
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'record': {
        const at = Date.now();
        const { control, scope, mutexFacts } = this.#c;
        const line = effect.line?.({ at, root: scope.root, mutex: mutexFacts(), elevated: control.elevated });
        this.#c.append(effect.fact, line);
        this.#recall({ ...effect.fact, at, ...line });
        if (effect.fact.type === 'kill') {
          this.#watch.forgetKills();
          if (this.#c.killDisabled) this.#c.append({ type: 'note' }, lines.killDisabled());
        }
        return;
      }
      case 'recall':
        this.#recall({ ...effect.fact, at: Date.now() });
        return;
      case 'interrupt':
        void this.#interrupt(effect.of);
        return;
      case 'end':
        if (!this.#c.killDisabled) this.#watch.end();
        return;
      case 'clean-up':
        void this.#cleanUp(effect.how);
        return;
      case 'conclude':
        void this.#conclude(effect.how);
    }
  }

  #recall(fact: Parameters<typeof recall>[1]): void {
    this.#life = recall(this.#life, fact);
    if (fact.type === 'note' && fact.cleaning) this.#watch = this.#newWatch();
    if (fact.type === 'note' && fact.gone) this.#summary = { total: fact.gone.total, afterMs: fact.gone.afterMs };
  }

  /** Of a script that exited by itself only the clean-up command is watched: what the script left was left on purpose. */
  #newWatch(): TreeWatch {
    const { cleanup, cause } = this.#life;
    const { control, scope } = this.#c;
    return new TreeWatch(control, cleanup === null ? [scope] : cause === null ? [cleanup] : [scope, cleanup]);
  }

  async #interrupt(of: Signalling): Promise<void> {
    try {
      if (this.#life.stage.kind === 'signalling') this.#graceMs = of.graceMs;
      const delivery = await this.#c.control.interrupt(this.#c.scope, of.signal);
      this.#guard(() => this.#send({ type: 'delivered', delivery, of, left: this.#watch.look() }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const delivery = { kind: 'undeliverable', what: of.signal, message } as const;
      this.#guard(() => this.#send({ type: 'delivered', delivery, of, left: this.#watch.look() }));
    }
  }

  async #cleanUp(how: How): Promise<void> {
    try {
      await this.#c.cleanUp(how, this.#life, (scope) =>
        this.#carryOut({ do: 'record', fact: { type: 'note', cleaning: { how, scope } } }),
      );
    } catch (error) {
      this.#problem(error);
    }
    this.#guard(() => this.#send({ type: 'cleaned', left: this.#watch.look() }));
  }

  async #conclude(how: How): Promise<void> {
    try {
      await this.#c.conclude(how, this.#summary);
    } catch (error) {
      this.#problem(error);
    }
    this.#guard(() => this.#send({ type: 'concluded' }));
  }

  #beat(activeMs: number): void {
    if (this.#closed) return;
    this.#stageMs += activeMs;
    this.#beats += 1;
    this.#noteRootGone();
    const { kind } = this.#life.stage;
    if (kind === 'running' && !this.#life.abandoned) this.#checkLimits(activeMs);
    if (this.#life.stage.kind !== kind || !this.#looks()) return this.#setPace();
    const left = this.#watch.look();
    const afterMs = performance.now() - this.#stageSince;
    const settled = kind === 'killing' && this.#stageMs >= this.#settleMs;
    if (settled && (left.members.length > 0 || (!left.proven && this.#life.root !== null))) {
      const survivors = this.#watch.survivors();
      this.#send({ type: 'settle-over', survivors, afterMs, of: left.of });
    } else if (kind === 'cancelling' && this.#stageMs >= this.#graceMs) {
      this.#noteAbandon();
      this.#send({ type: 'grace-over', left, graceMs: this.#graceMs });
    } else this.#send({ type: 'tree', left, afterMs });
    this.#setPace();
  }

  #checkLimits(activeMs: number): void {
    const news = this.#c.clocks.beat(activeMs, this.#c.hasWritten());
    if (news.reached === null && news.half.length === 0) return;
    this.#noteAbandon();
    if (this.#life.abandoned) return;
    for (const { timeout, limitMs } of news.half) this.#c.append({ type: 'note' }, lines.halfOfLimit(timeout, limitMs));
    if (news.reached) this.#send({ type: 'limit', limit: news.reached, ...this.#c.cancel, left: this.#watch.look() });
  }

  #noteRootGone(): void {
    if (this.#c.adopted && this.#life.root === null && this.#c.control.liveness(this.#c.scope.root) === 'dead')
      this.#send({ type: 'root-exited', code: null, signal: null, endedAt: Date.now(), known: false });
  }

  #noteAbandon(): void {
    if (!this.#life.abandoned && this.#c.isAbandoned()) this.#send({ type: 'abandoned' });
  }

  /** Whether this stage asks who is left at every beat. */
  #looks(): boolean {
    switch (this.#life.stage.kind) {
      case 'running':
        return this.#life.root !== null;
      case 'cancelling':
        return this.#life.root !== null || this.#stageMs >= this.#graceMs;
      case 'ignored':
      case 'killing':
      case 'unkillable':
        return true;
      default:
        return false;
    }
  }

  #setPace(): void {
    this.#pulse.set(this.#closed ? null : this.#pace());
  }

  #pace(): number | null {
    const { adopted } = this.#c;
    switch (this.#life.stage.kind) {
      case 'running': {
        const clock = this.#life.abandoned ? null : this.#c.clocks.everyMs;
        if (adopted) return Math.min(paceMs.adopted, clock ?? Infinity);
        return this.#life.root === null ? clock : paceMs.resting;
      }
      case 'signalling':
        return adopted ? paceMs.adopted : null;
      case 'cancelling': {
        const left = Math.max(5, Math.ceil(this.#graceMs - this.#stageMs));
        return Math.min(left, this.#life.root === null ? paceMs.grace : paceMs.exitedInGrace);
      }
      case 'killing':
        return killPaceMs[this.#beats] ?? paceMs.kill;
      case 'ignored':
      case 'unkillable':
        return this.#life.root === null ? paceMs.resting : paceMs.grace;
      default:
        return null;
    }
  }

  /** Takes over in the middle: what the runner may not have finished is done again. */
  #resume(): void {
    const { stage } = this.#life;
    switch (stage.kind) {
      case 'signalling':
      case 'cancelling':
        this.#life = { ...this.#life, stage: { ...stage, kind: 'cancelling' } };
        this.#graceMs = Math.min(this.#c.cancel.graceMs, Math.max(0, stage.until - Date.now()));
        return;
      case 'killing':
        if (!this.#c.killDisabled) this.#watch.end();
        return;
      case 'gone':
        void (this.#life.cleaned ? this.#conclude(stage.how) : this.#cleanUp(stage.how));
        return;
      default:
        return;
    }
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#problem(error);
      this.#setPace();
    }
  }

  #problem(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.#lastProblem) return;
    this.#lastProblem = message;
    try {
      this.#c.append({ type: 'note' }, lines.lifecycleProblem(message));
    } catch {
      // The disk refuses it: the next beat tries again.
    }
  }
}
