/**
 * Keeps in place by what clients find this host. A clean-up job or a person may remove it under the living host, and
 * another host may come where the whole directory was exchanged: this one then has to go, because one acts at a time.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Doors } from '../access/doors.ts';
import { fileAt } from '../journal/journal.ts';
import type { Election } from '../locks/index.ts';
import { addressFolder } from '../processes/index.ts';
import { type HostFile, openStateDirectory, putHostFile } from './host-files.ts';

export interface PostOptions {
  readonly directory: string;
  readonly file: HostFile;
  readonly election: Election;
  readonly doors: Doors;
  /** Whether a script lives that this host watches. */
  readonly isNeeded: () => boolean;
  /** Called once, with the reason: this process is the host no more. */
  readonly lost: (why: string) => void;
  readonly log: (line: string) => void;
}

const lookMs = 1_000;

export class Post implements Disposable {
  readonly #o: PostOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #paths: readonly string[];
  #files: readonly (string | null)[];
  #isLooking = false;
  #said = '';

  constructor(options: PostOptions) {
    this.#o = options;
    const { directory, file } = options;
    const socket = addressFolder(file.address) === null ? [] : [file.address];
    this.#paths = [join(directory, 'host.json'), join(directory, 'token'), ...socket];
    this.#files = this.#paths.map(fileAt);
    this.#timer = setInterval(() => void this.#look(), lookMs).unref();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#putBack();
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#said)
        this.#o.log(`W395 This host cannot be found by clients: ${message} It is tried again.`);
      this.#said = message;
    } finally {
      this.#isLooking = false;
    }
  }

  async #putBack(): Promise<void> {
    const { directory, file, election, doors, isNeeded, lost, log } = this.#o;
    const missing = this.#paths.filter((path, i) => fileAt(path) !== this.#files[i]);
    if (missing.length === 0 && election.isElected) return;
    if (!existsSync(directory) && !isNeeded()) {
      this[Symbol.dispose]();
      lost(`The state directory "${directory}" was removed, and nothing runs.`);
      return;
    }
    await openStateDirectory(directory, log);
    if (!(await election.stand())) {
      this[Symbol.dispose]();
      lost(`The state directory "${directory}" was removed or replaced, and another host serves it now.`);
      return;
    }
    await putHostFile(directory, file);
    if (missing.includes(file.address)) await doors.reopen();
    this.#files = this.#paths.map(fileAt);
    const what =
      missing.length === 0 ? 'the record of who is the host' : missing.map((path) => basename(path)).join(', ');
    log(`W395 Somebody had removed files of the state directory (${what}); they have been restored.`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
