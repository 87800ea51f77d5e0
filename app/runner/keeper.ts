/** Puts back what somebody has removed while a script runs (a clean-up job, a person): its hold and its files. */
import * as lines from '../domain/lines.ts';
import type { Hold } from '../domain/mutex.ts';
import type { RunnerRecord, ScriptSpec, StartedRecord } from '../domain/script.ts';
import { remake } from '../ladder/remake.ts';
import type { ScriptLog } from '../ladder/script-log.ts';
import type { Mutex } from '../locks/index.ts';
import type { ProcessControl } from '../processes/index.ts';

export interface KeeperContext {
  readonly spec: ScriptSpec;
  readonly control: ProcessControl;
  readonly log: ScriptLog;
  readonly mutex: Mutex | null;
  readonly isAbandoned: () => boolean;
  /** False while the script is being ended: the events that told it are lost, and it must not look untouched. */
  readonly isRunning: () => boolean;
}

export class Keeper {
  readonly #c: KeeperContext;
  /** Null until it is claimed. */
  runner: RunnerRecord | null = null;
  started: StartedRecord | null = null;
  hold: Hold | null = null;
  /** From its verdict on it holds nothing, and somebody may complete it. */
  isOver = false;

  constructor(context: KeeperContext) {
    this.#c = context;
  }

  /** Called every second. Never throws. */
  async look(): Promise<void> {
    this.isOver ||= this.#c.isAbandoned();
    if (this.isOver || this.runner === null) return;
    try {
      await this.remake();
      if (this.hold) await this.#c.mutex?.heal(this.hold);
    } catch {
      // A full disk, or the state directory is another's now: it is tried again.
    }
  }

  /** Makes what is missing in the run directory. @throws when it cannot be, or the state directory is another's now */
  readonly remake = async (): Promise<void> => {
    const { spec, control, log } = this.#c;
    const { started } = this;
    const missing = await remake(log.directory, { spec, runner: this.runner, started });
    if (missing.length === 0) return;
    if (started && missing.some((name) => name.endsWith('.log'))) control.reopenOutput?.(started.scope);
    log.append({ type: 'note' }, lines.filesRemoved(missing));
    if (!missing.includes('spec.json')) return; // its events are there as well
    if (started && this.#c.isRunning()) log.append({ type: 'started', pid: started.scope.root.pid });
    else if (this.hold === null && spec.isolation) log.append({ type: 'queued', mutex: spec.isolation.mutex });
  };
}
