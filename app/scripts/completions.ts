/**
 * Tells the world once that a script is final: runs its notify command with a stable completion id. The note that it
 * was delivered is written afterwards; a host that dies in between repeats it, and the id lets a consumer drop that.
 */
import { execa } from 'execa';
import { lasting } from '../run-directory/lasting.ts';
import type { ScriptRecord } from './record.ts';

const boundMs = 60_000;

export class Completions {
  readonly #log: (line: string) => void;
  readonly #run: typeof runCommand;
  readonly #underWay = new Set<string>();

  constructor(log: (line: string) => void, run = runCommand) {
    this.#log = log;
    this.#run = run;
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
    const completionId = `${spec.runId}:${verdict.kind}`;
    this.#underWay.add(spec.runId);
    const environment = {
      UNJAM_RUN: 'none',
      UNJAM_COMPLETION_ID: completionId,
      UNJAM_TICKET: spec.ticket,
      UNJAM_NAME: spec.name,
      UNJAM_VERDICT: verdict.kind,
      UNJAM_EXIT_CODE: String(verdict.exitCode ?? ''),
    };
    void this.#run(spec.notify, spec.cwd, environment)
      .then(async (failed) => {
        if (failed !== null)
          this.#log(`W251 The notify command of ${spec.ticket} failed: ${failed}. It is not repeated.`);
        // Until a full disk takes the note it stays under way: this host does not tell it twice.
        await lasting(() => directory.writeDelivered(completionId, Date.now()));
        this.#underWay.delete(spec.runId);
      })
      .catch((error: Error) => this.#log(`W251 The end of ${spec.ticket} was told, but not noted: ${error.message}.`));
  }
}

/** Null when it succeeded, else why not. */
async function runCommand(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<string | null> {
  const [file = '', ...args] = command;
  const result = await execa(file, args, { cwd, env, stdio: 'ignore', reject: false, timeout: boundMs });
  return result.failed ? (result.shortMessage ?? 'unknown error') : null;
}
