/** Complete: removes a final script's run directory; after an abandon as soon as the orphan is gone. */
import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import * as lines from '../domain/lines.ts';
import type { ProcessControl } from '../processes/index.ts';
import type { ScriptRecord } from './record.ts';

const mark = 'complete-when-gone';
/** So many are removed in one round: the host has other things to do. */
const atOnce = 200;

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

/** Keeps the promise of an earlier complete, and prunes what is too old or too much. */
export async function deleteLater(
  control: ProcessControl,
  forget: (record: ScriptRecord) => void,
  records: readonly ScriptRecord[],
  keep: { readonly keepMs: number; readonly keepCount: number },
): Promise<void> {
  const over = records.filter((r) => r.isFinal && !r.isOrphan);
  const now = Date.now();
  const old = over.filter((r) => now - (r.endedAt ?? now) > keep.keepMs);
  const surplus = [...over].sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0)).slice(keep.keepCount);
  const promised = over.filter((r) => r.verdict?.kind === 'abandoned' && existsSync(join(r.directory.path, mark)));
  for (const record of [...new Set([...promised, ...old, ...surplus])].slice(0, atOnce)) {
    if (record.tree?.emptyAt == null && record.started && control.treeLiveness(record.started.scope) !== 'dead')
      continue;
    if ((await completeScript(record, control).catch(() => null))?.removed) forget(record);
  }
}
