/**
 * Tells the world once that a script is final: runs its notify command, or posts to its address on this machine, with a
 * stable completion id. The note that it was delivered is written afterwards; a host that dies in between repeats it, and
 * the id lets a consumer drop that.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import * as lines from '../domain/lines.ts';
import { isAddress } from '../domain/names.ts';
import { resultCode } from '../domain/script.ts';
import { visibleLine, visibleOutput } from '../domain/visible.ts';
import { type Decode, LogIndex, LogReader } from '../logs/index.ts';
import { lasting } from '../run-directory/lasting.ts';
import type { ScriptRecord } from './record.ts';

const commandBoundMs = 60_000;
const answerBoundMs = 10_000;
/** Before each try to post, ms: an agent that is just being restarted is back by then. */
const postAfterMs = [0, 1_000, 5_000, 20_000];

export interface Completion {
  readonly completionId: string;
  readonly ticket: string;
  readonly name: string;
  readonly verdict: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** As docs/exit-codes.md has it. */
  readonly resultCode: number;
  /** The last lines of both streams; what they wrote at one moment stands in any order. */
  readonly lastOutput: string;
}

const lastBytes = 4_096;
const lastLines = 20;

/** Empty when it cannot be read. */
function lastOutput({ directory }: ScriptRecord, decode: Decode): string {
  try {
    const reader = new LogReader(directory, new LogIndex(directory.indexPath), decode);
    const { entries } = reader.read({ ticket: '', tailBytes: 4 * lastBytes, maxBytes: 4 * lastBytes }, true);
    const text = entries.flatMap((e) => (e.stream === 'unjam' ? [] : [e.text])).join('');
    const cut = text.slice(-lastBytes).replaceAll('\0', '').trimEnd();
    return cut.split('\n').slice(-lastLines).join('\n');
  } catch {
    return '';
  }
}

export class Completions {
  readonly #log: (line: string) => void;
  readonly #decode: Decode;
  readonly #tell: typeof tell;
  readonly #underWay = new Set<string>();

  constructor(log: (line: string) => void, decode: Decode, how = tell) {
    this.#log = log;
    this.#decode = decode;
    this.#tell = how;
  }

  /** @param say writes a line into the script's log and the history */
  deliver(record: ScriptRecord, say: (line: lines.Line) => void): void {
    const { spec, verdict, directory } = record;
    if (
      spec.notify === null ||
      verdict === null ||
      this.#underWay.has(spec.runId) ||
      directory.readDelivered() !== null
    )
      return;
    const completionId = `${spec.runId}:${verdict.kind}`;
    const { ticket, name } = spec;
    this.#underWay.add(spec.runId);
    void this.#tell(spec.notify, spec.cwd, {
      completionId,
      ticket,
      name,
      verdict: verdict.kind,
      exitCode: verdict.exitCode,
      signal: verdict.signal,
      resultCode: resultCode(verdict),
      lastOutput: lastOutput(record, this.#decode),
    })
      .then(async (failed) => {
        if (failed !== null) say(lines.endNotTold(failed));
        // Until a full disk takes the note it stays under way: this host does not tell it twice.
        await lasting(() => directory.writeDelivered(completionId, Date.now()));
        this.#underWay.delete(spec.runId);
      })
      .catch((error: Error) => this.#log(`W251 The end of ${ticket} was told, but not noted: ${error.message}.`));
  }
}

/** Null when it succeeded, else why not. */
function tell(notify: readonly string[], cwd: string, completion: Completion): Promise<string | null> {
  const [first = ''] = notify;
  return isAddress(first) ? post(first, completion) : runCommand(notify, cwd, completion);
}

async function runCommand(command: readonly string[], cwd: string, c: Completion): Promise<string | null> {
  const [file = '', ...args] = command;
  const env = {
    UNJAM_RUN: 'none',
    UNJAM_COMPLETION_ID: c.completionId,
    UNJAM_TICKET: c.ticket,
    UNJAM_NAME: visibleLine(c.name),
    UNJAM_VERDICT: c.verdict,
    UNJAM_EXIT_CODE: String(c.exitCode ?? ''),
    UNJAM_SIGNAL: c.signal ?? '',
    UNJAM_RESULT_CODE: String(c.resultCode),
    UNJAM_LAST_OUTPUT: visibleOutput(c.lastOutput),
  };
  const result = await execa(file, args, { cwd, env, stdio: 'ignore', reject: false, timeout: commandBoundMs });
  return result.failed ? `the notify command failed: ${result.shortMessage ?? 'unknown error'}` : null;
}

/** Any answer of 2xx will do; the id is also the idempotency key. */
async function post(address: string, completion: Completion): Promise<string | null> {
  let failed = '';
  for (const wait of postAfterMs) {
    await delay(wait);
    try {
      const answer = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': completion.completionId },
        body: JSON.stringify(completion),
        redirect: 'error',
        signal: AbortSignal.timeout(answerBoundMs),
      });
      await answer.body?.cancel();
      if (answer.ok) return null;
      failed = `${address} answered ${answer.status}`;
    } catch (error) {
      const cause = (error as { cause?: Error }).cause ?? (error as Error);
      failed = `${address}: ${cause.message || cause.name}`;
    }
  }
  return `${failed}, the last of ${postAfterMs.length} times`;
}
