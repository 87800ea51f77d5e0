/**
 * Looks at the machine for the pure middle: takes the table of processes, answers what the middle wants, and calls it
 * again. What was read of a process is kept by its identity and forgotten with it.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { variableNames } from '../agents/asking.ts';
import { Forest } from '../agents/forest.ts';
import { type FileKnown, keyOf, type Known, type ProcessAnswers, type Row, type Want } from '../agents/known.ts';
import { observe } from '../agents/observe.ts';
import type { Observation } from '../agents/observed-script.ts';
import type { Recogniser, System } from '../agents/recogniser.ts';
import type { ForeignProcesses, ProcessControl } from '../processes/index.ts';

export interface Look {
  /** When the table was read: wall clock, and `control.now` for everything that is decided by an age. */
  readonly at: number;
  readonly seenAt: number;
  readonly table: readonly Row[];
  readonly forest: Forest;
  readonly observation: Observation;
}

const roundsMax = 8;
const headBytes = 4_096;
/** A folder of an agent may lie on a share that does not answer. */
const fileMs = 2_000;
const entriesMax = 2_000;
/** What a process is told by is final this long after it was seen first: the exec that set it is over. */
const settledAfterMs = 2_000;

export interface ObserverOptions {
  readonly control: ProcessControl;
  readonly foreign: ForeignProcesses;
  readonly recognisers: readonly Recogniser[];
  /** Pid that counts as Unjam's own; the calling process unless told. */
  readonly self?: number;
}

export class Observer {
  readonly self: number;
  readonly system: System;
  readonly #control: ProcessControl;
  readonly #foreign: ForeignProcesses;
  readonly #recognisers: readonly Recogniser[];
  readonly #names: readonly string[];
  /** Of processes old enough. */
  readonly #settled = new Map<string, ProcessAnswers>();
  /** `control.now` when each living process was seen first: its start is told by a clock that somebody may set. */
  #firstSeen = new Map<string, number>();
  #files: Record<string, FileKnown> = {};
  #folders: Record<string, readonly string[] | null> = {};
  #looking: Promise<Look> | null = null;

  constructor(options: ObserverOptions) {
    this.#control = options.control;
    this.#foreign = options.foreign;
    this.#recognisers = options.recognisers;
    this.#names = variableNames(options.recognisers);
    this.self = options.self ?? process.pid;
    this.system = options.control.platform;
  }

  /** A full look with files; two at a time are one. The table may be `tableMs` old. Never rejects for a file. */
  look(tableMs = 0): Promise<Look> {
    this.#looking ??= this.#look(tableMs).finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #look(tableMs: number): Promise<Look> {
    const seenAt = this.#control.now();
    const table = this.#meet(this.#control.snapshot(tableMs), seenAt);
    const forest = new Forest(table);
    const processes: Record<string, ProcessAnswers> = {};
    const files: Record<string, FileKnown> = {};
    const folders: Record<string, readonly string[] | null> = {};
    for (let round = 1; ; round += 1) {
      const at = Date.now();
      const known = this.#known(at, table, processes, files, folders);
      const observation = observe(known, this.#recognisers, forest);
      if (observation.wants.length === 0 || round === roundsMax) {
        this.#files = files;
        this.#folders = folders;
        return { at: at - tableMs, seenAt: seenAt - tableMs, table, forest, observation };
      }
      const ofFiles: Promise<void>[] = [];
      for (const want of observation.wants) {
        if (want.kind === 'file')
          ofFiles.push(readHead(want.path, want.head).then((file) => void (files[want.path] = file)));
        else if (want.kind === 'folder')
          ofFiles.push(readEntries(want.path).then((entries) => void (folders[want.path] = entries)));
        else this.#answer(want, processes, seenAt);
      }
      if (ofFiles.length > 0) await Promise.all(ofFiles);
    }
  }

  /** As `look` with the table of this moment and the files of the last look: what a signal is decided by. */
  lookNow(): Look {
    const seenAt = this.#control.now();
    const table = this.#meet(this.#control.snapshot(), seenAt);
    const forest = new Forest(table);
    const processes: Record<string, ProcessAnswers> = {};
    for (let round = 1; ; round += 1) {
      const at = Date.now();
      const known = this.#known(at, table, processes, this.#files, this.#folders);
      const observation = observe(known, this.#recognisers, forest);
      const asked = observation.wants.filter((want) => want.kind !== 'file' && want.kind !== 'folder');
      if (asked.length === 0 || round === roundsMax) return { at, seenAt, table, forest, observation };
      for (const want of asked) this.#answer(want, processes, seenAt);
    }
  }

  /** Processes that Unjam supervises or that are its own, by `keyOf`, as far as their environments tell. */
  ofUnjam(look: Look): ReadonlySet<string> {
    const own = new Set<string>();
    const members = new Set(look.observation.scripts.flatMap((s) => s.members.map((m) => keyOf(m.identity))));
    for (const row of look.table) {
      const key = keyOf(row.identity);
      const known = this.#settled.get(key)?.variables;
      // Of members nothing older than this moment is believed.
      const variables = members.has(key) ? this.#foreign.variables(row.identity, ['UNJAM_RUN']) : known;
      if (variables?.['UNJAM_RUN'] !== undefined) own.add(key);
    }
    return own;
  }

  #known(
    now: number,
    table: readonly Row[],
    fresh: Record<string, ProcessAnswers>,
    files: Record<string, FileKnown>,
    folders: Record<string, readonly string[] | null>,
  ): Known {
    // One object for both kinds of answers: a process has either settled ones or those of this look.
    const settled = this.#settled;
    const processes = new Proxy(fresh, {
      get: (target, key: string) => target[key] ?? settled.get(key),
    });
    return { now, system: this.system, self: this.self, table, processes, files, folders };
  }

  #answer(
    want: Exclude<Want, { kind: 'file' } | { kind: 'folder' }>,
    fresh: Record<string, ProcessAnswers>,
    now: number,
  ): void {
    const { of } = want;
    const key = keyOf(of);
    const answer: ProcessAnswers =
      want.kind === 'words'
        ? { words: this.#foreign.words(of) }
        : want.kind === 'variables'
          ? { variables: this.#foreign.variables(of, this.#names) }
          : want.kind === 'unit'
            ? { unit: this.#foreign.unit(of) }
            : { user: this.#foreign.user(of) };
    if (now - (this.#firstSeen.get(key) ?? now) > settledAfterMs)
      this.#settled.set(key, { ...this.#settled.get(key), ...answer });
    else fresh[key] = { ...fresh[key], ...answer };
  }

  /** Notes who is new, and forgets who has gone. */
  #meet(table: readonly Row[], now: number): readonly Row[] {
    const firstSeen = new Map<string, number>();
    for (const { identity } of table) {
      const key = keyOf(identity);
      firstSeen.set(key, this.#firstSeen.get(key) ?? now);
    }
    for (const key of this.#settled.keys()) if (!firstSeen.has(key)) this.#settled.delete(key);
    this.#firstSeen = firstSeen;
    return table;
  }
}

/** Size, time and, where wanted, the first 4 KB. */
async function readHead(path: string, head: boolean): Promise<FileKnown> {
  const read = async (): Promise<FileKnown> => {
    try {
      const found = await stat(path);
      const answer = { bytes: found.size, changedAt: Math.round(found.mtimeMs), head: null };
      if (!head || !found.isFile()) return { ...answer, head: head ? '' : null };
      const file = await open(path);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
        return { ...answer, head: buffer.toString('utf8', 0, bytesRead) };
      } finally {
        await file.close();
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      return code === 'ENOENT' || code === 'ENOTDIR' ? null : 'unreadable';
    }
  };
  return inTime(read(), 'unreadable');
}

function readEntries(path: string): Promise<readonly string[] | null> {
  return inTime(
    readdir(path).then(
      (entries) => entries.slice(-entriesMax),
      () => null,
    ),
    null,
  );
}

async function inTime<T>(work: Promise<T>, otherwise: T): Promise<T> {
  const ended = new AbortController();
  const late = delay(fileMs, otherwise, { signal: ended.signal, ref: false }).catch(() => otherwise);
  try {
    return await Promise.race([work, late]);
  } finally {
    ended.abort();
  }
}
