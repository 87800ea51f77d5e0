/**
 * The scripts that this host knows: reads what is new in their run directories, mirrors it into the journal and the
 * host's log, and tells whoever watches. Holds nothing that is not on disk.
 */
import { type FSWatcher, watch } from 'node:fs';
import { UnjamError } from '../contract/errors.ts';
import { type Usual, usualOf } from '../domain/estimate.ts';
import type { EventBody, ScriptEvent } from '../domain/events.ts';
import { type HostLog, pidsOf } from '../domain/host-log.ts';
import * as lines from '../domain/lines.ts';
import { nameKey } from '../domain/names.ts';
import type { Journal } from '../journal/journal.ts';
import type { Completions } from './completions.ts';
import type { ScriptRecord } from './record.ts';
import { Tally } from './tally.ts';

const key = (record: ScriptRecord): string => nameKey(record.spec.ticket);

export class Register {
  readonly tally = new Tally();
  readonly #journal: Journal;
  readonly #log: HostLog;
  readonly #records = new Map<string, ScriptRecord>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #finalWaiters = new Map<string, Set<() => void>>();
  readonly #listeners = new Set<() => void>();
  readonly #usual = new Map<string, Usual | null>();
  readonly #completions: Completions;
  /** Whose last word was seen and whose runner may still be ending: it, or who kills it, leaves temporary files. */
  readonly over = new Set<ScriptRecord>();

  constructor(journal: Journal, log: HostLog, completions: Completions) {
    this.#journal = journal;
    this.#log = log;
    this.#completions = completions;
  }

  /** By ticket, lower case. */
  get records(): ReadonlyMap<string, ScriptRecord> {
    return this.#records;
  }

  get all(): ScriptRecord[] {
    return [...this.#records.values()];
  }

  /** Scripts without a verdict, and orphans. */
  get living(): ScriptRecord[] {
    return this.all.filter((r) => !r.isFinal || r.isOrphan);
  }

  add(record: ScriptRecord): void {
    this.#records.set(key(record), record);
  }

  /** Its ticket may be another script's by now: that one stays. */
  forget(record: ScriptRecord): void {
    if (this.#records.get(key(record)) !== record) return;
    this.stopWatching(record);
    this.#records.delete(key(record));
    this.changed();
  }

  /** @throws UnjamError `unknown-ticket` */
  find(ticket: string): ScriptRecord {
    const record = this.#records.get(nameKey(ticket));
    if (!record)
      throw new UnjamError(
        'unknown-ticket',
        `There is no script with the ticket "${ticket}" (result code -45).`,
        'List tickets with "unjam ps --all".',
        'ticket',
      );
    this.refresh(record);
    return record;
  }

  watch(record: ScriptRecord): void {
    if (this.#watchers.has(key(record))) return;
    try {
      // The events file alone: a watch on the folder would also see, and slow down, the script's own writes.
      const watcher = watch(record.directory.eventsPath, () => this.#look(record));
      watcher.on('error', () => this.stopWatching(record)); // the supervisor looks every second
      this.#watchers.set(key(record), watcher);
    } catch {
      // The supervisor looks every second.
    }
  }

  /** For callbacks of the system: what cannot be read now is read by the next look. */
  #look(record: ScriptRecord): void {
    try {
      this.refresh(record);
    } catch (error) {
      this.#log(`W396 ${record.spec.ticket} could not be read: ${(error as Error).message}. It will be tried again.`, {
        ticket: record.spec.ticket,
      });
    }
  }

  /** False also where the system gave no watch. */
  isWatched(record: ScriptRecord): boolean {
    return this.#watchers.has(key(record));
  }

  stopWatching(record: ScriptRecord): void {
    this.#watchers.get(key(record))?.close();
    this.#watchers.delete(key(record));
  }

  /** Reads what is new; while `recovering` it was told before and is only mirrored. */
  refresh(record: ScriptRecord, recovering = false): void {
    const wasFinal = record.isFinal;
    const wasOver = record.tree !== null;
    const news = record.refresh();
    for (const { event, source } of news) {
      if (!recovering) this.tally.take(event);
      this.#mirror(record, event, source, recovering);
    }
    if (record.isFinal && !wasFinal) this.#becameFinal(record);
    else if (record.isFinal && recovering) this.#deliver(record); // the host before may have died over it
    if (record.isFinal && record.tree !== null) {
      this.stopWatching(record); // the line of the verdict comes after it
      if (!wasOver && !recovering) this.over.add(record);
    }
    if (news.length > 0) this.changed();
  }

  append(record: ScriptRecord, body: EventBody, line?: lines.Line): void {
    try {
      record.directory.append('host', body, line);
    } catch (error) {
      const { ticket } = record.spec;
      this.#log(
        `W397 A line could not be written into the log of ${ticket}: ${(error as Error).message}. ${line?.text ?? ''}`,
        { ticket },
      );
    }
  }

  /** Calls `listener` after every change. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Somebody wants to know of changes: a console, a terminal that follows. */
  get isObserved(): boolean {
    return this.#listeners.size > 0;
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves when the script is final, or after `ms`. */
  async untilFinal(record: ScriptRecord, ms: number): Promise<void> {
    if (record.isFinal) return;
    await new Promise<void>((resolve) => {
      const waiters = this.#finalWaiters.get(key(record)) ?? new Set();
      this.#finalWaiters.set(key(record), waiters);
      const done = (): void => {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiters.add(done);
    });
  }

  /** Of the last 20 successes of that name. */
  usual(name: string): Usual | null {
    const known = this.#usual.get(name);
    if (known !== undefined) return known;
    const usual = usualOf(this.#journal.successes(name));
    this.#usual.set(name, usual);
    return usual;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #becameFinal(record: ScriptRecord): void {
    for (const done of [...(this.#finalWaiters.get(key(record)) ?? [])]) done();
    this.#finalWaiters.delete(key(record));
    const { verdict, spec } = record;
    if (verdict?.kind === 'exited' && verdict.exitCode === 0 && verdict.durationMs !== null) {
      this.#journal.recordSuccess(spec.name, verdict.at, verdict.durationMs);
      this.#usual.delete(spec.name);
    }
    this.#deliver(record);
  }

  #deliver(record: ScriptRecord): void {
    this.#completions.deliver(record, (line) => {
      this.append(record, { type: 'note' }, line);
      this.#look(record);
    });
  }

  #mirror(record: ScriptRecord, event: ScriptEvent, source: string, recovering: boolean): void {
    if (event.text === undefined && event.type !== 'started' && event.type !== 'final') return;
    const { spec } = record;
    const actor = event.type === 'final' ? event.verdict.actor : 'actor' in event ? (event.actor ?? null) : null;
    this.#journal.append({
      at: event.at,
      ticket: spec.ticket,
      name: spec.name,
      mutex: spec.isolation?.mutex ?? null,
      who: actor?.user ?? 'unjam',
      via: actor?.via ?? 'unjam',
      kind: event.type === 'note' ? (event.about ?? 'note') : event.type,
      code: event.code ?? null,
      text: event.text ?? plainText(event),
      source,
      data: { evidence: 'evidence' in event ? event.evidence : [], process: record.started?.scope.root ?? null },
    });
    if (!recovering && event.text !== undefined)
      this.#log(`${event.code} ${spec.name} [${spec.ticket}]: ${event.text}`, {
        ticket: spec.ticket,
        name: spec.name,
        mutex: spec.isolation?.mutex ?? null,
        pids: pidsOf(event, record.started?.scope.root.pid ?? null),
      });
  }
}

function plainText(event: ScriptEvent): string {
  if (event.type === 'started') return `Started as PID ${event.pid}.`;
  if (event.type !== 'final') return '';
  return `Final: ${event.verdict.kind}, ${lines.exitText({ code: event.verdict.exitCode, signal: event.verdict.signal })}.`;
}
