/**
 * The host in place of a runner that died (or does not answer): watches the script's tree, carries out requests,
 * and tells when nothing of it is left. The exit code is out of reach then.
 */
import type { RunnerRequest } from '../domain/events.ts';
import type { MutexFacts } from '../domain/lines.ts';
import { LogIndexer } from '../logs/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { type Cause, Ending, type EndSummary, ScriptLog } from '../runner/index.ts';
import type { ScriptRecord } from './record.ts';

const pollMs = 500;

export interface AdoptionContext {
  readonly record: ScriptRecord;
  readonly control: ProcessControl;
  readonly killDisabled: boolean;
  readonly mutexFacts: () => MutexFacts | null;
  /** Called once, when the tree is proven empty. `forced` says how, when somebody ended it through the host. */
  readonly onGone: (forced: { cause: Cause; summary: EndSummary } | null) => void;
}

export class Adoption {
  readonly #ending: Ending;
  readonly #timer: NodeJS.Timeout;
  readonly #indexer: LogIndexer;
  #rootEndedAt: number | null = null;
  #over = false;

  constructor(c: AdoptionContext) {
    const { record, control } = c;
    const scope = record.started?.scope;
    if (!scope) throw new Error('Only a started script can be adopted.');
    this.#indexer = new LogIndexer(record.directory, () => undefined);
    const gone = (forced: { cause: Cause; summary: EndSummary } | null): void => {
      if (this.#over) return;
      this.close();
      c.onGone(forced);
    };
    this.#ending = new Ending({
      control,
      scope,
      log: new ScriptLog(record.directory, this.#indexer, 'host'),
      killDisabled: c.killDisabled,
      graceMs: record.spec.cancel.graceMs,
      signal: record.spec.cancel.signal,
      mutexFacts: c.mutexFacts,
      rootExit: () => {
        if (control.liveness(scope.root) === 'dead') this.#rootEndedAt ??= Date.now();
        return this.#rootEndedAt === null ? null : { code: null, signal: null, at: this.#rootEndedAt };
      },
      onEmpty: (cause, summary) => gone({ cause, summary }),
    });
    this.look();
    this.#timer = setInterval(() => {
      this.#indexer.look();
      if (this.#ending.active) this.#ending.rootExited();
      else if (control.treeLiveness(scope) === 'dead') gone(null);
    }, pollMs);
  }

  /** Gives a line that was just appended its place among the script's output. */
  look(): void {
    this.#indexer.look(true);
  }

  handle(request: RunnerRequest): void {
    this.#ending.handle(request);
  }

  close(): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.look();
  }
}
