/**
 * The run directory: the durable contract between a script's runner and every host. Who writes what, once:
 *
 *   spec.json       host    what was asked for, before the runner exists
 *   runner.json     runner  its identity, before the start is acknowledged
 *   started.json    runner  the script's identity, before its first instruction
 *   exit.json       runner  the raw exit status, also after an abandon
 *   verdict.json    first   the final outcome; created exactly once by whoever is first
 *   abandoned.json  host    who released the mutex of a living script
 *   tree.json       runner  when the tree was proven empty, or who was left; with a copy of spec and verdict
 *   delivered.json  host    that the completion was delivered
 *
 * and, growing: stdout.log and stderr.log (written by the script itself), events.ndjson (appended by both),
 * index (times and sizes of the logs), heartbeat (its mtime), requests/ (what operators ask of the runner).
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { EventBody, RunnerRequest, ScriptEvent } from '../domain/events.ts';
import type { Line } from '../domain/lines.ts';
import { randomHex } from '../domain/random.ts';
import type {
  AbandonedRecord,
  ExitRecord,
  RunnerRecord,
  ScriptSpec,
  StartedRecord,
  TreeRecord,
  VerdictRecord,
} from '../domain/script.ts';
import { createOnce, createOnceInBackground, isTorn, readOnce } from './atomic-file.ts';
import {
  parseAbandoned,
  parseDelivered,
  parseEvent,
  parseExit,
  parseRequest,
  parseRunner,
  parseSpec,
  parseStarted,
  parseTree,
  parseVerdict,
} from './schemas.ts';

/** Bumped when an older runner and a newer host (or the reverse) no longer understand each other's files. */
export const runnerProtocol = 1;

export class RunDirectory {
  readonly path: string;
  /** Which file the events were read from. */
  #eventsFile: string | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws EEXIST when the ticket has a run directory already. */
  create(): void {
    mkdirSync(this.path, { mode: 0o700 });
    mkdirSync(this.requestsPath, { mode: 0o700 });
  }

  get stdoutPath(): string {
    return join(this.path, 'stdout.log');
  }
  get stderrPath(): string {
    return join(this.path, 'stderr.log');
  }
  get eventsPath(): string {
    return join(this.path, 'events.ndjson');
  }
  get indexPath(): string {
    return join(this.path, 'index');
  }
  get heartbeatPath(): string {
    return join(this.path, 'heartbeat');
  }
  get requestsPath(): string {
    return join(this.path, 'requests');
  }

  readSpec(): ScriptSpec | null {
    return readOnce(join(this.path, 'spec.json'), parseSpec);
  }
  /** The host waits for the disk beside everything else that it does: a start must not hold up a Force Kill. */
  writeSpec(spec: ScriptSpec): Promise<boolean> {
    return createOnceInBackground(join(this.path, 'spec.json'), spec);
  }
  readRunner(): RunnerRecord | null {
    return readOnce(join(this.path, 'runner.json'), parseRunner);
  }
  /** False when somebody was first: a host that has given the runner up, for instance. Then the script must not run. */
  writeRunner(record: RunnerRecord): boolean {
    return createOnce(join(this.path, 'runner.json'), record, 'unsynced');
  }
  readStarted(): StartedRecord | null {
    return readOnce(join(this.path, 'started.json'), parseStarted);
  }
  /** When a started.json that exists and cannot be parsed was written; null when there is none, or a whole one. */
  tornStartAt(): number | null {
    return isTorn(join(this.path, 'started.json')) ? fileSize(join(this.path, 'started.json')).changedAt : null;
  }
  writeStarted(record: StartedRecord): boolean {
    // Synced: after a power cut "never started" must be true of a script that has no such file.
    return createOnce(join(this.path, 'started.json'), record, 'synced');
  }
  readExit(): ExitRecord | null {
    return readOnce(join(this.path, 'exit.json'), parseExit);
  }
  writeExit(record: ExitRecord): boolean {
    return createOnce(join(this.path, 'exit.json'), record, 'synced');
  }
  readVerdict(): VerdictRecord | null {
    return readOnce(join(this.path, 'verdict.json'), parseVerdict);
  }
  /** False when another verdict was first: that one holds. */
  writeVerdict(record: VerdictRecord): boolean {
    return createOnce(join(this.path, 'verdict.json'), record, 'synced');
  }
  readAbandoned(): AbandonedRecord | null {
    return readOnce(join(this.path, 'abandoned.json'), parseAbandoned);
  }
  writeAbandoned(record: AbandonedRecord): boolean {
    return createOnce(join(this.path, 'abandoned.json'), record, 'synced');
  }
  readTree(): TreeRecord | null {
    return readOnce(join(this.path, 'tree.json'), parseTree);
  }
  /** The last word: with a copy of what never changes any more, so that one file tells a starting host of a finished run. */
  writeTree(record: Omit<TreeRecord, 'spec' | 'verdict'>): boolean {
    const whole: TreeRecord = { ...record, spec: this.readSpec(), verdict: this.readVerdict() };
    return createOnce(join(this.path, 'tree.json'), whole, 'unsynced');
  }
  /** The completion id that was delivered, or null. */
  readDelivered(): { readonly completionId: string } | null {
    return readOnce(join(this.path, 'delivered.json'), parseDelivered);
  }
  writeDelivered(completionId: string, at: number): boolean {
    return createOnce(join(this.path, 'delivered.json'), { schema: 1, completionId, at }, 'synced');
  }

  /** Appends one event; a single write of one line, so that lines of several writers do not mix. */
  append(by: ScriptEvent['by'], body: EventBody, line?: Line, at = Date.now()): ScriptEvent {
    const event: ScriptEvent = { ...body, at, by, ...line };
    const file = openSync(this.eventsPath, 'a+', 0o600);
    try {
      // A line that a full disk has cut short is ended first: it must not swallow this one.
      const { size } = fstatSync(file);
      const last = Buffer.alloc(1);
      const torn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 10;
      const bytes = Buffer.from(`${torn ? '\n' : ''}${JSON.stringify(event)}\n`);
      const written = writeSync(file, bytes);
      if (written < bytes.length)
        throw Object.assign(new Error(`ENOSPC: ${written} of ${bytes.length} bytes were written`), { code: 'ENOSPC' });
    } finally {
      closeSync(file);
    }
    return event;
  }

  /** Events from byte `offset` on; an unfinished last line is left for the next call. */
  readEvents(offset: number): { events: PlacedEvent[]; offset: number } {
    const stat = statSync(this.eventsPath, { throwIfNoEntry: false });
    const size = stat?.size ?? 0;
    if (stat) {
      // Somebody removed the file, and it was made anew: then it begins again.
      const file = `${stat.ino}.${stat.birthtimeMs}`;
      if (this.#eventsFile !== null && this.#eventsFile !== file) offset = 0;
      this.#eventsFile = file;
    }
    if (size <= offset) return { events: [], offset };
    const file = openSync(this.eventsPath, 'r');
    try {
      const buffer = Buffer.allocUnsafe(size - offset);
      const read = readSync(file, buffer, 0, buffer.length, offset);
      const end = buffer.subarray(0, read).lastIndexOf(10) + 1;
      return { events: parseLines(buffer.subarray(0, end), offset), offset: offset + end };
    } finally {
      closeSync(file);
    }
  }

  /** Leaves a request for the runner; complete when it appears. */
  request(request: RunnerRequest): void {
    const name = `${request.id}.json`;
    const temporary = join(this.path, `${name}.${process.pid}.${randomHex(8)}.tmp`);
    try {
      writeFileSync(temporary, JSON.stringify(request), { mode: 0o600 });
      renameSync(temporary, join(this.requestsPath, name));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Takes the requests that wait, oldest first. Each is removed before it is answered: a runner answers once. */
  takeRequests(): RunnerRequest[] {
    const requests: RunnerRequest[] = [];
    for (const name of this.#requestNames()) {
      const path = join(this.requestsPath, name);
      try {
        const request = parseRequest(JSON.parse(readFileSync(path, 'utf8')));
        if (request === null) continue; // it stays: the host takes it back and acts itself
        unlinkSync(path); // refused while a scanner has it open: it is taken on the next look then
        requests.push(request);
      } catch {
        // Withdrawn between listing and reading.
      }
    }
    return requests;
  }

  #requestNames(): string[] {
    try {
      return readdirSync(this.requestsPath).sort();
    } catch {
      return []; // removed, or no descriptor is left: the next look tries again
    }
  }

  /** Takes back a request that the runner has not taken; false when it has. */
  withdraw(id: string): boolean {
    try {
      unlinkSync(join(this.requestsPath, `${id}.json`));
      return true;
    } catch {
      return false;
    }
  }
}

/** An event and the byte at which its line begins: the same after any restart. */
export interface PlacedEvent {
  readonly event: ScriptEvent;
  readonly at: number;
}

function parseLines(bytes: Buffer, base: number): PlacedEvent[] {
  const events: PlacedEvent[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from);
    try {
      const event = parseEvent(JSON.parse(bytes.toString('utf8', from, end)));
      if (event !== null) events.push({ event, at: base + from });
    } catch {
      // A torn line (power cut, full disk): the next one is whole again.
    }
    from = end + 1;
  }
  return events;
}

/** Bytes of a file, 0 when it is absent, and when it was last written (wall-clock ms). */
export function fileSize(path: string): { bytes: number; changedAt: number | null } {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? { bytes: stat.size, changedAt: stat.mtimeMs } : { bytes: 0, changedAt: null };
}
