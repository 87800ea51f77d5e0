/** Appends events so that they stand at the right place among the script's own output. */
import type { EventBody, ScriptEvent } from '../domain/events.ts';
import type { Line } from '../domain/lines.ts';
import type { LogIndexer } from '../logs/index.ts';
import type { RunDirectory } from '../run-directory/run-directory.ts';

export class ScriptLog {
  readonly directory: RunDirectory;
  readonly #indexer: LogIndexer;
  readonly #by: ScriptEvent['by'];
  #missed: string | null = null;

  constructor(directory: RunDirectory, indexer: LogIndexer, by: ScriptEvent['by']) {
    this.directory = directory;
    this.#indexer = indexer;
    this.#by = by;
  }

  append(body: EventBody, line?: Line): void {
    this.#indexer.look(true);
    try {
      this.directory.append(this.#by, body, line);
    } catch (error) {
      // A full disk must not end the wait for the script; what could not be told is told on the next line that fits.
      this.#missed = (error as Error).message;
    }
    this.#indexer.look();
  }

  /** The last error that kept an event from the disk; null when all were written. */
  get missed(): string | null {
    return this.#missed;
  }
}
