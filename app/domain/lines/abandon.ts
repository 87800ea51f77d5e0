/** Of Abandon and the orphans that it leaves. */
import { clockTime, longDuration } from '../durations.ts';
import type { ProcessIdentity } from '../identity.ts';
import type { Actor } from '../script.ts';
import { count, processes } from '../count.ts';
import { actorText, because, line, type Line, type MutexFacts, processText, scriptsWait } from './parts.ts';

interface AbandonFacts {
  readonly actor: Actor;
  readonly at: number;
  readonly reason: string | null;
  readonly left: readonly ProcessIdentity[];
  readonly holdQueue: boolean;
}

export const abandoned = (f: AbandonFacts & { readonly mutex: MutexFacts | null }): Line =>
  line(
    'W221',
    `ABANDONED by ${actorText(f.actor)} at ${clockTime(f.at)}${because(f.reason)}.`,
    f.mutex === null ? 'The script held no mutex.' : releasedText(f.mutex),
    nothingEnded(f, 'the script'),
    'Output is still recorded until it exits. Result given to the caller: abandoned.',
    f.mutex && afterwards(f.mutex, f.holdQueue, 'Force Kill stays possible'),
  );

/** Of a command under `unjam hold`, which has no log and no supervisor. */
export const holdAbandoned = (
  f: AbandonFacts & { readonly name: string; readonly ticket: string; readonly mutex: MutexFacts },
): Line =>
  line(
    'W221',
    `The hold of "${f.name}" (ticket ${f.ticket}, by "unjam hold") was ABANDONED by ${actorText(f.actor)} at ${clockTime(f.at)}${because(f.reason)}.`,
    releasedText(f.mutex),
    nothingEnded(f, 'the command'),
    afterwards(f.mutex, f.holdQueue, 'end the command yourself; Unjam does not supervise it'),
  );

const releasedText = (mutex: MutexFacts): string =>
  mutex.joint
    ? `Unjam released its hold of mutex "${mutex.name}"; "${mutex.joint}", which runs under the same hold, still holds it.`
    : `Unjam released mutex "${mutex.name}".`;

const nothingEnded = ({ left, at }: AbandonFacts, whose: string): string =>
  left.length === 0
    ? `NOTHING WAS ENDED, and no process of ${whose} was found running at that moment.`
    : `NOTHING WAS ENDED: ${processes(left.length)} (${left.slice(0, 20).map(processText).join(', ')}) ${left.length === 1 ? 'was' : 'were'} running at ${clockTime(at)} and may still change files, services and databases.`;

const afterwards = (mutex: MutexFacts, holdQueue: boolean, next: string): string => {
  const resume = `unjam locks resume "${mutex.name}"`;
  if (mutex.joint)
    return `Nobody else is granted it before "${mutex.joint}" has gone. ${scriptsWait(mutex) ?? ''} Next: abandon that one too${holdQueue ? `, then ${resume}` : ''}.`;
  if (holdQueue) return `The queue is paused: ${scriptsWait(mutex) ?? ''} Next: ${resume}.`;
  return mutex.next === null
    ? `Nobody is waiting for the mutex. Next: ${next}.`
    : `Next in line: "${mutex.next}"; it runs beside this process. ${scriptsWait(mutex) ?? ''} Next: ${next}.`;
};

export const orphanExited = (
  root: ProcessIdentity,
  at: number,
  abandonedAt: number,
  exit: string,
  bytes: number,
): Line =>
  line(
    'I224',
    `Orphan exited: ${processText(root)} and its tree had ended at ${clockTime(at)}, ${longDuration(at - abandonedAt)} after it was abandoned, ${exit}.`,
    bytes === 0
      ? null
      : `It wrote ${count(bytes, 'byte')} of output after ${clockTime(abandonedAt)}; ${bytes === 1 ? 'it is' : 'they are'} in the log.`,
  );

export const orphanLost = (root: ProcessIdentity): Line =>
  line(
    'W225',
    `Orphan lost: ${processText(root)} no longer exists. Its end and exit code are unknown, because its runner had died.`,
  );

export const workspaceKept = (folder: string, why: string): Line =>
  line(
    'W223',
    `Could not delete "${folder}" after the abandon: ${why}. Unjam tries again when the orphan has ended, every 10 s.`,
  );

/** What was tried before an automatic Abandon. */
export const triedText = (cause: 'cancelled' | 'killed' | 'timed-out'): string =>
  cause === 'killed' ? 'Force Kill' : cause === 'timed-out' ? 'its time limit' : 'Cancel';
