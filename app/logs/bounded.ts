/**
 * Stops a synchronous step that takes too long. V8's own time-out is the one thing that ends a regular expression which
 * backtracks for ever without a thread or a process of its own per search.
 */
import { createContext, Script, type Context } from 'node:vm';

const enter = /* @__PURE__ */ new Script('step()');

export class BoundedSteps {
  readonly #room: Context = createContext({ step: null });

  /**
   * `ms` of the clock. What the step had done when it was stopped stays done. `starved`: it had less than half of that
   * time on a processor, so that its length says nothing about the step.
   */
  run(ms: number, step: () => void): 'done' | 'stopped' | 'starved' {
    this.#room['step'] = step;
    const before = process.cpuUsage();
    try {
      enter.runInContext(this.#room, { timeout: ms });
      return 'done';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000 < ms / 2 ? 'starved' : 'stopped';
    }
  }
}
