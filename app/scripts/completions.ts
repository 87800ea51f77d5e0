/**
 * Tells the world once that a script is final: runs its notify command, or posts to its address on this machine, with a
 * stable completion id. The note that it was delivered is written afterwards; a host that dies in between repeats it, and
 * the id lets a consumer drop that.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HostLog } from '../domain/host-log.ts';
import * as lines from '../domain/lines.ts';
import { isAddress } from '../domain/names.ts';
import { resultCode } from '../domain/script.ts';
import { traceparentField, traceVariable } from '../domain/trace.ts';
import { visibleLine, visibleOutput } from '../domain/visible.ts';
import type { Decode } from '../logs/index.ts';
import { post } from '../outgoing/post.ts';
import { runCommand } from '../outgoing/command.ts';
import { lasting } from '../run-directory/lasting.ts';
import { lastOutput } from './last-output.ts';
import type { ScriptRecord } from './record.ts';

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
  /** The W3C trace of the script's caller; absent: none. */
  readonly traceparent?: string;
}

export class Completions {
  readonly #log: HostLog;
  readonly #decode: Decode;
  readonly #tell: typeof tell;
  readonly #underWay = new Set<string>();

  constructor(log: HostLog, decode: Decode, how = tell) {
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
      lastOutput: lastOutput(directory, this.#decode),
      ...traceparentField(spec.traceparent),
    })
      .then(async (failed) => {
        if (failed !== null) say(lines.endNotTold(failed));
        // Until a full disk takes the note it stays under way: this host does not tell it twice.
        await lasting(() => directory.writeDelivered(completionId, Date.now()));
        this.#underWay.delete(spec.runId);
      })
      .catch((error: Error) =>
        this.#log(`W251 The end of ${ticket} was told, but not noted: ${error.message}.`, { ticket }),
      );
  }
}

/** Null when it succeeded, else why not. */
async function tell(notify: readonly string[], cwd: string, completion: Completion): Promise<string | null> {
  const [first = ''] = notify;
  if (isAddress(first)) return postRepeatedly(first, completion);
  const failed = await runCommand(notify, { cwd, env: environmentOf(completion) });
  return failed && `the notify command failed: ${failed}`;
}

const environmentOf = (c: Completion): Record<string, string> => ({
  UNJAM_RUN: 'none',
  UNJAM_COMPLETION_ID: c.completionId,
  UNJAM_TICKET: c.ticket,
  UNJAM_NAME: visibleLine(c.name),
  UNJAM_VERDICT: c.verdict,
  UNJAM_EXIT_CODE: String(c.exitCode ?? ''),
  UNJAM_SIGNAL: c.signal ?? '',
  UNJAM_RESULT_CODE: String(c.resultCode),
  UNJAM_LAST_OUTPUT: visibleOutput(c.lastOutput),
  ...traceVariable(c.traceparent),
});

/** Any answer of 2xx will do; the id is also the idempotency key. */
async function postRepeatedly(address: string, completion: Completion): Promise<string | null> {
  let failed = '';
  for (const wait of postAfterMs) {
    await delay(wait);
    const why = await post(address, JSON.stringify(completion), {
      headers: { 'idempotency-key': completion.completionId, ...traceparentField(completion.traceparent) },
    });
    if (why === null) return null;
    failed = `${address}: ${why}`;
  }
  return `${failed}, the last of ${postAfterMs.length} times`;
}
