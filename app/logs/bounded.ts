/**
 * Stops a synchronous step that takes too long. V8's own time-out is the one thing that ends a regular expression which
 * backtracks for ever without a thread or a process of its own per search.
 */
import { createContext, Script, type Context } from 'node:vm';

const enter = /* @__PURE__ */ new Script('step()');

export class BoundedSteps {
  readonly #room: Context = createContext({ step: null });

  /** False when the step was stopped; what it had done by then stays done. */
  run(ms: number, step: () => void): boolean {
    this.#room['step'] = step;
    try {
      enter.runInContext(this.#room, { timeout: ms });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
      throw error;
    }
  }
}
