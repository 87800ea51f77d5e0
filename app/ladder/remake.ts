/** Makes the files of a script anew that somebody has removed while it runs: a clean-up job, or a person. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunnerRecord, ScriptSpec, StartedRecord } from '../domain/script.ts';
import { closeFolderToOthers, wayProblem } from '../processes/index.ts';
import { makeFolder } from '../run-directory/disk.ts';
import type { RunDirectory } from '../run-directory/run-directory.ts';

/** What the files held. */
export interface Known {
  readonly spec: ScriptSpec;
  /** Null until it is claimed. */
  readonly runner: RunnerRecord | null;
  readonly started: StartedRecord | null;
}

/**
 * Names of what was missing and stands again; [] when all was there. What was in logs and events is lost.
 * @throws when it cannot be made, or the state directory is another's now
 */
export async function remake(directory: RunDirectory, { spec, runner, started }: Known): Promise<string[]> {
  const needed = [
    'spec.json',
    'requests',
    ...(runner ? ['runner.json'] : []),
    ...(started ? ['started.json', 'stdout.log', 'stderr.log'] : []),
  ];
  const missing = needed.filter((name) => !existsSync(join(directory.path, name)));
  if (missing.length === 0) return [];
  const there = directory.readSpec();
  if (there !== null && there.runId !== spec.runId)
    throw new Error(`another script has the ticket "${spec.ticket}" now`);
  const stateDirectory = dirname(dirname(directory.path));
  const way = await wayProblem(stateDirectory);
  if (way !== null) throw new Error(way);
  makeFolder(stateDirectory);
  const { refused } = await closeFolderToOthers(stateDirectory);
  if (refused !== null) throw new Error(refused);
  makeFolder(directory.requestsPath);
  await directory.writeSpec(spec);
  if (runner) directory.writeRunner(runner);
  if (started) directory.writeStarted(started);
  return missing;
}
