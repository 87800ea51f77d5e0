/** What operators ask of a runner: files in `requests/`, seen at once by a watch and at the latest by a poll. */
import { watch, type FSWatcher } from 'node:fs';
import type { RunnerRequest } from '../domain/events.ts';
import type { RunDirectory } from '../run-directory/run-directory.ts';

const pollMs = 1_000;

export class Inbox {
  readonly #directory: RunDirectory;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #listener: ((request: RunnerRequest) => void) | null = null;
  #waiting: RunnerRequest[] = [];

  constructor(directory: RunDirectory) {
    this.#directory = directory;
    this.#timer = setInterval(() => this.#look(), pollMs);
    try {
      this.#watcher = watch(directory.requestsPath, () => this.#look());
      this.#watcher.on('error', () => undefined); // the poll goes on
    } catch {
      // The poll goes on.
    }
  }

  /** Hands every request to `listener`, those that came meanwhile first. Replaces the listener before it. */
  listen(listener: (request: RunnerRequest) => void): void {
    this.#listener = listener;
    this.#look();
    for (const request of this.#waiting.splice(0)) listener(request);
  }

  /** Keeps what comes for the next listener, and `request` with it. */
  park(request?: RunnerRequest): void {
    this.#listener = null;
    if (request) this.#waiting.push(request);
  }

  /** Beside those that come as files. */
  put(request: RunnerRequest): void {
    if (this.#listener) this.#listener(request);
    else this.#waiting.push(request);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watcher?.close();
  }

  #look(): void {
    for (const request of this.#directory.takeRequests()) this.put(request);
  }
}
