/**
 * Tells people who are not at the host what they should know of it. Looks at the host, writes down what is to be said,
 * and only then says it: a crash in between repeats a message, with the id that it had, and loses none.
 */
import type { AlertsTested, AlertsView, Settings, Snapshot } from '../contract/methods.ts';
import { alertKinds, decide, factsOf, giveUpAfterMs, retryAfterMs } from '../domain/alerts.ts';
import { randomHex } from '../domain/random.ts';
import type { Deliver } from './deliver.ts';
import { AlertsFile, type AlertsState, type Outgoing } from './file.ts';
import { messageOf, testMessage } from './message.ts';
import type { Target } from './target.ts';

export interface AlertsOptions {
  readonly stateDirectory: string;
  readonly settings: () => Pick<Settings, 'alerts' | 'alertWaitMinutes'>;
  readonly look: () => Snapshot;
  /** The last lines of a script's output. */
  readonly lastOutput: (ticket: string) => string;
  readonly deliver: Deliver;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

const lookEveryMs = 5_000;
/** The time of the last look is written at least so often: an absence of the host is measured by it. */
const notedEveryMs = 60_000;

export interface AlertCounts {
  delivered: number;
  failed: number;
  givenUp: number;
}

export class Alerts {
  readonly #o: AlertsOptions;
  readonly #file: AlertsFile;
  #state: AlertsState;
  #isFirst = true;
  /** What the file says, without its times; null while that is unknown. */
  #written: { readonly at: number; readonly says: string } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #rounds: Promise<void> = Promise.resolve();
  #writes: Promise<void> = Promise.resolve();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, string>();
  #isClosed = false;
  #fileProblem = '';
  readonly counts: AlertCounts = { delivered: 0, failed: 0, givenUp: 0 };

  constructor(options: AlertsOptions) {
    this.#o = options;
    this.#file = new AlertsFile(options.stateDirectory);
    this.#state = this.#file.read() ?? nothing(options.now());
  }

  start(): void {
    void this.round();
    this.#timer = setInterval(() => void this.round(), lookEveryMs).unref();
  }

  get pending(): number {
    return this.#state.outbox.length;
  }

  view(): AlertsView {
    return {
      targets: this.#o.settings().alerts.map(({ name, to, kinds }) => ({
        name,
        to,
        kinds: kinds ?? [...alertKinds],
        pending: this.#state.outbox.filter(({ target }) => target === name).length,
        failure: this.#failures.get(name) ?? null,
      })),
      current: this.#state.known.map(({ fact, incident, begunAt }) => ({
        incident,
        kind: fact.kind,
        since: new Date(begunAt).toISOString(),
        ticket: fact.ticket,
        text: fact.text,
      })),
    };
  }

  /** Tries every target at once, or one of them; nothing is repeated. */
  async test(only: string | undefined): Promise<AlertsTested> {
    const targets = this.#o.settings().alerts.filter(({ name }) => only === undefined || name === only);
    const message = testMessage(this.#o.look().machine, this.#o.now(), randomHex(16));
    const outcomes = targets.map(async (target) => ({
      target: target.name,
      failure: await this.#o.deliver(target, message),
    }));
    return { outcomes: await Promise.all(outcomes) };
  }

  /** One look, with what follows of it written down; deliveries go on behind it. */
  round(): Promise<void> {
    this.#rounds = this.#rounds
      .then(() => this.#round())
      .catch((error: Error) => this.#o.log(`W396 A look for alerts failed: ${error.message}. It is repeated.`));
    return this.#rounds;
  }

  /** Resolves when nothing is under way; what could not be delivered waits in the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#rounds;
    await this.#writes;
  }

  async #round(): Promise<void> {
    const { alerts, alertWaitMinutes } = this.#o.settings();
    if (this.#isClosed) return;
    if (alerts.length === 0) return this.#rest();
    const now = this.#o.now();
    const { scripts, mutexes, machine } = this.#o.look();
    const { before, known, outbox } = this.#state;
    const waitMs = alertWaitMinutes * 60_000;
    const facts = factsOf({ now, scripts, mutexes, waitMs, before, isFirst: this.#isFirst });
    const decision = decide(known, facts, alerts, now, () => randomHex(16));
    const made = decision.messages.map(({ target, known: one, phase }): Outgoing => {
      const { ticket } = one.fact;
      const about = scripts.find((script) => script.ticket === ticket);
      const wantsOutput = alerts.some(({ name, lastOutput }) => name === target && lastOutput === true);
      const message = messageOf(one, phase, {
        host: machine,
        now,
        headline: about?.condition.headline,
        traceparent: about?.traceparent,
        lastOutput: wantsOutput && ticket !== null ? this.#o.lastOutput(ticket) : undefined,
      });
      return { target, message, madeAt: now, failures: 0, notBefore: now };
    });
    const names = new Set(alerts.map(({ name }) => name));
    const living = scripts.filter((s) => s.state !== 'final' || s.orphan).length;
    this.#isFirst = false;
    this.#state = {
      schema: 1,
      before: { at: now, living },
      known: decision.known,
      outbox: [...outbox.filter(({ target }) => names.has(target)), ...made],
    };
    if (this.#written?.says !== saidBy(this.#state) || now - this.#written.at >= notedEveryMs) await this.#write();
    for (const target of alerts) this.#send(target);
  }

  /** Without targets nothing is looked at; whoever is added later hears of what is so then. */
  #rest(): void {
    if (this.#isFirst || this.#written !== null) this.#file.remove();
    this.#written = null;
    this.#isFirst = false;
    this.#state = nothing(this.#o.now());
  }

  /** What the disk refuses is said once, and does not keep a message back. */
  #write(): Promise<void> {
    this.#writes = this.#writes.then(async () => {
      const state = this.#state;
      try {
        await this.#file.write(state);
        this.#written = { at: state.before.at, says: saidBy(state) };
        this.#fileProblem = '';
      } catch (error) {
        const { message, code = message } = error as NodeJS.ErrnoException;
        if (code !== this.#fileProblem)
          this.#o.log(`W396 What is to be told could not be written down: ${message}. It is repeated.`);
        this.#fileProblem = code;
        this.#written = null;
      }
    });
    return this.#writes;
  }

  /** A target gets its messages one after the other, in their order. */
  #send(target: Target): void {
    const next = this.#state.outbox.find((one) => one.target === target.name);
    if (next === undefined || next.notBefore > this.#o.now() || this.#underWay.has(target.name) || this.#isClosed)
      return;
    const sent = this.#o
      .deliver(target, next.message)
      .then((failure) => this.#sent(target, next, failure))
      .catch((error: Error) => this.#o.log(`W396 An alert failed: ${error.message}. It is repeated.`))
      .finally(() => {
        this.#underWay.delete(target.name);
        const again = this.#o.settings().alerts.find(({ name }) => name === target.name);
        if (again !== undefined) this.#send(again);
      });
    this.#underWay.set(target.name, sent);
  }

  async #sent({ name }: Target, sent: Outgoing, failure: string | null): Promise<void> {
    if (this.#isClosed) return; // the next host repeats it, with its id
    const now = this.#o.now();
    const isOld = now - sent.madeAt >= giveUpAfterMs;
    this.#say(name, failure, isOld);
    const failures = sent.failures + 1;
    const left: Outgoing[] =
      failure === null || isOld ? [] : [{ ...sent, failures, notBefore: now + retryAfterMs(failures) }];
    this.#state = { ...this.#state, outbox: this.#state.outbox.flatMap((one) => (one === sent ? left : [one])) };
    await this.#write();
  }

  #say(name: string, failure: string | null, isOld: boolean): void {
    if (failure === null) {
      this.counts.delivered += 1;
      if (this.#failures.delete(name)) this.#o.log(`I341 Alerts are delivered to "${name}" again.`);
      return;
    }
    this.counts.failed += 1;
    if (!this.#failures.has(name))
      this.#o.log(`W341 An alert could not be delivered to "${name}": ${failure}. It is repeated.`);
    this.#failures.set(name, failure);
    if (!isOld) return;
    this.counts.givenUp += 1;
    this.#o.log(`W342 An alert for "${name}" was given up after a day: ${failure}.`);
  }
}

const nothing = (now: number): AlertsState => ({ schema: 1, before: { at: now, living: 0 }, known: [], outbox: [] });

const saidBy = ({ before, known, outbox }: AlertsState): string =>
  JSON.stringify([before.living, known.map(({ incident, told }) => [incident, told]), outbox]);
