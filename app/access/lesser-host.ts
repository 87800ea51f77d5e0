/** Whom a caller gives no script to. */
import { UnjamError } from '../contract/errors.ts';
import { administratorIds, type Peer } from '../processes/index.ts';

/**
 * A script runs as its host's user, with its host's rights, and gets the caller's environment: neither is handed to
 * another ordinary user's host, nor an administrator's work to a host without administrator rights. By what the system
 * says about both processes. Pure. Null: the system does not tell.
 * @throws UnjamError `not-possible`
 */
export function refuseLesserHost(caller: Peer | null, server: Peer | null, administrators = administratorIds): void {
  const isAdministrator = (peer: Peer): boolean => peer.ids.some((id) => administrators.includes(id));
  if (caller === null || server === null || isAdministrator(server)) return;
  if (caller.ids[0] !== server.ids[0])
    throw new UnjamError(
      'not-possible',
      `The host of this state directory runs as ${server.user}, and you are ${caller.user}: the script would run as ${server.user}, with your environment.`,
      `Start it as ${server.user}, or use a state directory of your own (UNJAM_HOME); nothing was started.`,
    );
  if (isAdministrator(caller))
    throw new UnjamError(
      'not-possible',
      `The host of this state directory runs as ${server.user} without administrator rights, and you have them: the script would run without.`,
      'Run the command in a terminal without administrator rights, or let a host with them take its place: "unjam serve --take-over" in this terminal; nothing was started.',
    );
}
