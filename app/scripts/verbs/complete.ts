/** Complete: removes a final script's run directory; after an abandon as soon as the orphan is gone. */
import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UnjamError } from '../../contract/errors.ts';
import * as lines from '../../domain/lines.ts';
import type { ProcessControl } from '../../processes/index.ts';
import type { ScriptRecord } from '../record.ts';

const mark = 'complete-when-gone';

/** Complete was asked for while the orphan still ran. */
export const isPromised = (record: ScriptRecord): boolean =>
  record.verdict?.kind === 'abandoned' && existsSync(join(record.directory.path, mark));

export async function completeScript(
  record: ScriptRecord,
  control: ProcessControl,
): Promise<{ removed: boolean; warning: string | null }> {
  const { spec, directory } = record;
  if (!record.isFinal)
    throw new UnjamError(
      'not-final',
      `"${spec.name}" (ticket ${spec.ticket}) is ${record.state}; its run directory was kept.`,
      'Cancel, Force Kill or Abandon it first, or wait for its end.',
    );
  const orphan = record.isOrphan && record.started !== null && control.treeLiveness(record.started.scope) !== 'dead';
  if (orphan) {
    const line = lines.workspaceKept(
      directory.path,
      `PID ${record.started?.scope.root.pid} still runs and its output is recorded there`,
    );
    writeFileSync(join(directory.path, mark), '', { mode: 0o600 });
    directory.append('host', { type: 'note' }, line);
    return { removed: false, warning: `${line.code} ${line.text}` };
  }
  try {
    await rm(directory.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    return { removed: true, warning: null };
  } catch (error) {
    const why = (error as Error).message;
    if (record.verdict?.kind === 'abandoned') {
      const line = lines.workspaceKept(directory.path, why);
      return { removed: false, warning: `${line.code} ${line.text}` };
    }
    throw new UnjamError(
      'delete-failed',
      `The run directory "${directory.path}" could not be removed: ${why}.`,
      'Close what uses it and complete the script again.',
    );
  }
}
