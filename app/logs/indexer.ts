/**
 * Writes the index of a script's logs: one line `time stdout stderr events` (wall-clock ms and file sizes) whenever
 * the files have grown. It gives times and an order to two files that the script writes by itself, without a pipe
 * in the way. A watch is only an edge trigger and closed while output flows: watching a fast writer slowed it 2.7
 * times, a poll does not (locks.md 6).
 */
import { appendFileSync, closeSync, openSync, readSync, watch, type FSWatcher } from 'node:fs';
import { fileSize } from '../run-directory/run-directory.ts';

interface LogPaths {
  readonly path: string;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly eventsPath: string;
  readonly indexPath: string;
}

/** A follower sees a line within about one poll; each costs three stat(2) of 1 µs. */
const pollMs = 15;
/** After so many polls without growth a line without its end is shown as well, and after so many the watch takes over again. */
const restPolls = 4;
const quietPolls = 33;
const watched = new Set(['stdout.log', 'stderr.log', 'events.ndjson']);
const lookBackBytes = 65_536;

export class LogIndexer {
  readonly #paths: LogPaths;
  readonly #onOutput: () => void;
  #watcher: FSWatcher | null = null;
  #poll: NodeJS.Timeout | null = null;
  #idle = 0;
  #closed = false;
  #indexed = { stdout: 0, stderr: 0, events: 0 };
  #seen = { stdout: 0, stderr: 0, events: 0 };

  constructor(paths: LogPaths, onOutput: () => void) {
    this.#paths = paths;
    this.#onOutput = onOutput;
  }

  start(): void {
    this.#arm();
    this.look();
  }

  /** Looks at the sizes once and indexes what is new. `whole` also indexes a last line without a line feed. */
  look(whole = false): boolean {
    const seen = {
      stdout: fileSize(this.#paths.stdoutPath).bytes,
      stderr: fileSize(this.#paths.stderrPath).bytes,
      events: fileSize(this.#paths.eventsPath).bytes,
    };
    const grown = seen.stdout !== this.#seen.stdout || seen.stderr !== this.#seen.stderr;
    const changed = grown || seen.events !== this.#seen.events;
    this.#seen = seen;
    if (grown) this.#onOutput();
    const next = whole
      ? seen
      : {
          stdout: lineEnd(this.#paths.stdoutPath, this.#indexed.stdout, seen.stdout),
          stderr: lineEnd(this.#paths.stderrPath, this.#indexed.stderr, seen.stderr),
          events: seen.events,
        };
    if (
      next.stdout !== this.#indexed.stdout ||
      next.stderr !== this.#indexed.stderr ||
      next.events !== this.#indexed.events
    ) {
      try {
        appendFileSync(this.#paths.indexPath, `${Date.now()} ${next.stdout} ${next.stderr} ${next.events}\n`, {
          mode: 0o600,
        });
        this.#indexed = next;
      } catch {
        // A full disk: the log itself is still written by the script; the next look catches up.
      }
    }
    return changed;
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    if (this.#poll) clearInterval(this.#poll);
    this.look(true);
  }

  #arm(): void {
    if (this.#closed) return;
    try {
      this.#watcher = watch(this.#paths.path, (_event, file) => {
        if (file === null || watched.has(file)) this.#wake();
      });
      this.#watcher.on('error', () => undefined);
    } catch {
      this.#wake(); // no watch to be had: poll for good
    }
  }

  #wake(): void {
    if (this.#poll || this.#closed) return;
    this.#watcher?.close();
    this.#watcher = null;
    this.#idle = 0;
    this.look();
    this.#poll = setInterval(() => {
      this.#idle = this.look() ? 0 : this.#idle + 1;
      if (this.#idle === restPolls) this.look(true);
      if (this.#idle < quietPolls || !this.#poll) return;
      clearInterval(this.#poll);
      this.#poll = null;
      this.look(true);
      this.#arm();
      this.look();
    }, pollMs);
  }
}

/** The end of the last whole line in [from, to); `to` when a single line fills the look-back. */
function lineEnd(path: string, from: number, to: number): number {
  if (to <= from) return to < from ? to : from; // shorter: somebody truncated the log
  const length = Math.min(to - from, lookBackBytes);
  const buffer = Buffer.allocUnsafe(length);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return from;
  }
  try {
    const read = readSync(file, buffer, 0, length, to - length);
    const bytes = buffer.subarray(0, read);
    // A progress line ends each of its states with a carriage return; at the very end that may belong to a line feed.
    const end = Math.max(bytes.lastIndexOf(10), bytes.subarray(0, -1).lastIndexOf(13));
    if (end >= 0) return to - length + end + 1;
    return length === lookBackBytes ? to : from;
  } catch {
    return from; // the disk refuses it: the next look catches up
  } finally {
    closeSync(file);
  }
}
