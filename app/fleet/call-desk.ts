/** Takes what persons ask of this host through the engine of the fleet, and brings the answers back. */
import { UnjamError } from '../contract/errors.ts';
import type { Reply } from '../contract/methods.ts';
import type { Engine } from './postgres.ts';

/** A longer answer is refused: every answer goes through the engine of all hosts, characters. */
const answerMax = 8_388_608;
/** After an engine has refused to say what is asked, such as one with the schema before calls, ms. */
const restMs = 30_000;

/** What a person asks; the engine says who it is, and whether as an operator of the fleet. */
export interface Call {
  readonly actor: string;
  readonly role: 'operator' | 'viewer';
  readonly method: string;
  readonly input: unknown;
}

type Row = Call & {
  readonly id: string;
  /** So long it may still be begun. */
  readonly left_ms: number;
};

export class CallDesk {
  readonly #engine: Engine;
  readonly #installation: string;
  readonly #answer: (call: Call) => Promise<Reply>;
  #isAsking = false;
  #restsUntil = 0;

  constructor(engine: Engine, installation: string, answer: (call: Call) => Promise<Reply>) {
    this.#engine = engine;
    this.#installation = installation;
    this.#answer = answer;
  }

  /** Takes what is there, and answers each when it is done. Never rejects: the next look comes soon. */
  async look(): Promise<void> {
    if (this.#isAsking || performance.now() < this.#restsUntil) return;
    this.#isAsking = true;
    const askedAt = Date.now();
    try {
      const calls = await this.#engine.query<Row>('select * from unjam.take_calls($1)', [this.#installation]);
      for (const call of calls) void this.#carryOut(call, askedAt);
    } catch (error) {
      if (error instanceof UnjamError) this.#restsUntil = performance.now() + restMs;
    } finally {
      this.#isAsking = false;
    }
  }

  async #carryOut({ id, left_ms, ...call }: Row, askedAt: number): Promise<void> {
    // By the wall clock: a host that slept after it had taken the call has not counted that time otherwise.
    const reply = Date.now() - askedAt > left_ms ? tooLate : await this.#answer(call);
    const text = JSON.stringify(reply);
    const answer = text.length <= answerMax ? text : JSON.stringify(tooLong);
    // Who asked hears "outcome-unknown" when it cannot be told: nothing is carried out a second time.
    await this.#engine.query('select unjam.answer($1, $2)', [id, answer]).catch(() => undefined);
  }
}

const tooLate: Reply = {
  ok: false,
  error: {
    code: 'host-silent',
    message: 'The host came to the call too late. Nothing was done.',
    next: 'Look at the script again, then decide.',
  },
};

const tooLong: Reply = {
  ok: false,
  error: {
    code: 'too-large',
    message: 'The answer is too long for the engine of the fleet.',
    next: 'Ask for less at a time, or look on that host itself.',
  },
};
