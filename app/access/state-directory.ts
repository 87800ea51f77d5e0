/** Which state directory is meant, and who may be its host. */
import { folderOwner, folderProblem, ownerIds, stateDirectory } from '../processes/index.ts';
import { machineHost, mayHost } from './machine-host.ts';

/** @throws UnjamError `state-directory` when there is a record of a machine's host that is not to be believed */
export async function whichStateDirectory(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (environment['UNJAM_HOME']) return stateDirectory(environment);
  return (await machineHost())?.stateDirectory ?? stateDirectory(environment);
}

/** True when only another account may be the host of a state directory: this process can be a client of it. */
export async function isOthers(directory: string): Promise<boolean> {
  const machine = await machineHost();
  if (machine?.stateDirectory === directory) return !(await mayHost(machine));
  const owner = await folderOwner(directory);
  return owner !== null && owner !== (await ownerIds())[0] && (await folderProblem(directory)) === null;
}
