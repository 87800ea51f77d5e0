/** The errors of a log, to be walked through with one key: standard error, and lines of standard output that name one. */
import type { ConsoleClient } from '../contract.ts';
import { toCallError } from '../transport/call-error.ts';
import { number } from '../words/counts.ts';
import { errorPattern } from './commands.ts';

/** As many as one answer lists. */
const most = 10_000;
const waitMs = 5_000;

export class ErrorWalk {
  /** "error 3 of 4", "no errors", or why they could not be read; empty before the first step. */
  said = $state('');

  readonly #client: ConsoleClient;
  readonly #ticket: string;
  #lines: readonly number[] | null = null;

  constructor(client: ConsoleClient, ticket: string) {
    this.#client = client;
    this.#ticket = ticket;
  }

  /** The log has grown: its errors are read again at the next step. */
  again(): void {
    this.#lines = null;
  }

  /** The line of the next or previous error from `line` on, round the end; null when there is none. */
  async walk(step: 1 | -1, line: number): Promise<number | null> {
    try {
      const lines = (this.#lines ??= await this.#read());
      const at = step === 1 ? lines.findIndex((one) => one > line) : lines.findLastIndex((one) => one < line);
      const place = at >= 0 ? at : step === 1 ? 0 : lines.length - 1;
      const found = lines[place] ?? null;
      this.said = found === null ? 'no errors' : `error ${number(place + 1)} of ${number(lines.length)}`;
      return found;
    } catch (error) {
      this.said = toCallError(error).message;
      return null;
    }
  }

  async #read(): Promise<readonly number[]> {
    const search = async (text: string, stream: 'stdout' | 'stderr'): Promise<readonly number[]> => {
      const input = { ticket: this.#ticket, text, regex: true, ignoreCase: true, count: most, waitMs };
      return (await this.#client.call('logs.search', { ...input, streams: [stream] })).hits;
    };
    const [stderr, stdout] = await Promise.all([search('^', 'stderr'), search(errorPattern, 'stdout')]);
    const all = [...stderr, ...stdout].sort((a, b) => a - b);
    // The lines of one message follow each other: they are one error.
    return all.filter((line, k) => all[k - 1] !== line - 1);
  }
}
