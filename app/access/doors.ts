/**
 * The doors of a host: its own, beside the state directory, and for the machine's host one that lets in everybody who was
 * given a role.
 */
import { openHostSocket, type HostSocket, type SocketOptions } from '../api/host-socket.ts';
import type { Grant } from '../domain/access.ts';
import { closeAddressToOthers, openConnectionOwner } from '../processes/index.ts';
import type { Access } from './access.ts';
import { machineHost } from './machine-host.ts';

export interface DoorParts extends Omit<SocketOptions, 'ownerOf' | 'roleOf' | 'isDoor' | 'log'> {
  readonly stateDirectory: string;
  readonly access: Access;
  readonly log: (line: string) => void;
}

export interface Doors {
  /** Lets in whom these grants name, and hangs up on everybody else. */
  use(grants: readonly Grant[]): Promise<void>;
  /** Opens its own door anew, whose socket somebody has removed. Who is connected has to come again. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** @throws UnjamError `state-directory` when its own door cannot be opened; a machine's door that cannot be is said */
export async function openDoors({ stateDirectory, access, log, ...options }: DoorParts): Promise<Doors> {
  const open = async (address: string, isDoor: boolean): Promise<HostSocket> => {
    const socket = await openHostSocket({
      ...options,
      address,
      isDoor,
      ownerOf: await openConnectionOwner(address),
      roleOf: (peer) => access.roleOf(peer),
      log,
    });
    await closeToOthers(address);
    return socket;
  };
  const closeToOthers = async (address: string): Promise<void> => {
    const problem = await closeAddressToOthers(address, access.ids);
    if (problem !== null) log(`W391 The host's door could not be closed to other users: ${problem}.`);
  };
  let own = await open(options.address, false);
  const machine = await machineHost();
  const door = machine?.stateDirectory === stateDirectory ? machine.door : null;
  const forOthers =
    door === null
      ? null
      : await open(door, true).catch((error: Error) => {
          log(`W391 The door for other users could not be opened: ${error.message} They cannot reach this host.`);
          return null;
        });
  return {
    async use(grants) {
      await access.use(grants);
      // Who gets a role later must be able to open it.
      await closeToOthers(options.address);
      if (door !== null && forOthers !== null) await closeToOthers(door);
      own.recheck();
      forOthers?.recheck();
    },
    async reopen() {
      await own.close(); // first: that removes the socket of this name
      own = await open(options.address, false);
    },
    async close() {
      await Promise.all([own.close(), forOthers?.close()]);
    },
  };
}
