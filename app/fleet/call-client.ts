/** The contract's client of another host: each call is a row of the engine that the host takes and answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { readAnswer } from '../api/answer.ts';
import { UnjamError } from '../contract/errors.ts';
import { type Client, type Input, type Method, methods, type Output } from '../contract/methods.ts';
import type { Engine } from './postgres.ts';

/** Between two looks for the answer, ms. */
const lookMs = 150;
/** From when a call was taken to its answer, ms; a long poll adds its own wait. */
const answerMs = 60_000;

type State = 'open' | 'taken' | 'answered' | 'expired' | 'gone';

export class CallClient implements Pick<Client, 'call'> {
  readonly #engine: Engine;
  readonly #host: string;

  constructor(engine: Engine, host: string) {
    this.#engine = engine;
    this.#host = host;
  }

  /**
   * `stop` withdraws the call; what a host has taken already goes on there.
   * @throws UnjamError, also for `host-silent`, `outcome-unknown`, `engine-unreachable`, `not-allowed`, `fleet-refused`
   * and `version-mismatch`: another host is not trusted to answer as the contract says
   */
  async call<M extends Method>(method: M, input: Input<M>, stop?: AbortSignal): Promise<Output<M>> {
    const reply = readAnswer(method, await this.#answerTo(method, input, stop));
    if (reply.ok) return reply.value as Output<M>;
    throw UnjamError.from(reply.error);
  }

  close(): void {
    void this.#engine.close();
  }

  async #answerTo(method: Method, input: unknown, stop: AbortSignal | undefined): Promise<string> {
    const id = await this.#ask(method, input);
    const wait = (input as { waitMs?: number } | undefined)?.waitMs ?? 0;
    let taken: number | null = null;
    for (;;) {
      const isLast = stop?.aborted === true;
      if (isLast && (await this.#withdraw(id, method)))
        throw this.#silent('has not taken the call, and it will not be carried out any more');
      const { state, answer } = await this.#look(id, method);
      if (state === 'answered') return answer ?? '';
      if (state === 'expired')
        throw this.#silent('has not taken the call in 30 s, and it will not be carried out any more');
      if (state === 'taken') taken ??= performance.now();
      if (isLast || state === 'gone' || (taken !== null && performance.now() - taken > answerMs + wait))
        throw this.#unanswered(method, this.#silent('has taken the call, and no answer came'));
      await delay(lookMs, undefined, stop && { signal: stop }).catch(() => undefined);
    }
  }

  /** False when the host was first. */
  async #withdraw(id: string, method: Method): Promise<boolean> {
    try {
      const [row] = await this.#engine.query<{ done: boolean }>('select unjam.withdraw($1) as done', [id]);
      return row?.done === true;
    } catch (error) {
      // Also refused, by an engine with the schema before: then a host may still take it.
      throw error instanceof UnjamError ? this.#unanswered(method, error) : this.#away(method, error);
    }
  }

  async #ask(method: Method, input: unknown): Promise<string> {
    try {
      const [row] = await this.#engine.query<{ id: string }>('select unjam.ask($1, $2, $3) as id', [
        this.#host,
        method,
        JSON.stringify(input),
      ]);
      return row?.id ?? '';
    } catch (error) {
      throw this.#away(method, error);
    }
  }

  /** Asks an engine that is away once more: it may be a connection that broke. */
  async #look(id: string, method: Method): Promise<{ readonly state: State; readonly answer: string | null }> {
    const text = 'select state, answer from unjam.answer_of($1)';
    type Row = { readonly state: State; readonly answer: string | null };
    try {
      const [row] = await this.#engine.query<Row>(text, [id]).catch((error: unknown) => {
        if (error instanceof UnjamError) throw error;
        return this.#engine.query<Row>(text, [id]);
      });
      return row ?? { state: 'gone', answer: null };
    } catch (error) {
      throw this.#away(method, error);
    }
  }

  #silent(what: string): UnjamError {
    return new UnjamError(
      'host-silent',
      `"${this.#host}" ${what}.`,
      'See "unjam fleet hosts" whether it is reachable; a host of an older Unjam takes no calls.',
    );
  }

  #away(method: Method, error: unknown): UnjamError {
    if (error instanceof UnjamError) return error;
    const { message } = error as Error;
    const next = 'Nothing was done. See "unjam fleet doctor".';
    return this.#unanswered(method, new UnjamError('engine-unreachable', `${message}.`, next));
  }

  /** `error` for what only reads; of everything else nobody here can say whether it was done. */
  #unanswered(method: Method, error: UnjamError): UnjamError {
    if (methods[method].kind === 'query') return error;
    return new UnjamError(
      'outcome-unknown',
      `${error.message} Whether "${method}" was carried out is not known.`,
      `Look at the script on "${this.#host}", then decide.`,
    );
  }
}
