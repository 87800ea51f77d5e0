/**
 * The three verbs: which dialog is open, what was asked for, what was refused. A command carries the version and the
 * process of the view that the person decided on, so that the host can refuse a decision about something else.
 */
import type { ConsoleClient, Input, ProcessView, ScriptDetail, ScriptView, Verb } from '../contract.ts';
import { toCallError } from '../transport/call-error.ts';
import { aids } from '../words/aids.ts';
import { notPossibleNow, outcomeOf } from '../words/verbs.ts';
import { byKey, withEntry, withoutEntry } from '../words/maps.ts';
import type { Announcer } from './announcer.svelte.ts';

export interface OpenDialog {
  readonly verb: Verb;
  /** As it was when the dialog opened. */
  readonly opened: ScriptView;
  readonly openedAt: number;
  /** More scripts, for Cancel of many; empty otherwise. */
  readonly others: readonly string[];
}

/** About one process of a script. */
export interface ProcessQuestion {
  readonly view: ScriptView;
  readonly process: ProcessView;
}

export interface Notice {
  readonly message: string;
  readonly next: string;
}

/** A Force Kill that the host has begun, and whose end is not proven yet. */
interface Ending {
  readonly view: ScriptView;
  /** Of the answer; a snapshot may be older. Observed scripts have none. */
  readonly version: number | undefined;
}

export interface Decision {
  readonly reason?: string;
  readonly confirmPid?: number;
  readonly holdQueue?: boolean;
}

export class Actions {
  dialog = $state.raw<OpenDialog | null>(null);
  /** A script that was taken out of its queue and is to run after all: its dialog is open. */
  again = $state.raw<ScriptDetail | null>(null);
  /** The process that is to be ended: its dialog is open. */
  process = $state.raw<ProcessQuestion | null>(null);
  /** Asked for and not answered yet, by ticket. */
  pending = $state.raw(byKey<Verb>([], () => ''));
  /** Refused or failed; stays beside the script until the person dismisses it. */
  notices = $state.raw(byKey<Notice>([], () => ''));

  readonly #client: ConsoleClient;
  readonly #announcer: Announcer;
  readonly #graceMs: () => number;
  readonly #viewOf: (ticket: string) => ScriptView | null;
  #endings: readonly Ending[] = [];

  /** `viewOf` is the script as the last snapshot has it. */
  constructor(
    client: ConsoleClient,
    announcer: Announcer,
    graceMs: () => number,
    viewOf: (ticket: string) => ScriptView | null,
  ) {
    this.#graceMs = graceMs;
    this.#viewOf = viewOf;
    this.#client = client;
    this.#announcer = announcer;
  }

  open(verb: Verb, opened: ScriptView, others: readonly string[] = []): void {
    this.dismiss(opened.ticket);
    this.dialog = { verb, opened, openedAt: performance.now(), others };
  }

  goBack(): void {
    this.dialog = null;
  }

  /** Says why a verb cannot be used now, where the person looks. */
  refuse(verb: Verb, ticket: string, why: string): void {
    this.#note(ticket, { message: notPossibleNow(verb), next: why });
  }

  dismiss(ticket: string): void {
    this.notices = withoutEntry(this.notices, ticket);
  }

  /** `views` are what was on screen at the moment of the decision. */
  async confirm(verb: Verb, views: readonly ScriptView[], decision: Decision): Promise<void> {
    this.dialog = null;
    await Promise.all(views.map((view) => this.#send(verb, view, decision)));
  }

  /** A new snapshot has come: says how each Force Kill went whose outcome is known now. */
  accept(): void {
    this.#endings = this.#endings.filter((ending) => this.#isOpen(ending));
  }

  /** The same command once more, as a new script; null when it was refused, which stays beside the old one. */
  async startAgain(detail: ScriptDetail): Promise<ScriptView | null> {
    this.again = null;
    const { name, command, cwd, mutex, isolation, timeouts, cancelSignal, graceMs } = detail;
    try {
      const started = await this.#client.call('scripts.start', {
        name,
        command,
        cwd,
        cancelSignal,
        graceMs,
        ...(mutex === null || isolation === null
          ? {}
          : { isolation: { level: isolation, mutex, timeoutMs: timeouts.mutexMs } }),
        ...(timeouts.overallMs === null ? {} : { timeoutMs: timeouts.overallMs }),
        ...(timeouts.firstOutputMs === undefined ? {} : { firstOutputTimeoutMs: timeouts.firstOutputMs }),
        ...(timeouts.noOutputMs === null ? {} : { noOutputTimeoutMs: timeouts.noOutputMs }),
      });
      this.#announcer.warn(`${started.name}: ${started.condition.headline}`);
      return started;
    } catch (error) {
      const { message, next } = toCallError(error);
      this.#note(detail.ticket, { message, next });
      return null;
    }
  }

  async endProcess({ view, process }: ProcessQuestion, { reason }: Decision): Promise<void> {
    this.process = null;
    const { pid, startTime } = process;
    try {
      await this.#client.call('scripts.endProcess', {
        ticket: view.ticket,
        process: { pid, startTime },
        ...(reason === undefined ? {} : { reason }),
      });
      this.#announcer.warn(aids.ended(pid, view.name));
    } catch (error) {
      const { message, next } = toCallError(error);
      this.#note(view.ticket, { message, next });
    }
  }

  async take({ ticket, name, observed }: ScriptView, release: boolean): Promise<void> {
    try {
      const { taken } = await (observed === undefined
        ? this.#client.call('scripts.take', { ticket, release })
        : this.#client.call('observed.take', { id: ticket, release }));
      this.#announcer.warn(aids.onItNow(taken?.by ?? null, name));
    } catch (error) {
      const { message, next } = toCallError(error);
      this.#note(ticket, { message, next });
    }
  }

  async #send(verb: Verb, view: ScriptView, decision: Decision): Promise<void> {
    this.pending = withEntry(this.pending, view.ticket, verb);
    try {
      const after = await this.#call(verb, view, decision);
      // How many have ended at this moment is no outcome: that follows when it is proven, or when some survive.
      if (after.condition.key === 'killing') {
        this.#endings = [...this.#endings, { view, version: after.version }];
        this.accept();
      } else this.#announcer.warn(outcomeOf(verb, view.name, after.condition.headline));
    } catch (error) {
      const { code, message, next } = toCallError(error);
      // The person has just said no: that needs no notice that stays.
      if (code === 'not-confirmed') this.#announcer.read(message);
      else this.#note(view.ticket, { message, next });
    } finally {
      this.pending = withoutEntry(this.pending, view.ticket);
    }
  }

  #isOpen({ view: { ticket, name, condition: before }, version }: Ending): boolean {
    const now = this.#viewOf(ticket);
    if (now === null) return false;
    const isOlder = version === undefined ? now.condition.key === before.key : now.version < version;
    if (isOlder || now.condition.key === 'killing') return true;
    this.#announcer.warn(outcomeOf('kill', name, now.condition.headline));
    return false;
  }

  #call(
    verb: Verb,
    view: ScriptView,
    decision: Decision,
  ): Promise<Pick<ScriptView, 'condition'> & Partial<Pick<ScriptView, 'version'>>> {
    const aim = {
      ...(view.process === null ? {} : { process: { pid: view.process.pid, startTime: view.process.startTime } }),
      ...(decision.reason === undefined ? {} : { reason: decision.reason }),
    };
    if (view.observed !== undefined) {
      const observed = { id: view.ticket, ...aim };
      return verb === 'cancel'
        ? this.#client.call('observed.cancel', { ...observed, graceMs: this.#graceMs() })
        : this.#client.call('observed.kill', { ...observed, outputHolders: view.condition.key === 'carrier-waits' });
    }
    const target = { ticket: view.ticket, version: view.version, ...aim };
    switch (verb) {
      case 'cancel':
        return this.#client.call('scripts.cancel', { ...target, escalate: false, graceMs: this.#graceMs() });
      case 'kill':
        return this.#client.call('scripts.kill', target);
      case 'abandon': {
        const input: Input<'scripts.abandon'> = {
          ...target,
          ...(decision.holdQueue === undefined ? {} : { holdQueue: decision.holdQueue }),
          ...(decision.confirmPid === undefined ? {} : { confirmPid: decision.confirmPid }),
        };
        return this.#client.call('scripts.abandon', input);
      }
    }
  }

  #note(ticket: string, notice: Notice): void {
    this.notices = withEntry(this.notices, ticket, notice);
    this.#announcer.warn(`${notice.message} ${notice.next}`);
  }
}
