/** `--cancel-with-caller`: asks for a Cancel, once, when the process that asked for the script has gone. */
import type { RunnerRequest } from '../domain/events.ts';
import { clockTime } from '../domain/durations.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import { unjam, type ScriptSpec } from '../domain/script.ts';
import type { ProcessControl } from '../processes/index.ts';

export class CallerWatch {
  readonly #caller: ProcessIdentity | null;
  readonly #control: Pick<ProcessControl, 'liveness'>;
  #hasGone = false;

  constructor(spec: Pick<ScriptSpec, 'caller'>, control: Pick<ProcessControl, 'liveness'>) {
    this.#caller = spec.caller ?? null;
    this.#control = control;
  }

  /** The request, the first time that the caller is found gone; else null. A caller that cannot be seen has not gone. */
  look(): RunnerRequest | null {
    if (this.#caller === null || this.#hasGone || this.#control.liveness(this.#caller) !== 'dead') return null;
    this.#hasGone = true;
    const { pid, startedAt } = this.#caller;
    return {
      verb: 'cancel',
      id: `caller-${pid}`,
      at: Date.now(),
      actor: unjam,
      reason: `its caller (PID ${pid}, started ${clockTime(startedAt)}) has gone, and --cancel-with-caller was given`,
      signal: null,
      graceMs: null,
      escalate: true,
      evidence: [],
    };
  }
}
