/**
 * Ends a script: cancel signal, grace, force kill, proof. It asks nobody and waits for nothing for ever:
 * every stage ends by an event or by a clock, and a script that survives everything is called unkillable
 * with the reason that was measured.
 */
import type { RunnerRequest, Survivor } from '../domain/events.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import { limits } from '../domain/limits.ts';
import * as lines from '../domain/lines.ts';
import type { Actor, CancelSignal, TimeoutKind, TreeScope, VerdictKind } from '../domain/script.ts';
import type { EndOutcome, ProcessControl } from '../processes/index.ts';
import type { ScriptLog } from './script-log.ts';

/** Why the script ends; the first forced reason holds, except that Force Kill after an ignored Cancel is a kill. */
export interface Cause {
  readonly kind: Extract<VerdictKind, 'cancelled' | 'killed' | 'timed-out'>;
  readonly timeout: TimeoutKind | null;
  readonly actor: Actor;
}

interface EndingContext {
  readonly control: ProcessControl;
  readonly scope: TreeScope;
  readonly log: ScriptLog;
  readonly killDisabled: boolean;
  readonly graceMs: number;
  readonly signal: CancelSignal;
  readonly mutexFacts: () => lines.MutexFacts | null;
  /** The root's exit, null while it runs. A zombie counts as running until the kernel reported its status. */
  readonly rootExit: () => { readonly code: number | null; readonly signal: string | null; readonly at: number } | null;
  /** Called once when a forced end is proven: no process of the tree is left. */
  readonly onEmpty: (cause: Cause, summary: EndSummary) => void;
}

export interface EndSummary {
  readonly how: 'cancel' | 'kill';
  readonly total: number;
  readonly afterMs: number;
}

type Stage = 'none' | 'grace' | 'ignored' | 'killing' | 'unkillable' | 'done';

const killPollMs = [5, 10, 20, 40, 80] as const;
const restingPollMs = 1_000;
const progressAfterMs = 2_000;
const unjam: Actor = { user: 'unjam', via: 'unjam' };

export class Ending {
  readonly #c: EndingContext;
  #stage: Stage = 'none';
  #cause: Cause | null = null;
  #since = 0;
  #settleMs: number = limits.settleMs;
  #sending = false;
  #timer: NodeJS.Timeout | null = null;
  /** Everybody seen in the tree since the end began, for "n of m". */
  readonly #seen = new Map<string, ProcessIdentity>();
  readonly #outcomes = new Map<string, EndOutcome>();

  constructor(context: EndingContext) {
    this.#c = context;
  }

  get active(): boolean {
    return this.#stage !== 'none';
  }

  handle(request: RunnerRequest): void {
    this.#settleMs = request.settleMs ?? limits.settleMs;
    if (request.verb === 'cancel')
      void this.cancel({ kind: 'cancelled', timeout: null, actor: request.actor }, request).catch((e: unknown) =>
        this.#problem(e),
      );
    else if (request.verb === 'kill') {
      if (this.#tooLate('Force Kill', request.id)) return;
      const kind =
        this.#cause?.kind === 'timed-out'
          ? this.#cause
          : ({ kind: 'killed', timeout: null, actor: request.actor } as const);
      this.#kill(kind, `requested by ${lines.actorText(request.actor)}`, request.actor, request);
    }
  }

  /** Sends the cancel signal and starts the grace; for an operator's request and for time limits alike. */
  async cancel(
    cause: Cause,
    request: Extract<RunnerRequest, { verb: 'cancel' }> | { readonly limitMs: number },
  ): Promise<void> {
    const operator = 'id' in request ? request : null;
    if (operator && this.#tooLate('Cancel', operator.id)) return;
    if (this.#stage === 'killing' || this.#stage === 'unkillable') {
      if (operator)
        this.#c.log.append({ type: 'refused', requestId: operator.id, reason: 'a Force Kill is under way already' });
      return;
    }
    this.#cause ??= cause;
    const signal = operator?.signal ?? this.#c.signal;
    const graceMs = operator?.graceMs ?? this.#c.graceMs;
    const escalate = operator?.escalate ?? true;
    if (signal === 'SIGKILL') {
      this.#kill(
        this.#cause,
        operator ? `requested by ${lines.actorText(operator.actor)} as the cancel signal` : 'after a time limit',
        cause.actor,
        operator,
      );
      return;
    }
    this.#c.log.append({ type: 'intent', verb: operator ? 'cancel' : 'timeout', actor: cause.actor });
    const members = this.#look();
    this.#since = performance.now();
    this.#stage = 'grace';
    this.#sending = true; // on Windows this takes a while, and the script may exit meanwhile
    const outcome = await this.#c.control.interrupt(this.#c.scope, signal);
    this.#sending = false;
    const at = Date.now();
    const until = at + graceMs;
    const { root } = this.#c.scope;
    const mutex = this.#c.mutexFacts();
    const sent = outcome.kind === 'sent' ? outcome.what : signal;
    if (operator) {
      const body = {
        type: 'cancel',
        requestId: operator.id,
        actor: operator.actor,
        signal,
        until,
        escalate,
        evidence: operator.evidence,
      } as const;
      const total = members.length;
      const { actor, reason } = operator;
      if (outcome.kind === 'undeliverable') {
        this.#c.log.append(body, lines.cancelUndeliverable(actor, at, root, outcome.what, outcome.message, mutex));
        if (escalate) this.#graceOver(true, 0);
        else this.#ignored(0);
        return;
      }
      this.#c.log.append(
        body,
        lines.cancelRequested({ actor, at, reason, sent, root, graceMs, escalate, total, mutex }),
      );
    } else if (cause.timeout === 'overall' || cause.timeout === 'no-output') {
      const limitMs = 'limitMs' in request ? request.limitMs : 0;
      this.#c.log.append(
        { type: 'timeout', timeout: cause.timeout, until },
        lines.timedOut({ timeout: cause.timeout, limitMs, at, sent, root, graceMs, total: members.length, mutex }),
      );
    }
    this.#after(graceMs, () => this.#graceOver(escalate, graceMs));
    if (this.#c.rootExit() !== null) this.rootExited();
  }

  /** The root's exit status has arrived while an end is under way. */
  rootExited(): void {
    if (this.#sending || (this.#stage !== 'grace' && this.#stage !== 'ignored') || this.#c.rootExit() === null) return;
    if (this.#look().length === 0) this.#done('cancel');
    else if (this.#stage === 'grace') this.#watchForEmpty(50);
  }

  #graceOver(escalate: boolean, graceMs: number): void {
    if (this.#stage !== 'grace') return;
    if (this.#look().length === 0) {
      if (this.#c.rootExit() !== null) this.#done('cancel');
      else this.#after(20, () => this.#graceOver(escalate, graceMs)); // a zombie: its status is on the way
    } else if (escalate && this.#cause)
      this.#kill(
        this.#cause,
        `${lines.actorText(this.#cause.actor)} asked for it in case Cancel is ignored; sent`,
        unjam,
        null,
      );
    else this.#ignored(graceMs);
  }

  #ignored(graceMs: number): void {
    this.#stage = 'ignored';
    const left = this.#look();
    const of = this.#seen.size;
    const root = this.#c.scope.root;
    const mutex = this.#c.mutexFacts();
    this.#c.log.append(
      { type: 'cancel-ignored', left, of },
      this.#c.rootExit() === null
        ? lines.cancelIgnored({ afterMs: graceMs, root, left, of, mutex })
        : lines.childrenLeft(root, left, mutex),
    );
    this.#watchForEmpty(restingPollMs);
  }

  #watchForEmpty(everyMs: number): void {
    const poll = setInterval(() => {
      if (this.#stage === 'killing' || this.#stage === 'done' || this.#stage === 'none') clearInterval(poll);
      else if (this.#c.rootExit() !== null && this.#look().length === 0) {
        clearInterval(poll);
        this.#done(this.#stage === 'unkillable' ? 'kill' : 'cancel');
      }
    }, everyMs);
  }

  #kill(cause: Cause, why: string, actor: Actor, request: RunnerRequest | null): void {
    this.#cause = this.#cause?.kind === 'timed-out' ? this.#cause : cause;
    this.#c.log.append({ type: 'intent', verb: 'kill', actor });
    const targets = this.#look();
    this.#stage = 'killing';
    this.#since = performance.now();
    const { root } = this.#c.scope;
    this.#c.log.append(
      { type: 'kill', requestId: request?.id ?? null, actor, count: targets.length, evidence: request?.evidence ?? [] },
      lines.killRequested({
        actor,
        why,
        at: Date.now(),
        reason: request?.reason ?? null,
        root,
        targets,
        mutex: this.#c.mutexFacts(),
      }),
    );
    this.#outcomes.clear();
    if (this.#c.killDisabled) this.#c.log.append({ type: 'note' }, lines.killDisabled());
    else this.#c.control.endTree(this.#c.scope);
    this.#killRound(0, false);
  }

  #killRound(round: number, told: boolean): void {
    if (this.#stage !== 'killing') return;
    const left = this.#look();
    if (left.length === 0 && this.#c.rootExit() !== null) {
      this.#done('kill');
      return;
    }
    if (!this.#c.killDisabled)
      for (const member of left)
        if (!this.#outcomes.has(key(member))) this.#outcomes.set(key(member), this.#c.control.end(member));
    const tookMs = performance.now() - this.#since;
    if (left.length > 0 && tookMs >= this.#settleMs) {
      this.#unkillable(left, tookMs);
      return;
    }
    let nowTold = told;
    if (!told && left.length > 0 && tookMs >= progressAfterMs) {
      nowTold = true;
      this.#c.log.append(
        { type: 'kill-progress', ended: this.#seen.size - left.length, of: this.#seen.size },
        lines.killIncomplete(left, this.#seen.size, tookMs, this.#c.mutexFacts()),
      );
    }
    this.#after(killPollMs[round] ?? 100, () => this.#killRound(round + 1, nowTold));
  }

  #unkillable(left: readonly ProcessIdentity[], tookMs: number): void {
    this.#stage = 'unkillable';
    const survivors: Survivor[] = left.map((process) => {
      const outcome = this.#outcomes.get(key(process)) ?? this.#c.control.end(process);
      return { process, ...this.#c.control.whyAlive(process, outcome) };
    });
    const of = this.#seen.size;
    this.#c.log.append(
      { type: 'unkillable', survivors, ended: of - left.length, of },
      lines.unkillable(survivors, of, tookMs, this.#c.control.elevated, this.#c.mutexFacts()),
    );
    this.#watchForEmpty(restingPollMs);
  }

  #done(how: EndSummary['how']): void {
    if (this.#stage === 'done' || this.#cause === null) return;
    this.#stage = 'done';
    if (this.#timer) clearTimeout(this.#timer);
    this.#c.onEmpty(this.#cause, { how, total: this.#seen.size, afterMs: performance.now() - this.#since });
  }

  /**
   * The living members, remembered for the counts; and for the end itself: who was known by its parent alone
   * (a session of its own, a clean environment) is no longer in the tree once that parent has been ended.
   */
  #look(): ProcessIdentity[] {
    const { control, scope } = this.#c;
    const members = new Map(control.tree(scope).map(({ identity }) => [key(identity), identity]));
    for (const [id, member] of this.#seen)
      if (!members.has(id) && control.liveness(member) === 'alive') members.set(id, member);
    for (const [id, member] of members) this.#seen.set(id, member);
    if (this.#seen.size === 0) this.#seen.set(key(scope.root), scope.root);
    return [...members.values()];
  }

  #tooLate(verb: 'Cancel' | 'Force Kill', requestId: string): boolean {
    if (this.#stage === 'done') return true;
    if (this.#look().length > 0) return false;
    const exit = this.#c.rootExit();
    this.#c.log.append(
      { type: 'refused', requestId, reason: 'the script had already exited by itself' },
      lines.cancelTooLate(verb, this.#c.scope.root, exit?.at ?? Date.now(), lines.exitText(exit)),
    );
    return true;
  }

  #after(ms: number, action: () => void): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
  }

  #problem(error: unknown): void {
    this.#c.log.append(
      { type: 'note' },
      { code: 'W299', text: `Unjam could not carry out a request: ${String(error)}. Nothing was ended.` },
    );
  }
}

const key = (p: ProcessIdentity): string => `${p.pid}:${p.startTime}`;
