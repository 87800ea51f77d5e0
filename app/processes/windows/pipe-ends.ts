/** Tells the users of a pipe's connections apart, when only the set of its connected ends can be seen. Pure. */

import type { Peer } from '../peer.ts';

/** A server end that is connected; `pid` of the client, null when Windows does not tell. */
export interface PipeEnd {
  readonly handle: number;
  readonly pid: number | null;
  /** Of a client on another machine, which has no role here whoever it is; null for one of this machine. */
  readonly computer?: string | null;
}

interface Accepted {
  /** Null when it cannot be told whose it is. */
  readonly owner: Peer | null;
  /** To be called when the socket has been closed. */
  readonly release: () => void;
}

/**
 * Every accepted socket marks one end as its own. What is not marked when a socket is accepted is that socket's end, or
 * that of a client whose turn has not come yet: when all of these belong to one user, the socket does too.
 *
 * Which of several ends of one user is marked is a guess, but it never makes a user out of another: a user has as many
 * marks as accepted sockets, so an end that has just come cannot be hidden without another of the same user showing.
 */
export class PipeEnds {
  readonly #peerOf: (pid: number) => Peer | null;
  readonly #marked = new Set<string>();

  constructor(peerOf: (pid: number) => Peer | null) {
    this.#peerOf = peerOf;
  }

  accept(connected: readonly PipeEnd[]): Accepted {
    const fresh = connected.filter((end) => !this.#marked.has(key(end)));
    const peers = fresh.map((end) => (end.computer == null ? this.#local(end.pid) : remote(end.computer)));
    // An administrator's elevated and filtered processes have one name and different groups in force.
    const accounts = new Set(peers.map((peer) => peer?.ids.join()));
    const [end] = fresh;
    const [owner] = peers;
    if (end === undefined || owner == null || accounts.size !== 1) return { owner: null, release: () => undefined };
    const mark = key(end);
    this.#marked.add(mark);
    return { owner: fresh.length === 1 ? owner : { ...owner, pid: null }, release: () => this.#marked.delete(mark) };
  }

  #local(pid: number | null): Peer | null {
    return pid === null ? null : this.#peerOf(pid);
  }
}

/** Its pid would be another machine's. With an id that nothing is granted to, it is refused. */
const remote = (computer: string): Peer => ({
  user: `somebody on ${computer}`,
  ids: [`computer:${computer}`],
  pid: null,
});

/** Windows gives a handle's number to the next one: with the pid it does not stand for another client. */
const key = ({ handle, pid }: PipeEnd): string => `${handle}:${pid}`;
