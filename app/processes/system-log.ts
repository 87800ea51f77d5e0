/**
 * The operating system's own log, which monitoring tools read: the Event Log of Windows. Gets the lines that the host
 * writes on stderr, with the same text. Nothing waits for it, and a log that does not answer costs one warning.
 */

export interface SystemLogEntry {
  readonly type: 'error' | 'warning' | 'information';
  /** The number of the line's code: 201 for W201. */
  readonly id: number;
  /** The whole line, code included. */
  readonly text: string;
}

/** Writes one entry; rejects with the reason when the system refuses it. */
export type WriteEntry = (entry: SystemLogEntry) => Promise<void>;

const types = { E: 'error', W: 'warning', I: 'information' } as const;
/** ReportEventW takes strings of up to 31,839 characters. */
const textMax = 31_000;
/** So many entries wait for a log that is slow; then the oldest are given up. */
const waitingMax = 1_000;
/** How long the end of the host is put off for entries that have not gone out. */
const closeMs = 1_000;

/** Null for a line without a code: it is for a person who reads along, not for a monitoring tool. */
export function entryOf(line: string): SystemLogEntry | null {
  const [, letter, digits] = /^([EWI])(\d{3}) /.exec(line) ?? [];
  if (letter === undefined || digits === undefined) return null;
  return { type: types[letter as keyof typeof types], id: Number(digits), text: line.slice(0, textMax) };
}

export interface SystemLogParts {
  readonly write: WriteEntry;
  /** Asked for every line: the setting can change while the host runs. */
  readonly wanted: () => boolean;
  /** Gets one sentence, once, when entries cannot be written. */
  readonly problem: (sentence: string) => void;
}

export class SystemLog {
  readonly #parts: SystemLogParts;
  readonly #waiting: SystemLogEntry[] = [];
  #draining: Promise<void> | null = null;
  #told = false;

  constructor(parts: SystemLogParts) {
    this.#parts = parts;
  }

  /** Returns at once and never throws; one entry at a time is under way. */
  write(line: string): void {
    const entry = this.#parts.wanted() ? entryOf(line) : null;
    if (entry === null) return;
    this.#waiting.push(entry);
    if (this.#waiting.length > waitingMax) {
      this.#waiting.shift();
      this.#tell(`it is slow, and more than ${waitingMax} entries wait for it; the oldest are given up`);
    }
    this.#draining ??= this.#drain().finally(() => (this.#draining = null));
  }

  /** Resolves when everything has gone out, or after a second. */
  async close(): Promise<void> {
    if (this.#draining === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeMs)));
    await Promise.race([this.#draining, late]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      try {
        await this.#parts.write(entry);
      } catch (error) {
        this.#tell(error instanceof Error ? error.message : String(error));
      }
    }
  }

  #tell(why: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#parts.problem(
      `The system's event log could not be written: ${why}. It is tried again; this is not repeated.`,
    );
  }
}
