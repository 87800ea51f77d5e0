/** Which scripts the state directory has: all of them when a host opens, and later what others put there or removed. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { HostLog } from '../domain/host-log.ts';
import * as lines from '../domain/lines.ts';
import { nameKey } from '../domain/names.ts';
import { maskValues } from '../domain/redact.ts';
import type { Journal } from '../journal/journal.ts';
import { remake } from '../ladder/remake.ts';
import type { ProcessControl } from '../processes/index.ts';
import { sweepTemporaries } from '../run-directory/atomic-file.ts';
import { makeFolder } from '../run-directory/disk.ts';
import { runnerProtocol } from '../run-directory/run-directory.ts';
import { ScriptRecord } from './record.ts';
import type { Register } from './register.ts';

interface RunFoldersOptions {
  readonly stateDirectory: string;
  /** The folder of the run directories. */
  readonly path: string;
  readonly control: ProcessControl;
  readonly journal: Journal;
  readonly register: Register;
  /** A run directory that this host is making. */
  readonly isStarting: (folder: string) => boolean;
  readonly runnerIsDead: (record: ScriptRecord) => boolean;
  readonly log: HostLog;
}

/** Coarser than any file system's time stamps that carry state directories. */
const settledMs = 2_500;

export class RunFolders {
  readonly #o: RunFoldersOptions;
  readonly #openedAt = Date.now();
  #changedAt = -1;

  constructor(options: RunFoldersOptions) {
    this.#o = options;
  }

  /** Adopts every script that is there. */
  open(): void {
    const { stateDirectory, path, journal } = this.#o;
    makeFolder(path);
    this.#sweep(stateDirectory);
    const finished = journal.finished();
    journal.together(() => {
      for (const folder of readdirSync(path)) {
        const record = ScriptRecord.load(join(path, folder), (runId) => finished.has(runId));
        if (record) this.#recover(record);
      }
    });
  }

  #recover(record: ScriptRecord): void {
    this.#o.register.add(record);
    // The note of a delivery is written after everything else.
    if (!record.isFinal || record.spec.notify !== null) this.#sweep(record.directory.path);
    this.#o.register.refresh(record, true);
    if (record.isFinal && !record.isOrphan) return;
    this.#o.register.watch(record);
    this.#maskAgain(record);
    if (record.runner && this.#o.control.liveness(record.runner.runner) === 'alive') {
      if (record.runner.protocol > runnerProtocol)
        this.#o.log(
          `W305 The runner of ${record.spec.ticket} speaks a newer protocol (${record.runner.protocol}); this host only watches it.`,
          { ticket: record.spec.ticket, name: record.spec.name },
        );
      const line = lines.recovered(
        this.#openedAt,
        record.started?.scope.root ?? null,
        record.spec.ticket,
        record.spec.isolation?.mutex ?? null,
      );
      this.#o.register.append(record, { type: 'note' }, line);
    }
  }

  /** Its values were never on the disk: the script's own processes still have them. */
  #maskAgain({ spec, started }: ScriptRecord): void {
    const { control } = this.#o;
    if (!spec.maskEnv || !started) return;
    for (const { identity } of control.tree(started.scope)) {
      const environment = control.environmentOf?.(identity);
      if (environment) return maskValues(spec.runId, spec.maskEnv, environment);
    }
  }

  /** Run directories come and go only by this host, or when somebody exchanges the state directory or removes them. */
  look(): void {
    if (!existsSync(this.#o.stateDirectory)) return;
    makeFolder(this.#o.path);
    const changedAt = statSync(this.#o.path).mtimeMs;
    if (changedAt === this.#changedAt && Date.now() - changedAt > settledMs) return;
    this.#changedAt = changedAt;
    const folders = new Set(readdirSync(this.#o.path));
    for (const folder of folders) {
      if (this.#o.register.records.has(folder) || this.#o.isStarting(folder)) continue;
      const record = ScriptRecord.load(join(this.#o.path, folder), () => false);
      if (record) this.#recover(record);
    }
    for (const record of this.#o.register.all)
      if (record.isFinal && !record.isOrphan && !folders.has(basename(record.directory.path)))
        this.#o.register.forget(record);
  }

  /** The run directory of a script whose runner cannot do it any more. */
  async remake(record: ScriptRecord): Promise<void> {
    if (!this.#o.runnerIsDead(record) || record.state === 'starting') return;
    const missing = await remake(record.directory, record);
    if (missing.length > 0) this.#o.register.append(record, { type: 'note' }, lines.filesRemoved(missing));
  }

  /** Tidies the run directories of scripts that are over, once their runner has gone. */
  sweepOver(): void {
    for (const record of this.#o.register.over) {
      if (record.runner && this.#o.control.liveness(record.runner.runner) === 'alive') continue;
      this.#o.register.over.delete(record);
      if (this.#o.register.records.get(nameKey(record.spec.ticket)) === record) this.#sweep(record.directory.path);
    }
  }

  #sweep(folder: string): void {
    sweepTemporaries(folder, (pid) => this.#o.control.identify(pid) !== null);
  }
}
