/** Whether a hold of a mutex stands, asked of its files or of the engine of the fleet, and of no host. */
import { join } from 'node:path';
import { holdsStill } from './domain/mutex.ts';
import { isFleetMutex } from './domain/names.ts';
import { type LivenessProbe, Mutexes } from './locks/index.ts';
import { folderProblem } from './processes/index.ts';

/** Only reads: who asks lives, and whether others do changes nothing. */
const nobody: LivenessProbe = { liveness: () => 'unknown', treeLiveness: () => 'unknown' };

/** In the state directory `home`. @throws Error when it cannot be told, with the reason */
export async function isHeld(name: string, runs: readonly string[], fence: number, home: string): Promise<boolean> {
  if ((await folderProblem(home)) !== null)
    throw new Error(`The state directory "${home}" is missing, or is not to be read by this user`);
  await using fleet = isFleetMutex(name)
    ? (await import('./fleet/index.ts')).joinedFleet(home, nobody, 'check-fence')
    : null;
  const mutexes = new Mutexes(join(home, 'mutexes'), nobody, undefined, () => fleet);
  const state = await mutexes.open(name).current();
  // Not "taken away": a runner puts the files of its mutex back when somebody has removed them.
  if (state.version === 0) throw new Error('Nothing is recorded of that mutex now');
  return holdsStill(state, runs, fence);
}
