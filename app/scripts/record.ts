/** One script as the host knows it: read from its run directory, never authoritative. */
import { statSync } from 'node:fs';
import type { ScriptEvent } from '../domain/events.ts';
import { type Life, newLife, recall } from '../domain/life.ts';
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
const quiet = new Set<ScriptEvent['type']>(['waiting', 'holder-stuck', 'note', 'intent', 'kill-progress']);

/** Coarser than any file system's time stamps that carry state directories. */
const settledMs = 2_500;

export interface Completed {
  readonly removed: boolean;
  readonly warning: string | null;
}

/** Who said "I am on it", wall-clock ms. */
export interface Taken {
  readonly by: string;
  readonly since: number;
  readonly until: number;
}

export class ScriptRecord {
  readonly directory: RunDirectory;
  readonly spec: ScriptSpec;
  verdict: VerdictRecord | null = null;
  tree: TreeRecord | null = null;
  /** Under way, or done: what came to stand in its place meanwhile must not be removed with it. */
  removal: Promise<Completed> | null = null;
  #runner: RunnerRecord | null = null;
  #started: StartedRecord | null = null;
  #exit: ExitRecord | null = null;
  #abandoned: AbandonedRecord | null = null;
  #life: Life = newLife;
  #taken: Taken | null = null;
  #overdueAt: number | null = null;
  #version = 0;
  #offset = 0;
  #changedAt = -1;
  #readSettled = false;
  readonly #seenAt = performance.now();
  #ageWhenSeenMs = 0;
  /** Only tree.json was read, with its copies of spec and verdict: thousands of finished scripts must not slow down a start. */
  #shallow = false;

  constructor(path: string, spec: ScriptSpec) {
    this.directory = new RunDirectory(path);
    this.spec = spec;
  }

  /**
   * Null when the folder holds no readable spec. `isMirrored` tells whether the journal has the whole of a finished
   * run; the rest of such a one is read when somebody looks at it.
   */
  static load(path: string, isMirrored: (runId: string) => boolean): ScriptRecord | null {
    const directory = new RunDirectory(path);
    const last = directory.readTree();
    const spec = last?.spec ?? directory.readSpec();
    if (spec === null) return null;
    const record = new ScriptRecord(path, spec);
    record.#ageWhenSeenMs = Math.max(0, Date.now() - spec.createdAt);
    if (isMirrored(spec.runId)) {
      record.tree = last && { schema: last.schema, emptyAt: last.emptyAt, left: last.left };
      record.verdict = last && (last.verdict ?? directory.readVerdict());
      record.#shallow = record.verdict !== null;
    }
    return record;
  }

  /** Since it was accepted: monotonic from the moment that this host knows it, so that no clock can hold it back. */
  get ageMs(): number {
    return this.#ageWhenSeenMs + performance.now() - this.#seenAt;
  }

  get runner(): RunnerRecord | null {
    return this.#deep().#runner;
  }
  get started(): StartedRecord | null {
    return this.#deep().#started;
  }
  get exit(): ExitRecord | null {
    return this.#deep().#exit;
  }
  get abandoned(): AbandonedRecord | null {
    return this.#deep().#abandoned;
  }
  get life(): Life {
    return this.#deep().#life;
  }
  /** Who is on it; null when nobody is, or that has run out. */
  taken(now: number): Taken | null {
    const taken = this.#deep().#taken;
    return taken === null || now >= taken.until || (this.isFinal && !this.isOrphan) ? null : taken;
  }
  /** How long an end that was begun has been overdue, ms; monotonic from when this host first knew of it. */
  overdueMs(now = performance.now()): number | null {
    return this.#overdueAt === null ? null : now - this.#overdueAt;
  }
  /** Grows with every event that a person may decide on; the same after a restart, because it counts the file. */
  get version(): number {
    return this.#deep().#version;
  }

  /** Reads what is new; returns the new events with their source. */
  refresh(): { event: ScriptEvent; source: string }[] {
    if (this.#shallow) return [];
    const d = this.directory;
    const news = this.#folderChanged();
    if (news) this.#runner ??= d.readRunner();
    // Before the events: it is written after the last of them, so who has it has them all.
    const tree = this.tree ?? (news ? d.readTree() : null);
    const { events, offset } = d.readEvents(this.#offset);
    this.#offset = offset;
    for (const { event } of events) {
      this.#life = recall(this.#life, event);
      if (event.type === 'note' && event.about === 'taken' && event.actor)
        this.#taken = event.until == null ? null : { by: event.actor.user, since: event.at, until: event.until };
      if (!quiet.has(event.type)) this.#version += 1;
    }
    if (this.#life.overdueSince !== null) this.#overdueAt ??= performance.now();
    if (news || events.length > 0) {
      this.#started ??= d.readStarted() ?? this.#tornStart();
      this.#exit ??= d.readExit();
      this.verdict ??= d.readVerdict();
      this.#abandoned ??= d.readAbandoned();
      const left = this.#abandoned?.left ?? [];
      // Nothing else may lead to them any more, least of all after a restart of the host.
      if (this.#started !== null && this.#started.scope.known === undefined && left.length > 0)
        this.#started = { ...this.#started, scope: { ...this.#started.scope, known: left } };
    }
    if (this.verdict !== null) this.tree ??= tree;
    return events.map(({ event, at }) => ({ event, source: `${this.spec.runId}:${at}` }));
  }

  /** False when the folder has got no new file since it was read: then none is asked for, hundreds of times a second. */
  #folderChanged(): boolean {
    const changedAt = statSync(this.directory.path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changedAt === this.#changedAt && this.#readSettled) return false;
    this.#changedAt = changedAt;
    // Within a tick of the file system's clock another file may come under the same time: it is read once more then.
    const age = Date.now() - changedAt;
    this.#readSettled = age > settledMs;
    return true;
  }

  /** A start whose record is damaged: the script is found by its cookie, beside the runner, and not called "never started". */
  #tornStart(): StartedRecord | null {
    const startedAt = this.#runner === null ? null : this.directory.tornStartAt(); // a whole one is read by the next look
    if (this.#runner === null || startedAt === null) return null;
    const scope = { root: this.#runner.runner, runId: this.spec.runId, group: null, job: null };
    return { schema: 1, scope, fence: null, startedAt, waitedMs: 0 };
  }

  #deep(): this {
    if (this.#shallow) {
      this.#shallow = false;
      this.refresh();
    }
    return this;
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
    const { stage, runnerDied } = this.life;
    switch (stage.kind) {
      case 'signalling':
      case 'cancelling':
      case 'ignored':
        return 'cancelling';
      case 'killing':
      case 'unkillable':
        return stage.kind;
      case 'gone':
        return stage.how === 'kill' ? 'killing' : stage.how === 'cancel' ? 'cancelling' : 'running';
      case 'queued':
      case 'starting':
        return stage.kind;
      case 'running':
      case 'final':
        return runnerDied ? 'orphaned' : 'running';
    }
  }

  get endedAt(): number | null {
    return this.#exit?.endedAt ?? this.verdict?.at ?? null;
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
