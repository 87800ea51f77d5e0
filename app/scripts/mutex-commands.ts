/** What an operator does to a mutex and not to a script: resumes its queue, takes it from a command under `unjam hold`. */
import { UnjamError } from '../contract/errors.ts';
import type { Parsed } from '../contract/methods.ts';
import type { HostLog } from '../domain/host-log.ts';
import * as lines from '../domain/lines.ts';
import type { MutexState } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import type { Actor } from '../domain/script.ts';
import type { Journal, JournalKind } from '../journal/journal.ts';
import type { Mutex } from '../locks/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { mutexFacts } from '../ladder/mutex-facts.ts';

interface BusyMutex {
  readonly mutex: Mutex;
  readonly state: MutexState;
}

interface Means {
  readonly journal: Journal;
  readonly control: ProcessControl;
  readonly log: HostLog;
}

/** @throws UnjamError `unknown-mutex`, `not-paused` */
export async function resumeMutex(
  busy: readonly BusyMutex[],
  name: string,
  actor: Actor,
  means: Means,
): Promise<MutexState> {
  const found = busy.find(({ state }) => nameKey(state.name) === nameKey(name));
  if (!found)
    throw new UnjamError('unknown-mutex', `No mutex "${name}" is in use.`, 'List mutexes with "unjam locks".', 'name');
  if (!found.state.paused)
    throw new UnjamError(
      'not-paused',
      `Mutex "${found.state.name}" is not paused.`,
      'Nothing needs to be done.',
      'name',
    );
  const state = await found.mutex.resume();
  const at = Date.now();
  tell(means, actor, at, 'resume', state, lines.resumed(state.name, actor, at, state.holders.at(-1)?.name ?? null));
  return state;
}

/**
 * The mutex goes on to the next in line; the command runs on, and its wrapper says so in the end. It has no run
 * directory: journal and host's log are the only places for the line.
 * @throws UnjamError `unknown-ticket` when no command under `unjam hold` holds a mutex by that ticket
 */
export async function abandonHold(
  busy: readonly BusyMutex[],
  input: Parsed<'locks.abandon'>,
  actor: Actor,
  means: Means,
): Promise<MutexState> {
  const { ticket, holdQueue = false } = input;
  const reason = input.reason ?? null;
  for (const { mutex, state: before } of busy) {
    const hold = before.holders.find((h) => h.unsupervised === true && nameKey(h.ticket) === nameKey(ticket));
    if (!hold) continue;
    const state = await mutex.abandon(hold.id, actor, reason, holdQueue);
    const orphan = state.abandoned.find((a) => a.id === hold.id);
    if (!orphan) break; // it has ended meanwhile
    const scope = orphan.scope ?? null;
    const at = orphan.abandonedAt;
    const line = lines.holdAbandoned({
      actor,
      at,
      reason,
      name: hold.name,
      ticket: hold.ticket,
      left: scope === null ? [] : means.control.tree(scope).map((m) => m.identity),
      mutex: mutexFacts(state, state.name, orphan),
      holdQueue,
    });
    tell(means, actor, at, 'abandoned', state, line, hold);
    return state;
  }
  throw new UnjamError(
    'unknown-ticket',
    `No command under "unjam hold" holds a mutex by the ticket "${ticket}".`,
    'List holders with "unjam locks".',
    'ticket',
  );
}

function tell(
  { journal, log }: Means,
  actor: Actor,
  at: number,
  kind: JournalKind,
  state: MutexState,
  line: lines.Line,
  hold: { readonly ticket: string; readonly name: string } | null = null,
): void {
  log(`${line.code} ${line.text}`, { ticket: hold?.ticket ?? null, name: hold?.name ?? null, mutex: state.name });
  journal.append({
    at,
    ticket: hold?.ticket ?? null,
    name: hold?.name ?? null,
    mutex: state.name,
    who: actor.user,
    via: actor.via,
    kind,
    code: line.code,
    text: line.text,
    source: null,
    data: null,
  });
}
