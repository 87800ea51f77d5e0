/** Where the host of a state directory is reached, and who must be there before anything is sent to it. */
import { UnjamError } from '../contract/errors.ts';
import { readHostFile } from '../host/host-files.ts';
import { administratorIds, folderOwner, folderProblem, type Peer } from '../processes/index.ts';
import { machineHost } from './machine-host.ts';

export interface FoundHost {
  readonly address: string;
  /** Null at the door of a machine's host: there the system's word is enough. */
  readonly token: string | null;
  /** Why the process that serves the address is not to be talked to; null when it is. */
  readonly distrust: (server: Peer) => string | null;
}

/** Null when no host ever ran there. @throws UnjamError `state-directory` when what lies there is not to be believed */
export async function findHost(directory: string): Promise<FoundHost | null> {
  const machine = await machineHost();
  const door: FoundHost | null =
    machine?.stateDirectory === directory
      ? { address: machine.door, token: null, distrust: onlyOf([machine.account]) }
      : null;
  const problem = await folderProblem(directory);
  if (problem === 'absent' || (problem === 'closed' && door !== null)) return door;
  if (problem === 'closed') throw notYours(directory);
  if (problem !== null)
    throw new UnjamError(
      'state-directory',
      `The state directory "${directory}" is not used: ${problem}.`,
      'Correct its owner and its rights, or name another one with UNJAM_HOME.',
    );
  const file = readHostFile(directory);
  if (file === null) return door;
  const owner = await folderOwner(directory);
  return { address: file.address, token: file.token, distrust: onlyOf(owner === null ? [] : [owner]) };
}

const notYours = (directory: string): UnjamError =>
  new UnjamError(
    'state-directory',
    `The state directory "${directory}" belongs to another user, and you may not look into it.`,
    'Ask its owner for a role on its host, or name another state directory with UNJAM_HOME.',
  );

/** Administrators can be anybody, so they are always believed. */
const onlyOf =
  (ids: readonly string[]) =>
  (server: Peer): string | null => {
    const [account = ''] = server.ids;
    if (ids.includes(account) || administratorIds.some((id) => server.ids.includes(id))) return null;
    return `the process that answers there belongs to ${server.user}`;
  };
