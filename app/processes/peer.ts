/** Who is at the other end of a connection of this machine, in the system's words. */
import type { Socket } from 'node:net';

export interface Peer {
  /** `root`, `CONTOSO\\kim`. */
  readonly user: string;
  /** Of the account, then of each of its groups that is in force: `uid:1000`, `gid:27`; on Windows SIDs. */
  readonly ids: readonly string[];
  /** Null when the system does not tell. */
  readonly pid: number | null;
}

/** Null when the system does not tell. Ask as soon as a socket is accepted or connected. */
export type ConnectionOwner = (socket: Socket) => Peer | null;
