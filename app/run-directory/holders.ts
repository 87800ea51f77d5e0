/** Who holds a mutex by the scripts' own records: asked when the files of that mutex are missing. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import { RunDirectory } from './run-directory.ts';

/** Holds of scripts that have started and of which no end is recorded; whether they live is not asked here. */
export function holdersOnRecord(runs: string, mutex: string): Hold[] {
  const holds: Hold[] = [];
  for (const name of namesIn(runs)) {
    const directory = new RunDirectory(join(runs, name));
    if (existsSync(join(directory.path, 'tree.json'))) continue;
    try {
      const hold = holdOf(directory, mutex);
      if (hold) holds.push(hold);
    } catch {
      // A damaged record names nobody.
    }
  }
  return holds;
}

function holdOf(directory: RunDirectory, mutex: string): Hold | null {
  const spec = directory.readSpec();
  if (!spec?.isolation || nameKey(spec.isolation.mutex) !== nameKey(mutex)) return null;
  const started = directory.readStarted();
  const runner = directory.readRunner()?.runner;
  if (!started || started.fence === null || !runner || directory.readVerdict() !== null) return null;
  return {
    id: spec.runId,
    ticket: spec.ticket,
    name: spec.name,
    level: spec.isolation.level,
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
