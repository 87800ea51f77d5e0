/** One script as the host knows it: read from its run directory, never authoritative. */
import { statSync } from 'node:fs';
import type { ScriptEvent } from '../domain/events.ts';
import { advance, noProgress, type Progress } from '../domain/progress.ts';
import type {
  AbandonedRecord,
  ExitRecord,
  RunnerRecord,
  ScriptSpec,
  ScriptState,
  StartedRecord,
  TreeRecord,
  VerdictRecord,
} from '../domain/script.ts';
import { fileSize, RunDirectory } from '../run-directory/run-directory.ts';

/** Events that change nothing a person decides on. */
const quiet = new Set<ScriptEvent['type']>(['waiting', 'note', 'intent', 'kill-progress', 'first-output']);

export class ScriptRecord {
  readonly directory: RunDirectory;
  readonly spec: ScriptSpec;
  runner: RunnerRecord | null = null;
  started: StartedRecord | null = null;
  exit: ExitRecord | null = null;
  verdict: VerdictRecord | null = null;
  abandoned: AbandonedRecord | null = null;
  tree: TreeRecord | null = null;
  progress: Progress = noProgress;
  /** Grows with every event that a person may decide on; the same after a restart, because it counts the file. */
  version = 0;
  /** The runner is dead and the host watches the tree itself. */
  adopted = false;
  #offset = 0;

  constructor(path: string, spec: ScriptSpec) {
    this.directory = new RunDirectory(path);
    this.spec = spec;
  }

  /** Null when the folder holds no readable spec. */
  static load(path: string): ScriptRecord | null {
    const spec = new RunDirectory(path).readSpec();
    return spec === null ? null : new ScriptRecord(path, spec);
  }

  /** Reads what is new; returns the new events with their source. */
  refresh(): { event: ScriptEvent; source: string }[] {
    const d = this.directory;
    this.runner ??= d.readRunner();
    const { events, offset } = d.readEvents(this.#offset);
    this.#offset = offset;
    for (const { event } of events) {
      this.progress = advance(this.progress, event);
      if (!quiet.has(event.type)) this.version += 1;
    }
    if (events.length > 0 || this.verdict === null) {
      this.started ??= d.readStarted();
      this.exit ??= d.readExit();
      this.verdict ??= d.readVerdict();
      this.abandoned ??= d.readAbandoned();
    }
    if (this.verdict !== null) this.tree ??= d.readTree();
    return events.map(({ event, at }) => ({ event, source: `${this.spec.runId}:${at}` }));
  }

  get isFinal(): boolean {
    return this.verdict !== null;
  }

  /** Abandoned, and not yet proven gone. */
  get isOrphan(): boolean {
    return this.verdict?.kind === 'abandoned' && this.tree === null && this.started !== null;
  }

  get state(): ScriptState {
    if (this.verdict !== null) return 'final';
    if (this.runner === null) return 'starting';
    switch (this.progress.stage.kind) {
      case 'cancelling':
      case 'cancel-ignored':
        return 'cancelling';
      case 'killing':
        return 'killing';
      case 'unkillable':
        return 'unkillable';
      default:
        return this.adopted ? 'orphaned' : this.progress.stage.kind;
    }
  }

  get endedAt(): number | null {
    return this.exit?.endedAt ?? this.verdict?.at ?? null;
  }

  /** When the script last wrote, wall-clock ms; null when it has written nothing. */
  lastOutputAt(): number | null {
    const sizes = [fileSize(this.directory.stdoutPath), fileSize(this.directory.stderrPath)];
    const times = sizes.filter((s) => s.bytes > 0).map((s) => s.changedAt ?? 0);
    return times.length === 0 ? null : Math.max(...times);
  }

  logBytes(): number {
    return fileSize(this.directory.stdoutPath).bytes + fileSize(this.directory.stderrPath).bytes;
  }

  heartbeatAt(): number | null {
    return statSync(this.directory.heartbeatPath, { throwIfNoEntry: false })?.mtimeMs ?? null;
  }
}
