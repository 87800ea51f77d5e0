/** Cancel, Force Kill and Abandon as an operator asks for them: checked against what the person has seen, then carried out. */
import { UnjamError } from '../contract/errors.ts';
import type { Parsed } from '../contract/methods.ts';
import * as lines from '../domain/lines.ts';
import type { Actor } from '../domain/script.ts';
import type { ProcessControl } from '../processes/index.ts';
import type { Reserve } from '../run-directory/reserve.ts';
import { abandonScript } from './abandon.ts';
import type { Custody } from './custody.ts';
import type { ScriptRecord } from './record.ts';
import type { Register } from './register.ts';
import { sendRequest } from './request.ts';
import { checkTarget } from './target.ts';

export interface ThreeVerbsOptions {
  readonly control: ProcessControl;
  readonly register: Register;
  readonly custody: Custody;
  readonly reserve: Reserve;
  readonly evidence: (record: ScriptRecord) => string[];
  readonly settleMs?: () => number;
  readonly log: (line: string) => void;
}

/** Each answers with the script as it is afterwards. @throws UnjamError `unknown-ticket`, and what `checkTarget` throws */
export class ThreeVerbs {
  readonly #o: ThreeVerbsOptions;

  constructor(options: ThreeVerbsOptions) {
    this.#o = options;
  }

  async cancel(input: Parsed<'scripts.cancel'>, actor: Actor): Promise<ScriptRecord> {
    const record = this.#o.register.find(input.ticket);
    if (record.isFinal && !record.isOrphan) return record;
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
    return record;
  }

  async kill(input: Parsed<'scripts.kill'>, actor: Actor): Promise<ScriptRecord> {
    const record = this.#o.register.find(input.ticket);
    if (record.isFinal && !record.isOrphan) return record;
    try {
      checkTarget(record, input);
    } catch (error) {
      // Somebody was about to end a stranger: that stays in the script's log.
      if (input.process && (error as UnjamError).code === 'other-process')
        this.#o.register.append(
          record,
          { type: 'note' },
          lines.killRefused(actor, Date.now(), input.process, record.started?.scope.root ?? null),
        );
      throw error;
    }
    await this.#ask(record, { verb: 'kill', actor, reason: input.reason ?? null });
    return record;
  }

  async abandon(input: Parsed<'scripts.abandon'>, actor: Actor): Promise<ScriptRecord> {
    const record = this.#o.register.find(input.ticket);
    if (record.isFinal) return record;
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
    await this.abandonNow(record, actor, input.reason ?? null, input.holdQueue ?? false);
    return record;
  }

  /** Whoever decides it: an operator, or the host for itself. */
  async abandonNow(record: ScriptRecord, actor: Actor, reason: string | null, holdQueue: boolean): Promise<void> {
    const undone = await abandonScript(record, {
      actor,
      reason,
      holdQueue,
      evidence: this.#o.evidence(record),
      mutex: this.#o.custody.mutexOf(record),
      control: this.#o.control,
      withReserve: this.#o.reserve.spend,
    });
    if (undone !== null)
      this.#o.log(
        `W398 ${record.spec.ticket} is abandoned; its record is not complete yet: ${undone}. It is repeated.`,
      );
    this.#o.register.refresh(record);
  }

  /** Sends a request to the runner; carries it out itself when the runner is dead or does not answer. */
  async #ask(record: ScriptRecord, body: Parameters<typeof sendRequest>[1]): Promise<void> {
    const outcome = await sendRequest(
      record,
      {
        ...body,
        evidence: this.#o.evidence(record),
        ...(this.#o.settleMs === undefined ? {} : { settleMs: this.#o.settleMs() }),
      },
      {
        refresh: () => this.#o.register.refresh(record),
        runnerAlive: () =>
          !this.#o.custody.has(record) &&
          record.runner !== null &&
          this.#o.control.liveness(record.runner.runner) !== 'dead',
        onChange: (listener) => this.#o.register.onChange(listener),
        withReserve: this.#o.reserve.spend,
      },
    );
    if (outcome.kind === 'unanswered') {
      if (record.started) this.#o.custody.handle(record, outcome.request);
      else
        throw new UnjamError(
          'not-possible',
          'The runner of this script does not answer, and the script has not started.',
          'Try Abandon, or wait: it is looked at every second.',
        );
    }
    this.#o.register.refresh(record);
  }
}
