/**
 * Tells the world once that a script is final: runs its notify command with a stable completion id. The note that it
 * was delivered is written afterwards; a host that dies in between repeats it, and the id lets a consumer drop that.
 */
import { execa } from 'execa';
import type { ScriptRecord } from './record.ts';

const boundMs = 60_000;

export class Completions {
  readonly #log: (line: string) => void;
  readonly #underWay = new Set<string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  deliver(record: ScriptRecord): void {
    const { spec, verdict, directory } = record;
    if (
      spec.notify === null ||
      verdict === null ||
      this.#underWay.has(spec.runId) ||
      directory.readDelivered() !== null
    )
      return;
    const [file, ...args] = spec.notify;
    if (file === undefined) return;
    const completionId = `${spec.runId}:${verdict.kind}`;
    this.#underWay.add(spec.runId);
    void execa(file, args, {
      cwd: spec.cwd,
      env: {
        UNJAM_RUN: 'none',
        UNJAM_COMPLETION_ID: completionId,
        UNJAM_TICKET: spec.ticket,
        UNJAM_NAME: spec.name,
        UNJAM_VERDICT: verdict.kind,
        UNJAM_EXIT_CODE: String(verdict.exitCode ?? ''),
      },
      stdio: 'ignore',
      reject: false,
      timeout: boundMs,
    }).then((result) => {
      this.#underWay.delete(spec.runId);
      if (result.failed)
        this.#log(
          `W251 The notify command of ${spec.ticket} failed: ${result.shortMessage ?? 'unknown error'}. It is not repeated.`,
        );
      directory.writeDelivered(completionId, Date.now());
    });
  }
}
