/** Reads a script's log as it grows: the one loop for `run`, `logs`, a search, and the wait for a verb's outcome. */
import type { LogEntry } from '../contract/methods.ts';
import type { HostClient } from './command.ts';

const holdMs = 2_000;
const pageBytes = 1_048_576;

/** `read` takes what is new and waits up to `waitMs` for it. Ends with the log; without `isFollowing` when nothing is new. */
export async function follow(
  client: HostClient,
  ticket: string,
  isFollowing: boolean,
  read: (waitMs: number) => Promise<{ readonly moved: boolean; readonly complete: boolean }>,
): Promise<void> {
  let waitMs = isFollowing ? holdMs : 0;
  for (let wasFinal = false; ;) {
    const { moved, complete } = await read(waitMs);
    if (complete || (!isFollowing && !moved)) return;
    if (moved) continue;
    if (wasFinal) return;
    const { state, orphan } = await client.call('scripts.get', { ticket });
    wasFinal = state === 'final'; // maybe only since that read: its last lines are still to be read
    // An abandoned script is final while its orphan still writes: do not wait for that one.
    if (wasFinal && orphan) waitMs = 0;
  }
}

export interface LogQuery {
  /** Sequence number to begin at. */
  readonly from: number;
  readonly follow: boolean;
  readonly stream?: LogEntry['stream'];
  /** The bytes as they were, as base64. */
  readonly raw: boolean;
}

/** Hands over each entry, then the sequence number to go on from. */
export async function followLog(
  client: HostClient,
  ticket: string,
  query: LogQuery,
  take: (entry: LogEntry) => Promise<void> | void,
  onSeq: (seq: number) => void = () => undefined,
): Promise<void> {
  let { from } = query;
  let hasRead = false;
  await follow(client, ticket, query.follow, async (waitMs) => {
    const page = await client.call('logs.read', {
      ticket,
      from,
      raw: query.raw,
      maxBytes: pageBytes,
      waitMs,
      ...(query.stream === undefined ? {} : { stream: query.stream }),
    });
    for (const entry of page.entries) await take(entry);
    // Shorter than it was: its files were removed and made again, and what came since is read from its start.
    const hasRestarted = hasRead && page.size < from;
    hasRead = true;
    if (hasRestarted) {
      onSeq((from = 0));
      return { moved: true, complete: false };
    }
    const moved = page.next > from;
    from = page.next;
    onSeq(from);
    return { moved, complete: page.complete };
  });
}
