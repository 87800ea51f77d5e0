/**
 * Complete: removes a final script's run directory; after an abandon as soon as the orphan is gone. It says when somebody
 * still writes to what is removed.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../../contract/errors.ts';
import * as lines from '../../domain/lines.ts';
import type { ProcessControl } from '../../processes/index.ts';
import type { Completed, ScriptRecord } from '../record.ts';

const mark = 'complete-when-gone';

/** Complete was asked for while the orphan still ran. */
export const isPromised = (record: ScriptRecord): boolean =>
  record.verdict?.kind === 'abandoned' && existsSync(join(record.directory.path, mark));

/** What carries the output ends a moment after its last writer: so often it is looked at again, ms. */
const looks = [5, 20, 50] as const;

/**
 * Two at a time are one: the second would remove the files of a script that was started with the same ticket meanwhile.
 * @param say writes a line into the script's log and the journal, while there is a log
 */
export async function completeScript(
  record: ScriptRecord,
  control: ProcessControl,
  say: (line: lines.Line) => void,
): Promise<Completed> {
  record.removal ??= remove(record, control, say);
  try {
    const done = await record.removal;
    if (!done.removed) record.removal = null;
    return done;
  } catch (error) {
    record.removal = null;
    throw error;
  }
}

async function remove(
  record: ScriptRecord,
  control: ProcessControl,
  say: (line: lines.Line) => void,
): Promise<Completed> {
  const { spec, directory } = record;
  if (!record.isFinal)
    throw new UnjamError(
      'not-final',
      `"${spec.name}" (ticket ${spec.ticket}) is ${record.state}; its run directory was kept.`,
      'Cancel, Force Kill or Abandon it first, or wait for its end.',
    );
  const orphan = record.isOrphan && record.started !== null && control.treeLiveness(record.started.scope) !== 'dead';
  if (orphan) return later(`PID ${record.started?.scope.root.pid} is still running and its output is recorded there`);
  let warning: string | null = null;
  if (await isWritten(record, control)) {
    const scope = record.started?.scope;
    const line = lines.removedWhileWritten(scope ? control.tree(scope).map((m) => m.identity) : []);
    say(line);
    warning = `${line.code} ${line.text}`;
  }
  try {
    await rm(directory.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    return { removed: true, warning };
  } catch (error) {
    const why = (error as Error).message;
    if (record.verdict?.kind === 'abandoned') return later(why);
    throw new UnjamError(
      'delete-failed',
      `The run directory "${directory.path}" could not be removed: ${why}.`,
      'Close what uses it and complete the script again.',
    );
  }

  /** The pruner keeps the promise; it is said once. */
  function later(why: string): { removed: false; warning: string } {
    const line = lines.workspaceKept(directory.path, why);
    if (!isPromised(record)) {
      writeFileSync(join(directory.path, mark), '', { mode: 0o600 });
      say(line);
    }
    return { removed: false, warning: `${line.code} ${line.text}` };
  }
}

/** Whether somebody has the script's output open still. */
async function isWritten({ started }: ScriptRecord, control: ProcessControl): Promise<boolean> {
  const isOpen = (): boolean => started !== null && control.isOutputOpen?.(started.scope) === true;
  for (const wait of looks) {
    if (!isOpen()) return false;
    await delay(wait);
  }
  return isOpen();
}
