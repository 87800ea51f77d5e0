/** Who holds a mutex by the scripts' own records: asked when the files of that mutex are missing. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import type { IsolationLevel, ScriptSpec } from '../domain/script.ts';
import { RunDirectory } from './run-directory.ts';

/**
 * Holds of scripts that have started and of which no end is recorded; whether they live is not asked here. `known` are
 * the run ids of all that were started under the mutex, also of those that hold it no more.
 */
export function holdersOnRecord(
  runs: string,
  mutex: string,
): { readonly holds: readonly Hold[]; readonly known: ReadonlySet<string> } {
  const holds: Hold[] = [];
  const known = new Set<string>();
  for (const name of namesIn(runs)) {
    const directory = new RunDirectory(join(runs, name));
    try {
      const spec = directory.readSpec();
      if (!spec?.isolation || nameKey(spec.isolation.mutex) !== nameKey(mutex)) continue;
      const hold = holdOf(directory, spec, spec.isolation.level);
      if (hold !== 'unknown') known.add(spec.runId);
      if (hold !== null && hold !== 'unknown') holds.push(hold);
    } catch {
      // A damaged record names nobody.
    }
  }
  return { holds, known };
}

/** `unknown` when the record is not whole. */
function holdOf(directory: RunDirectory, spec: ScriptSpec, level: IsolationLevel): Hold | 'unknown' | null {
  if (existsSync(join(directory.path, 'tree.json')) || directory.readVerdict() !== null) return null;
  const started = directory.readStarted();
  const runner = directory.readRunner()?.runner;
  if (!started || !runner) return 'unknown';
  if (started.fence === null) return null;
  return {
    id: spec.runId,
    ticket: spec.ticket,
    name: spec.name,
    level,
    runner,
    ancestors: spec.ancestors,
    queuedAt: spec.createdAt,
    fence: started.fence,
    grantedAt: started.startedAt,
    scope: started.scope,
  };
}

function namesIn(runs: string): string[] {
  try {
    return readdirSync(runs);
  } catch {
    return [];
  }
}
